"""Finding the way: pages by their name, and one thing by its id. Only what the reader may open."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from agents.runtime import queries as runtime
from approvals import queries as approvals
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError
from console.kernel.transactions import query
from console.shell.cards import Way
from console.shell.queries.places import OWN, PAGES, ROOMS

_ID: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE
)
_ENTRY: Final = re.compile(r"#?([0-9]{1,12})")


@query
def find(*, actor: Actor, text: str) -> tuple[Way, ...]:
    """Return the ways that fit a text: what has this id, then pages, then searching for it."""
    asked = text.strip()
    return (*_things(actor, asked), *_pages(actor, asked), *_searches(actor, asked))


def _pages(actor: Actor, asked: str) -> Iterator[Way]:
    words = asked.lower().split()
    for label, others, url_name, permission, key in _places():
        said = f"{label} {others}".lower()
        if all(word in said for word in words) and (not permission or actor.has(permission)):
            yield Way(label=label, kind="page", href=reverse(url_name), key=key)


def _places() -> Iterator[tuple[str, str, str, str, str]]:
    for name, label, url_name, permission, key, _icon in ROOMS:
        yield label, name, url_name, permission, key
    for name, label, url_name, key, _icon in OWN:
        yield label, name, url_name, "", key
    for label, others, url_name, permission in PAGES:
        yield label, others, url_name, permission, ""


def _things(actor: Actor, asked: str) -> Iterator[Way]:
    """Yield what has the id; a link that was pasted whole holds one, too."""
    found = _ID.search(asked)
    if found is not None:
        runs = (_run,) if actor.has("runs.view") else ()
        for look in (_proposal, *runs, _policy, _duty):
            yield from _if_there(look, actor, UUID(found[0]))
    entry = _ENTRY.fullmatch(asked)
    if entry is not None and actor.has("audit.view"):
        href = reverse("audit:entry", args=[int(entry[1])])
        yield Way(label=f"Entry #{int(entry[1])}", kind="trail", href=href)


def _if_there(look: Callable[[Actor, UUID], Way], actor: Actor, one: UUID) -> Iterator[Way]:
    with suppress(ConsoleError):  # there is none, or none for this reader
        yield look(actor, one)


def _proposal(actor: Actor, one: UUID) -> Way:
    card = approvals.proposal(actor=actor, proposal_id=one).card
    return Way(label=card.title, kind="review", href=reverse("approvals:detail", args=[one]))


def _run(actor: Actor, one: UUID) -> Way:
    run = runtime.run(actor=actor, run_id=one)
    label = f"Run of {run.row.agent}"
    return Way(label=label, kind="run", href=reverse("runs:detail", args=[one]))


def _policy(actor: Actor, one: UUID) -> Way:
    card = approvals.version(actor=actor, version_id=one)
    label = f"{card.policy}, version {card.no}"
    return Way(label=label, kind="policy", href=reverse("approvals:policy-version", args=[one]))


def _duty(actor: Actor, one: UUID) -> Way:
    card = approvals.review_task(actor=actor, task_id=one).card
    return Way(label=card.title, kind="duty", href=reverse("approvals:duty", args=[one]))


def _searches(actor: Actor, asked: str) -> Iterator[Way]:
    if asked and actor.has("audit.view"):
        href = f"{reverse('audit:explorer')}?{urlencode({'q': asked})}"
        yield Way(label=f"Search the trail for “{asked}”", kind="search", href=href)
