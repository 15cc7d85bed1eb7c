"""Looking at the targets of a plan before its changes run.

Each change starts from what the ones before it leave, so its target is compared with what is there
now and what those that were not made yet will have done to it. While people decide, another target
makes the plan stale; once it runs, it breaks the plan, as it does when the change's turn comes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db import connection

from approvals.cards import Content, NotClaimed
from approvals.commands import drifting, planned, steps
from approvals.commands.desk import must_lock
from approvals.models import Dispatch, Proposal, Revision
from approvals.policies import planning
from approvals.states import LIVE, DispatchState, ProposalState
from console.kernel import canonical, clock
from console.kernel.actors import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """One change of a plan: what people see of it, and what was found in its place."""

    id: UUID
    seen: Content
    found: Content

    @property
    def drifted(self) -> bool:
        return self.found.digest != self.seen.digest


def look(actor: Actor, plan: Proposal) -> bool:
    """Compare all targets of a plan with what people see; returns whether it became stale or broke.

    Nothing is said while one of its changes is being made: whether the target shows it already,
    nobody can know.
    """
    _one_at_a_time(actor)
    made = _made(plan)
    if made is None:
        return False
    found = _found(actor, plan, made)
    desk = must_lock(actor=actor, proposal_id=plan.id)
    at = clock.now()
    if desk.settle_clock(at=at) or _made(plan) != made:
        return False  # over, or moved on since
    if steps.runs(desk.row):
        return _break(actor, [one for one in found if one.drifted])
    whole = planning.combined([one.found for one in found])
    if desk.state is not ProposalState.OPEN or whole.digest == bytes(desk.revision.digest):
        return False
    drifting.go_stale(desk, whole, at=at)
    return True


def _break(actor: Actor, drifted: Sequence[_Step]) -> bool:
    """Withdraw what is left of a plan that runs, if a change that waits has another target."""
    if not drifted:
        return False
    first = drifted[0]
    desk = must_lock(actor=actor, proposal_id=first.id)
    at = clock.now()
    if desk.settle_clock(at=at) or desk.state is not ProposalState.APPROVED:
        return False
    drifting.go_stale(desk, first.found, at=at)
    planned.or_broken(desk, NotClaimed(state=desk.state, code="proposal.stale", message=""), at=at)
    return True


def _found(actor: Actor, plan: Proposal, made: frozenset[UUID]) -> list[_Step]:
    rows = list(Proposal.objects.filter(plan=plan).order_by("plan_pos"))
    revisions = {one.proposal_id: one for one in Revision.objects.filter(proposal__in=rows)}
    left: dict[str, dict[str, dict[str, Any]]] = {}
    found = []
    for row in rows:
        seen = now = revisions[row.id].content(row.tool)
        if row.id not in made:
            there = drifting.observed(actor, row)
            if there is not None:
                before = planning.as_left(there.before, left)
                now = replace(seen, before=before, contract_hash=there.contract_hash)
            left = planning.overlaid(left, seen)
        found.append(_Step(id=row.id, seen=seen, found=now))
    return found


def _made(plan: Proposal) -> frozenset[UUID] | None:
    """Return which changes were made already, or None while one of them is being made."""
    sent = Dispatch.objects.filter(proposal__plan=plan)
    if sent.filter(state=DispatchState.CLAIMED.value).exists():
        return None
    over = Proposal.objects.filter(plan=plan).exclude(state__in=[one.value for one in LIVE])
    return frozenset(over.values_list("id", flat=True))


def _one_at_a_time(actor: Actor) -> None:
    """Let a tenant's plans be looked at one after the other: each locks several records of ours."""
    key = int.from_bytes(canonical.digest([str(actor.tenant_id), "targets"])[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])
