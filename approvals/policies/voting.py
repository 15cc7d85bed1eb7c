"""What a vote rests on besides who casts it: a session, a fresh proof, and what was shown."""

import re
from collections.abc import Collection, Iterable
from typing import Final

from approvals.cards import ViewServed
from approvals.errors import NotFullyShown
from approvals.states import Choice
from console.accounts.cards import Proof
from console.accounts.errors import StepUpRequired
from console.kernel import canonical
from console.kernel.actors import Actor

_SESSION: Final = re.compile("[0-9a-f]{64}")
PAGE: Final = "page"  # the part that is there even where no field changes
VIEW_TYPE: Final = "signalbox/view/1"
_MOST_NAMED: Final = 50


def is_interactive(actor: Actor) -> bool:
    """Say whether a person in a session of their own asks; nothing else ever decides."""
    return actor.is_person and _SESSION.fullmatch(actor.session) is not None


def view_digest(digest: str, shown: Iterable[ViewServed]) -> bytes:
    """Return the SHA-256 over what a session was shown: revision, parts, and in which view.

    Args:
        digest: of the revision, 64 hex characters.
    """
    parts = sorted({(part, one.view) for one in shown for part in one.parts})
    return canonical.digest(
        {"type": VIEW_TYPE, "digest": digest, "parts": [list(pair) for pair in parts]}
    )


def require_fully_shown(
    needed: Collection[str], shown: Iterable[ViewServed], choice: Choice
) -> None:
    """Raise for an approval of something that was not on this session's screen as a whole."""
    if choice is not Choice.APPROVE:
        return
    missing = set(needed) - {part for one in shown for part in one.parts}
    if missing:
        count = "1 part was" if len(missing) == 1 else f"{len(missing)} parts were"
        raise NotFullyShown(
            f"{count} not shown to you yet; open every change on the page, then approve.",
            missing=sorted(missing)[:_MOST_NAMED],
        )


def require_fresh(proof: Proof | None, stepup_s: int, choice: Choice) -> None:
    """Raise for an approval whose session proved too long ago who it is.

    Rejecting is never held up: it is the safe act.
    """
    if choice is Choice.APPROVE and stepup_s and (proof is None or proof.age_s > stepup_s):
        raise StepUpRequired(stepup_s)
