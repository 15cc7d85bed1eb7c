"""What becomes of the changes of a plan when the plan moves, and of the plan when one of them does.

Called under the row lock of the plan, which comes before the locks of its changes. A plan that is
approved is handed over at once: that approves its changes, and each of them is handed over by its
own claim when the one before it has succeeded.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from approvals.commands import deciding, timers
from approvals.events import (
    DispatchFailed,
    DispatchReconciled,
    DispatchSucceeded,
    DispatchUnknown,
    PlanBroken,
    ProposalDispatched,
)
from approvals.models import Decision, Dispatch, Proposal, RequirementRow, Revision
from approvals.queries.seeing import LOCKABLE, lockable
from approvals.states import (
    FINAL,
    LIVE,
    PLAN,
    PLAN_BROKEN,
    Basis,
    DispatchState,
    Outcome,
    ProposalState,
)
from audit.commands import record
from audit.events import Event
from console.kernel import canonical, prepared
from console.kernel.actors import Actor

_LIVE: Final = [state.value for state in LIVE]
_COLUMNS: Final = ("state", "execute_by", "moved_at", "close_cause", "row_version")
_SETTLED: Final[Mapping[DispatchState, type[Event]]] = {
    DispatchState.SUCCEEDED: DispatchSucceeded,
    DispatchState.FAILED: DispatchFailed,
    DispatchState.UNKNOWN: DispatchUnknown,
}
_PLAN: Final = "SELECT step.plan_id FROM approvals_proposal step WHERE step.id = %(proposal)s"
_LOCK: Final = (
    f"WHERE {LOCKABLE} AND (id = %(proposal)s OR id = ({_PLAN})) "
    "ORDER BY plan_id NULLS FIRST FOR UPDATE"
)
_TOLD: Final = "Another change of the same plan did not go as planned; this one was not made."
_TOLD_PLAN: Final = "A change of this plan cannot be made as planned; nothing of it was made."
_ENDED: Final = "The plan that this belongs to was {state}; the change was not made."


def locked(
    *, actor: Actor, proposal_id: UUID, skip_locked: bool = False
) -> tuple[Proposal | None, Proposal | None]:
    """Lock a proposal, and before it the plan that it is a change of; returns both."""
    sql = f"{_LOCK} SKIP LOCKED" if skip_locked else _LOCK
    rows = prepared.rows(Proposal, sql, {"proposal": proposal_id, **lockable(actor)})
    found = {row.pk: row for row in rows}
    row = found.get(proposal_id)
    if row is None or row.plan_id is None:
        return row, None
    whole = found.get(row.plan_id)
    return (row, whole) if whole is not None else (None, None)  # somebody else has the plan


def in_lock_order(proposal_ids: Iterable[UUID]) -> list[UUID]:
    """Return proposals in the order in which everybody locks them: a change after its plan."""
    wanted = set(proposal_ids)
    rows = Proposal.objects.filter(pk__in=wanted, plan__isnull=False)
    plans = dict(rows.values_list("pk", "plan_id"))
    return sorted(wanted, key=lambda each: (plans.get(each, each), each in plans, each))


def begin(row: Proposal, revision: Revision, *, actor: Actor, at: datetime) -> None:
    """Hand an approved plan over, which approves its changes; of any other proposal nothing."""
    if row.subject_kind != PLAN:
        return
    decision = Decision.objects.get(proposal=row, voided_at__isnull=True)
    dispatch = Dispatch.objects.create(
        tenant_id=row.tenant_id,
        proposal=row,
        revision=revision,
        decision=decision,
        digest=revision.digest,
        observed_digest=revision.digest,
        call_key=row.id,
        claimed_at=at,
        execute_by=row.execute_by or at,  # the state says that there is one
        state=DispatchState.CLAIMED.value,
    )
    _move(row, ProposalState.DISPATCHED, at=at)
    record(
        ProposalDispatched(
            proposal_id=row.id,
            dispatch_id=dispatch.id,
            call_key=row.id,
            revision_no=row.revision_no,
            observed_digest=bytes(revision.digest).hex(),
            decision_id=decision.id,
        ),
        actor=actor,
    )
    for step in _steps(row):
        _approve(step, row, actor=actor, at=at)


def follow(row: Proposal, plan: Proposal | None, *, actor: Actor, at: datetime) -> None:
    """Let the end of a plan end its changes, and the end of a change break its plan."""
    state = ProposalState(row.state)
    if state not in FINAL or state is ProposalState.DISPATCHED:
        return
    if plan is not None:
        break_off(plan, row, actor=actor, at=at, cause=row.close_cause or state.value)
    elif row.subject_kind == PLAN:
        told = _ENDED.format(state=state.value)
        for step in _steps(row):
            _close(step, actor=actor, at=at, cause=f"plan {state}", told=told)


def report(plan: Proposal, step: Proposal, *, actor: Actor, at: datetime) -> None:
    """Let a plan follow how the dispatch of one of its changes ended."""
    state = DispatchState(Dispatch.objects.get(proposal=step).state)
    if state is DispatchState.SUCCEEDED:
        _finish(plan, actor=actor, at=at)
    elif state is DispatchState.UNKNOWN:
        _break(plan, step, actor=actor, at=at, cause=state.value, left=DispatchState.UNKNOWN)
    else:
        break_off(plan, step, actor=actor, at=at, cause=state.value)


def break_off(plan: Proposal, step: Proposal, *, actor: Actor, at: datetime, cause: str) -> None:
    """Withdraw what is left of a plan because one of its changes did not go as planned."""
    _break(plan, step, actor=actor, at=at, cause=cause, left=DispatchState.FAILED)


def runs(row: Proposal) -> bool:
    """Say whether this is a plan that was handed over and has changes left to make."""
    if row.subject_kind != PLAN or row.state != ProposalState.DISPATCHED.value:
        return False
    return Proposal.objects.filter(plan=row, state__in=_LIVE).exists()


def call_off(plan: Proposal, *, actor: Actor, at: datetime, cause: str) -> None:
    """Withdraw what is left of a running plan because somebody took their word back."""
    first = _steps(plan)[0]
    _close(first, actor=actor, at=at, cause=f"{PLAN_BROKEN}: {cause}", told=_TOLD)
    break_off(plan, first, actor=actor, at=at, cause=cause)


# -- parts ---------------------------------------------------------------------------------------


def _break(
    plan: Proposal,
    step: Proposal,
    *,
    actor: Actor,
    at: datetime,
    cause: str,
    left: DispatchState,
) -> None:
    why = f"{PLAN_BROKEN}: change {step.plan_pos} ({cause})"
    gone = [one for one in _steps(plan) if one.pk != step.pk]
    lives = plan.state in _LIVE
    settled = _settle(plan, left, actor=actor, at=at, evidence={"code": "plan.broken", "why": why})
    if not (gone or lives or settled):
        return
    for one in gone:
        _close(one, actor=actor, at=at, cause=why, told=_TOLD)
    if lives:
        _close(plan, actor=actor, at=at, cause=why, told=_TOLD_PLAN)
    record(
        PlanBroken(
            proposal_id=plan.id,
            step=step.plan_pos or 0,
            step_proposal=step.id,
            cause=cause[:200],
            withdrawn=tuple(one.plan_pos or 0 for one in gone),
        ),
        actor=actor,
    )


def _finish(plan: Proposal, *, actor: Actor, at: datetime) -> None:
    """Put on record that a plan went through, once each of its changes succeeded."""
    left = Proposal.objects.filter(plan=plan).exclude(
        dispatches__state=DispatchState.SUCCEEDED.value
    )
    if not left.exists():
        _settle(plan, DispatchState.SUCCEEDED, actor=actor, at=at, evidence={})
    elif plan_is_broken(plan):
        # What nobody knew did happen; the changes after it were withdrawn meanwhile.
        _settle(plan, DispatchState.FAILED, actor=actor, at=at, evidence={"code": "plan.broken"})


def plan_is_broken(plan: Proposal) -> bool:
    """Say whether a change of a plan ended without being made."""
    ended = [state.value for state in FINAL if state is not ProposalState.DISPATCHED]
    return Proposal.objects.filter(plan=plan, state__in=ended).exists()


def _settle(
    plan: Proposal,
    to: DispatchState,
    *,
    actor: Actor,
    at: datetime,
    evidence: Mapping[str, str],
) -> bool:
    """Say how the hand-over of a plan ended; returns whether that is news."""
    row = Dispatch.objects.filter(proposal=plan).first()
    known = (DispatchState.CLAIMED.value, DispatchState.UNKNOWN.value)
    if row is None or row.state not in known or row.state == to.value:
        return False
    was = DispatchState(row.state)
    row.state, row.settled_at, row.evidence = to.value, at, dict(evidence)
    row.save(update_fields=["state", "settled_at", "evidence"])
    facts: dict[str, Any] = {
        "proposal_id": plan.id,
        "dispatch_id": row.id,
        "after_digest": "",
        "evidence_digest": canonical.digest(evidence).hex(),
    }
    if was is DispatchState.UNKNOWN:
        record(DispatchReconciled(**facts, outcome=to.value), actor=actor)
    else:
        record(_SETTLED[to](**facts), actor=actor)
    return True


def _steps(plan: Proposal) -> list[Proposal]:
    """Lock the changes of a locked plan that have not ended, in their order."""
    rows = Proposal.objects.select_for_update().filter(plan=plan, state__in=_LIVE)
    return list(rows.order_by("plan_pos"))


def _approve(step: Proposal, plan: Proposal, *, actor: Actor, at: datetime) -> None:
    by = plan.execute_by or at
    revision = Revision.objects.get(proposal=step, no=step.revision_no)
    # Its time to decide was the plan's; what it has now is the time in which the plan may run.
    deciding.store(revision, Outcome.APPROVED, basis=Basis.PLAN, assignment=(), at=at, decide_by=by)
    step.execute_by = by
    _move(step, ProposalState.APPROVED, at=at)
    deciding.tell(
        step,
        revision,
        Outcome.APPROVED,
        actor=actor,
        basis=Basis.PLAN.value,
        code=str(plan.id),
        execute_by=by.isoformat(),
    )


def _close(row: Proposal, *, actor: Actor, at: datetime, cause: str, told: str) -> None:
    Decision.objects.filter(proposal=row, voided_at__isnull=True).update(voided_at=at)
    row.close_cause = cause[:200]
    _move(row, ProposalState.WITHDRAWN, at=at)
    revision = Revision.objects.get(proposal=row, no=row.revision_no)
    deciding.tell(
        row, revision, Outcome.WITHDRAWN, actor=actor, code=row.close_cause, agent_message=told
    )


def _move(row: Proposal, to: ProposalState, *, at: datetime) -> None:
    row.state, row.moved_at = to.value, at
    row.row_version += 1
    row.save(update_fields=_COLUMNS)
    timers.lay(row, RequirementRow.newest(row).card())
