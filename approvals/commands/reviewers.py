"""Who may have a say in what a proposal asks for, and whether they speak of what counts now."""

import re
from typing import Final

from approvals.commands.desk import Desk
from approvals.commands.refusing import clock_text, settled_by
from approvals.errors import AlreadyDecided, StaleRevision
from approvals.queries import editing
from approvals.queries.changes import interdiff
from approvals.queries.people import oneself
from approvals.states import LIVE
from console.kernel.actors import Actor

_SESSION: Final = re.compile("[0-9a-f]{64}")


def is_signed_in(actor: Actor) -> bool:
    return actor.is_person and _SESSION.fullmatch(actor.session) is not None


def require_reviewer(desk: Desk, actor: Actor) -> None:
    """Raise unless this person could vote on it now, or could before an edit of their own."""
    mine = desk.voters(among=oneself(actor))
    editing.require_reviewer(actor, mine, desk.requirement, desk.principals)


def require_current(desk: Desk, revision_no: int, seen_digest: str) -> None:
    """Raise unless this is the content that counts now."""
    if (revision_no, seen_digest) == (desk.row.revision_no, desk.digest):
        return
    raise StaleRevision(
        f"This changed while you were at it: it is revision {desk.row.revision_no} now. "
        "Nothing you typed is lost; look at the change and send it again.",
        revision=desk.row.revision_no,
        digest=desk.digest,
        changes=interdiff(desk.row, seen_no=revision_no),
    )


def require_live(desk: Desk) -> None:
    if desk.state not in LIVE:
        said = settled_by(desk) or f"This was {desk.state} at {clock_text(desk.row.moved_at)}."
        raise AlreadyDecided(f"{said} Nothing is left to change here.", state=desk.state.value)
