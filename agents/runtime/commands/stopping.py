"""What a switch does to runs and proposals while it stands, and what its release gives back."""

from uuid import UUID

from django.db.models import Q, QuerySet

from agents.controls import queries as controls
from agents.controls.cards import Scope, SwitchCard
from agents.controls.states import ScopeKind
from agents.models import Run, ToolCall
from agents.runtime import fence
from agents.runtime.commands.queueing import MOST_AT_ONCE
from agents.states import FINAL_CALL, FINAL_RUN, WAITING_RUN, RunState
from approvals import commands as approvals
from approvals import queries as desk
from console.kernel.actors import Actor
from console.kernel.transactions import command


@command
def hold_scope(*, actor: Actor, switch_id: UUID) -> int:
    """Park the runs that a standing switch meets and let the clocks of their proposals stand still.

    Running ones are left: they ask before every act, and the category says what may still end.
    Doing it again changes nothing, so pulse repeats it until the release.
    """
    switch = controls.switch(actor=actor, switch_id=switch_id)
    if not switch.engaged:
        return 0
    cause = _cause(switch)
    runs = _in_scope(switch.scope).filter(state__in=[RunState.QUEUED, *WAITING_RUN])
    parked = list(runs.select_for_update(of=("self",)).order_by("pk")[:MOST_AT_ONCE])
    for run in parked:
        fence.pause_row(run, actor=actor, switch_id=switch_id, cause=cause)
    approvals.freeze(
        actor=actor,
        proposal_ids=_proposals(actor, switch.scope),
        cause=cause,
        since=switch.engaged_at,
    )
    return len(parked)


@command
def release_scope(*, actor: Actor, switch_id: UUID) -> int:
    """Give back what a released switch held, unless another switch stands against it."""
    switch = controls.switch(actor=actor, switch_id=switch_id)
    if switch.engaged:
        return 0
    approvals.thaw(actor=actor, proposal_ids=_proposals(actor, switch.scope), cause=_cause(switch))
    held = Run.objects.select_for_update().filter(state=RunState.PAUSED, switch_id=switch_id)
    freed = list(held.order_by("pk")[:MOST_AT_ONCE])
    others = [other for other in controls.active(actor=actor) if other.id != switch_id]
    for run in freed:
        _free(run, actor=actor, others=others)
    return len(freed)


def _free(run: Run, *, actor: Actor, others: list[SwitchCard]) -> None:
    for other in others:
        if _in_scope(other.scope).filter(pk=run.pk).exists():
            run.switch_id = other.id
            run.save(update_fields=["switch_id"])
            return
    state = RunState(run.parked_state or RunState.QUEUED)
    fence.resume_row(run, actor=actor, cause="the stop was released", state=state)


def _cause(switch: SwitchCard) -> str:
    """Return the words that reviewers read; the id keeps two stops with equal reasons apart."""
    return f"a stop ({switch.reason[:120]}, {str(switch.id)[-8:]})"


def _in_scope(scope: Scope) -> QuerySet[Run]:
    match scope.kind:
        case ScopeKind.TENANT:
            return Run.objects.all()
        case ScopeKind.AGENT:
            return Run.objects.filter(agent_version__agent__slug=scope.value)
        case ScopeKind.TOOL:
            waiting = ToolCall.objects.filter(tool=scope.value).exclude(state__in=FINAL_CALL)
            return Run.objects.filter(pk__in=waiting.values("run_id"))
        case ScopeKind.RUN:
            return Run.objects.filter(Q(pk=scope.value) | Q(root_id=scope.value))


def _proposals(actor: Actor, scope: Scope) -> list[UUID]:
    runs = _in_scope(scope).exclude(state__in=FINAL_RUN).values_list("pk", flat=True)
    cards = desk.live_of_runs(actor=actor, run_ids=runs)
    wanted = scope.value if scope.kind is ScopeKind.TOOL else ""
    meant = [card for card in cards if not wanted or card.tool == wanted]
    # A stop of a tool holds the whole plan that uses it.
    hosted = {card.id for card in meant} | {card.plan_id for card in meant if card.plan_id}
    return [*hosted, *_outside(actor, scope)]


def _outside(actor: Actor, scope: Scope) -> tuple[UUID, ...]:
    """Return what agents that run elsewhere wait for; they have no runs."""
    match scope.kind:
        case ScopeKind.TENANT:
            return desk.live_outside(actor=actor)
        case ScopeKind.AGENT:
            return desk.live_outside(actor=actor, agent=scope.value)
        case ScopeKind.TOOL:
            return desk.live_outside(actor=actor, tool=scope.value)
        case ScopeKind.RUN:
            return ()
