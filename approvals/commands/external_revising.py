"""Another content for the same call, by the key of the agent that asked for it.

The rules are those of a hosted agent: the tool and the subject stay, votes on the old content are
void, the rules are asked anew, and what people approved is never taken back.
"""

from typing import Final
from uuid import UUID

from approvals.cards import Content, Progress, RevisedCall, Subject
from approvals.commands import remarks, reviewers
from approvals.commands.desk import Desk, must_lock
from approvals.commands.editing import REVISED, revise
from approvals.commands.external import require_key
from approvals.commands.external_schemas import require_fits
from approvals.commands.refusing import expired, kept
from approvals.errors import AlreadyDecided, NotEditable, RefreshSpent
from approvals.kinds import require_permit
from approvals.models import Proposal, Revision
from approvals.queries.external import own_row, progress_of
from approvals.states import EXTERNAL, Act, ProposalState
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError
from console.kernel.transactions import command

MOST_REVISIONS: Final = 20  # each one asks people to read again
_REVISES: Final = frozenset({ProposalState.OPEN, ProposalState.STALE})


@command
def revise_own(*, actor: Actor, proposal_id: UUID, call: RevisedCall) -> Progress:
    """Put other arguments, or the target as it is by now, in the place of what one asked for.

    The content that counts already changes nothing, so a revision may be sent again.

    Raises:
        NotFound, NotYours: this key did not open it.
        Unavailable, or what the stops say: a stop stands against it.
        NotEditable: it is a plan or a part of one.
        DoesNotFit: the arguments do not fit the tool's schema.
        AlreadyDecided: people were quicker; no approval is taken back.
        StaleRevision: it is another revision meanwhile.
        PolicyDenied: a rule does not allow the new content, whoever agrees.
        RefreshSpent: it was revised as often as it may be.
        ProposalExpired: the time was over; the expiry is kept.
    """
    require_key(actor, proposal_id=proposal_id)
    row = own_row(actor, proposal_id)
    note = remarks.text_of(call.note, "note")
    _require_alone(row)
    require_permit(
        actor=actor,
        act=Act.OPEN,
        agent=row.agent_id,
        tool=row.tool,
        tier=row.tier,
        subject=Subject(kind=row.subject_kind, id=row.subject_id),
    )
    require_fits(actor, row.tool, call.args)
    desk = must_lock(actor=actor, proposal_id=proposal_id)
    at = clock.now()
    if desk.settle_clock(at=at):
        return kept(expired(), Progress)
    content = _content(desk, call)
    if _same(desk, content):
        return progress_of(desk.row)
    try:
        if desk.state not in _REVISES:
            raise AlreadyDecided(
                "People have decided this already; it is not changed any more.",
                state=desk.state.value,
            )
        reviewers.require_current(desk, call.revision_no, call.seen_digest)
        _require_more_left(desk)
    except ConsoleError as refusal:
        # Returned, because the clock may just have taken a lapsed approval back to people.
        return kept(refusal, Progress)
    revise(desk, content, cause=REVISED, note=note, at=at)
    return progress_of(desk.row)


def _require_alone(row: Proposal) -> None:
    if row.subject_kind != EXTERNAL or row.plan_pos is not None:
        raise NotEditable("A plan is not changed in place; withdraw it and propose another plan.")


def _content(desk: Desk, call: RevisedCall) -> Content:
    """Return what is asked for now; what the tool promises stays as it was."""
    return Content(
        tool=desk.row.tool,
        contract_hash=desk.content.contract_hash,
        args=call.args,
        before=call.before,
        after=call.after,
    )


def _same(desk: Desk, content: Content) -> bool:
    after = content.after_bytes == bytes(desk.revision.after)
    return after and content.digest == bytes(desk.revision.digest)


def _require_more_left(desk: Desk) -> None:
    made = Revision.objects.filter(proposal=desk.row, cause=REVISED).count()
    if made >= MOST_REVISIONS:
        raise RefreshSpent(
            f"This was changed {MOST_REVISIONS} times; withdraw it, and propose what is meant."
        )
