"""Carrying out what people agreed to about the rules themselves; no agent has a part in it.

Taking the dispatch, moving the version and reporting the outcome are one transaction: a crash
leaves an approved proposal that is tried again, or one that is done. The proposal's own id is the
key of the call, so a second try finds the first. What cannot be done any more (the version was put
away meanwhile) fails for good and says so; another active version makes the proposal stale.
"""

from uuid import UUID

from approvals.cards import Claimed, DispatchCard, NotClaimed
from approvals.commands.dispatching import claim_dispatch, report_outcome
from approvals.commands.governing import MAY_ACT, Planned, planned
from approvals.commands.versioning import ACTIVATE, SUBJECT, activate_version, retire_version
from approvals.models import Proposal
from approvals.queries.carrying import to_carry_out
from approvals.states import DispatchState, ProposalState
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError
from console.kernel.transactions import command


@command
def carry_out(*, actor: Actor, proposal_id: UUID) -> DispatchCard | NotClaimed | None:
    """Do what an approved proposal about the rules says, once; of all else nothing.

    Returns:
        How it ended; why it may not run now; or None if this is no approved proposal of that kind.
    """
    row = Proposal.objects.filter(
        pk=proposal_id, subject_kind=SUBJECT, state=ProposalState.APPROVED.value
    ).first()
    if row is None:
        return None
    found = planned(row.subject_id, row.tool)  # before the proposal's lock, as a dispatch does
    claimed = claim_dispatch(
        actor=actor, proposal_id=proposal_id, call_key=proposal_id, content=found.content
    )
    if isinstance(claimed, NotClaimed):
        return claimed
    return _done(actor, proposal_id, claimed, found)


def carry_out_due(*, actor: Actor) -> int:
    """Try what was agreed to and not done: a stop held it, or a process died. Returns how many.

    One that cannot be tried (the database refuses) does not keep the others waiting.
    """
    done = 0
    for each in to_carry_out(actor=actor):
        try:
            done += isinstance(carry_out(actor=actor, proposal_id=each), DispatchCard)
        except ConsoleError:
            continue
    return done


def _done(actor: Actor, proposal_id: UUID, claimed: Claimed, found: Planned) -> DispatchCard:
    tool = found.content.tool
    if found.row.state not in MAY_ACT[tool]:
        why = f"The version is {found.row.state} by now."
        return report_outcome(
            actor=actor,
            dispatch_id=claimed.dispatch_id,
            outcome=DispatchState.FAILED,
            after=found.content.before,
            evidence={"code": "policy.conflict", "message": why},
        )
    act = activate_version if tool == ACTIVATE else retire_version
    version = act(actor=actor, version_id=found.row.pk, proposal_id=proposal_id)
    return report_outcome(
        actor=actor,
        dispatch_id=claimed.dispatch_id,
        outcome=DispatchState.SUCCEEDED,
        after=found.content.after,
        evidence={"version": str(version.id), "state": version.state.value},
    )
