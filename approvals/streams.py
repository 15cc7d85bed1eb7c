"""Waiting for people over HTTP: one answer, given when something happened or the time is over.

The answer begins at once and its body comes late, so that a request that waits holds no connection
to the database and no worker thread. A hint wakes it; a look every two seconds makes up for hints
that are lost. What it then says was read from PostgreSQL, as if it had been asked for just now.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Final

import structlog
from asgiref.sync import sync_to_async
from django.db import Error, connection

from approvals import queries
from approvals.cards import Progress
from approvals.errors import TooManyWaiting
from approvals.states import DECIDABLE, ProposalState
from console.kernel.actors import Actor
from console.kernel.errors import BadInput, ConsoleError
from console.kernel.live import Ear

log = structlog.get_logger(__name__)

MOST_WAITING: Final = 20  # of one key in one process
RETRY_S: Final = 5
_POLL_S: Final = 2.0
_STATES: Final = frozenset(state.value for state in ProposalState)
_DIGITS: Final = 9
_waiting: Counter[str] = Counter()


def has_moved(card: Progress, after: str, questions: int | None = None) -> bool:
    """Say whether there is an answer now.

    Args:
        after: a row version or a state that the caller knows; "": it waits for the end.
        questions: how many open ones the caller knows; more of them are an answer, too.

    Raises:
        BadInput: it is neither.
    """
    if after and after not in _STATES and not _is_number(after):
        sentence = "Send a row_version or a state that you were told."
        raise BadInput(f"After: {sentence}", fields={"after": [sentence]})
    if card.state not in DECIDABLE:
        return True
    if questions is not None and len(card.questions) > questions:
        return True
    if not after:
        return False
    return card.state != after if after in _STATES else card.row_version > int(after)


def require_room(actor: Actor) -> None:
    """Raise if the actor waits for too many proposals at once in this process."""
    if _waiting[actor.id] >= MOST_WAITING:
        raise TooManyWaiting(
            f"This key waits for {MOST_WAITING} proposals at once; end one of them first.",
            retry_after_s=RETRY_S,
        )


async def until_moved(
    actor: Actor,
    card: Progress,
    moved: Callable[[Progress], bool],
    seconds: int,
    body: Callable[[Progress], bytes],
) -> AsyncIterator[bytes]:
    """Yield one body: of the proposal as soon as it moved, or as it still is when time is up.

    Args:
        card: as it was a moment ago.
        moved: says whether a card is an answer, as `has_moved` does.
    """
    ends_at = time.monotonic() + seconds
    _waiting[actor.id] += 1
    try:
        # In the request's own thread: it has looked already, and its connection goes back now.
        await _let_go()
        async with Ear(actor.tenant_id, f"proposal:{card.id}") as ear:
            # First with the ear open: what happens from here on is heard.
            card = await _look(actor, card)
            while not moved(card) and (left := ends_at - time.monotonic()) > 0:
                await ear.hear(min(_POLL_S, left))
                card = await _look(actor, card)
    except asyncio.CancelledError:
        log.info("wait.left", proposal=str(card.id))
        raise
    finally:
        _waiting[actor.id] -= 1
        if not _waiting[actor.id]:
            del _waiting[actor.id]
    yield body(card)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _DIGITS


@sync_to_async
def _let_go() -> None:
    connection.close()


@sync_to_async
def _look(actor: Actor, before: Progress) -> Progress:
    """Read how far it is; the connection goes back to the pool at once, a wait lasts long."""
    try:
        return queries.progress(actor=actor, proposal_id=before.id)
    except (ConsoleError, Error) as error:
        # Nothing new can be said; whoever waits asks again and is refused then.
        log.warning("wait.not_read", error=type(error).__name__)
        return before
    finally:
        connection.close()
