"""Taking a request back, by who started it or who owns the agent."""

from uuid import UUID

from approvals.commands import reviewers, steps
from approvals.commands.desk import must_lock
from approvals.commands.refusing import expired, kept
from approvals.policies.people import require_taker
from approvals.queries.editing import seen_row
from approvals.states import Outcome
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError
from console.kernel.transactions import command

_TOLD = "The request was taken back by {who}; the change was not made."


@command
def take_back(*, actor: Actor, proposal_id: UUID) -> None:
    """Withdraw a live proposal that the actor started, or whose agent they own.

    Of a plan that runs it withdraws the changes that were not made yet.

    Raises:
        NotYours: the actor is neither.
        AlreadyDecided: it is settled already.
        ProposalExpired: the time was over; the expiry is kept.
    """
    seen_row(actor, proposal_id)
    desk = must_lock(actor=actor, proposal_id=proposal_id)
    at = clock.now()
    if desk.settle_clock(at=at):
        return kept(expired(), type(None))
    try:
        require_taker(actor, desk.principals)
        if steps.runs(desk.row):
            steps.call_off(desk.row, actor=actor, at=at, cause=f"taken back by {actor.label}")
            return None
        reviewers.require_live(desk)
    except ConsoleError as refusal:
        return kept(refusal, type(None))
    told = _TOLD.format(who=actor.label)
    desk.end(Outcome.WITHDRAWN, at=at, cause=f"taken back by {actor.label}", told=told)
    return None
