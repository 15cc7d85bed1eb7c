"""What the dispatch of one change of a plan looks at besides what every dispatch does.

Its approval is the plan's: the votes on the plan have to carry it at this moment as well. Whatever
keeps it from running for good takes the rest of the plan with it; nobody decides about a part.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from approvals import policies
from approvals.cards import Claimed, NotClaimed, Requirement
from approvals.commands.desk import Desk, must_lock
from approvals.models import Decision, Dispatch, Proposal
from approvals.states import LIVE, PLAN_BROKEN, Basis, DispatchState, Outcome

_TOLD: Final = (
    "This change of a plan cannot be made as it was agreed to, so it and what came after it were "
    "withdrawn; look at the records again and propose what fits now."
)
# A change that is asked for too early, or under a stop, waits; its plan stays as it is.
_WAITS: Final = frozenset({"plan.not_yet", "proposal.frozen", "proposal.open"})


def too_early(desk: Desk) -> NotClaimed | None:
    """Return a refusal while the change before this one has not succeeded."""
    place = desk.row.plan_pos
    if desk.plan is None or place is None or place == 1:
        return None
    before = Dispatch.objects.filter(proposal__plan=desk.plan, proposal__plan_pos=place - 1)
    if before.filter(state=DispatchState.SUCCEEDED.value).exists():
        return None
    said = f"Change {place - 1} of the plan has not succeeded yet, so this one was not started."
    return NotClaimed(state=desk.state, code="plan.not_yet", message=said)


def not_by_them(desk: Desk) -> NotClaimed | None:
    """Return a refusal if the votes on the plan do not suffice any more."""
    whole = _plan_of(desk)
    if _basis(whole.row) is not Basis.PEOPLE or whole.assignment() is not None:
        return None
    return _broken(desk, "A voter lost the right to vote on this plan, or took the vote back.")


def not_enough(desk: Desk, asked: Requirement, said: str) -> NotClaimed | None:
    """Return a refusal if the rules ask for more now than was agreed to."""
    whole = _plan_of(desk)
    basis = _basis(whole.row)
    needed = whole.with_what_is_asked(asked)
    if basis is Basis.PEOPLE:
        met = policies.assignment(needed, whole.approvers()) is not None
    else:
        met = basis is not Basis.RULE and needed.blocks == whole.requirement.blocks
    if met:
        return None
    return _broken(desk, said or "No rule allows this without people any more.")


def or_broken(desk: Desk, found: Claimed | NotClaimed, *, at: datetime) -> Claimed | NotClaimed:
    """Withdraw a change that cannot run as it was agreed to, and with it the rest of its plan."""
    if desk.plan is None or isinstance(found, Claimed):
        return found
    if desk.state not in LIVE or found.code in _WAITS:
        return found
    desk.end(Outcome.WITHDRAWN, at=at, cause=f"{PLAN_BROKEN}: {found.code}", told=_TOLD)
    return replace(found, state=desk.state)


def _plan_of(desk: Desk) -> Desk:
    plan = desk.row.plan_id
    if plan is None:
        raise LookupError("This is no change of a plan.")
    return must_lock(actor=desk.actor, proposal_id=plan)  # it is locked already


def _basis(plan: Proposal) -> Basis | None:
    found = Decision.objects.filter(proposal=plan, voided_at__isnull=True)
    basis = found.values_list("basis", flat=True).first()
    return Basis(basis) if basis else None


def _broken(desk: Desk, why: str) -> NotClaimed:
    said = f"{why} The rest of the plan is withdrawn; nothing was run."
    return NotClaimed(state=desk.state, code="plan.broken", message=said)
