"""A target that is another one by now: how it is looked at, and what becomes of the proposal."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from approvals import diffs
from approvals.cards import Content, Subject
from approvals.commands.desk import Desk
from approvals.events import ProposalStaled
from approvals.kinds import Watched, kind_of
from approvals.models import Proposal, Revision
from approvals.states import ProposalState
from audit.commands import record
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError

_MOST_PATHS: Final = 50


def observed(actor: Actor, row: Proposal) -> Content | None:
    """Return what the target is now, as the before-image; None where nobody can look at it."""
    said = Revision.objects.get(proposal=row, no=row.revision_no).content(row.tool)
    return observed_with(actor, row, said.args)


def observed_with(actor: Actor, row: Proposal, args: Mapping[str, Any]) -> Content | None:
    """The same for arguments that were read before, in no transaction if the target is outside."""
    kind: object = kind_of(row.subject_kind)
    if not isinstance(kind, Watched):
        return None
    try:
        return kind.observe(actor=actor, subject=subject_of(row), tool=row.tool, args=args)
    except ConsoleError:
        return None


def subject_of(row: Proposal) -> Subject:
    return Subject(kind=row.subject_kind, id=row.subject_id)


def go_stale(desk: Desk, found: Content, *, at: datetime) -> tuple[str, ...]:
    """Keep what was found in place of the before-image; people see then, proposed and now.

    Returns:
        Where it differs.
    """
    seen = desk.content
    paths = diffs.changed_paths(seen.before, found.before)
    # A plan's own contract never changes; if no field did, one of its tools has another.
    if found.contract_hash != seen.contract_hash or not paths:
        paths = ("contract", *paths)
    desk.void_decision(at=at)
    desk.row.observed_before = found.before_bytes
    desk.start_window(at)
    desk.move(ProposalState.STALE, at=at)
    record(
        ProposalStaled(
            proposal_id=desk.row.id,
            revision_no=desk.row.revision_no,
            digest=desk.digest,
            observed_digest=found.digest.hex(),
            observed_before=found.before_digest.hex(),
            paths=paths[:_MOST_PATHS],
        ),
        actor=desk.actor,
    )
    return paths[:_MOST_PATHS]
