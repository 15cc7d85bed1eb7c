"""What there is to stop, and what a stop of it would meet now; it decides nothing."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, F, Q

from agents.controls.cards import Effect, Scope, Target
from agents.controls.states import ScopeKind
from agents.models import Agent, Run, Tool, ToolCall
from agents.states import FINAL_RUN, CallState, RunState

TENANT: Final = Scope(kind=ScopeKind.TENANT)
MOST_TARGETS: Final = 200  # of a kind; others are stopped by typing their name


def targets(tenant_id: UUID) -> tuple[Target, ...]:
    """Return the organisation, its agents and its tools, in the order of the board."""
    agents = Agent.objects.filter(tenant_id=tenant_id).order_by("slug")[:MOST_TARGETS]
    tools = Tool.objects.filter(tenant_id=tenant_id).order_by("name")[:MOST_TARGETS]
    return (
        Target(scope=TENANT, label="everything in this organisation"),
        *(
            Target(
                scope=Scope(kind=ScopeKind.AGENT, value=agent.slug),
                label=agent.slug,
                detail=agent.title,
            )
            for agent in agents
        ),
        *(
            Target(
                scope=Scope(kind=ScopeKind.TOOL, value=tool.name),
                label=tool.name,
                detail=tool.title,
            )
            for tool in tools
        ),
    )


def agent_id(tenant_id: UUID, slug: str) -> UUID | None:
    """Return the id that object permissions of an agent hang on."""
    return Agent.objects.filter(tenant_id=tenant_id, slug=slug).values_list("id", flat=True).first()


def effects(tenant_id: UUID) -> Mapping[Scope, Effect]:
    """Return what a stop of each scope would meet now; one that is missing, nothing."""
    live: Counter[Scope] = Counter()
    parked: Counter[Scope] = Counter()
    executing: Counter[Scope] = Counter()
    waiting: Counter[Scope] = Counter()
    for row in _runs(tenant_id):
        for scope in (TENANT, Scope(kind=ScopeKind.AGENT, value=row["agent"])):
            live[scope] += row["live"]
            parked[scope] += row["parked"]
    for row in _calls(tenant_id):
        tool = Scope(kind=ScopeKind.TOOL, value=row["tool"])
        for scope in (TENANT, Scope(kind=ScopeKind.AGENT, value=row["agent"]), tool):
            executing[scope] += row["executing"]
            waiting[scope] += row["waiting"]
    return {
        scope: Effect(
            live_runs=None if scope.kind is ScopeKind.TOOL else live[scope],
            parked_runs=None if scope.kind is ScopeKind.TOOL else parked[scope],
            executing_calls=executing[scope],
            open_proposals=waiting[scope],
        )
        for scope in {TENANT, *live, *parked, *executing, *waiting}
    }


def effect_on_run(tenant_id: UUID, run_id: UUID) -> Effect:
    """Return what a stop of one run and its children would meet; zeros if there is none."""
    runs = Run.objects.filter(Q(pk=run_id) | Q(root_id=run_id), tenant_id=tenant_id)
    counts = runs.exclude(state__in=FINAL_RUN).aggregate(**_RUN_COUNTS)
    calls = ToolCall.objects.filter(run__in=runs).aggregate(**_CALL_COUNTS)
    return Effect(
        live_runs=counts["live"],
        parked_runs=counts["parked"],
        executing_calls=calls["executing"],
        open_proposals=calls["waiting"],
    )


_RUN_COUNTS: Final = {
    "live": Count("id", filter=~Q(state=RunState.PAUSED)),
    "parked": Count("id", filter=Q(state=RunState.PAUSED)),
}
_CALL_COUNTS: Final = {
    "executing": Count("id", filter=Q(state=CallState.EXECUTING)),
    "waiting": Count("id", filter=Q(state=CallState.WAITING_APPROVAL)),
}


def _runs(tenant_id: UUID) -> list[dict[str, Any]]:
    runs = Run.objects.filter(tenant_id=tenant_id).exclude(state__in=FINAL_RUN)
    named = runs.annotate(agent=F("agent_version__agent__slug"))
    return [dict(row) for row in named.values("agent").annotate(**_RUN_COUNTS)]


def _calls(tenant_id: UUID) -> list[dict[str, Any]]:
    calls = ToolCall.objects.filter(
        tenant_id=tenant_id, state__in=[CallState.EXECUTING, CallState.WAITING_APPROVAL]
    )
    named = calls.annotate(agent=F("run__agent_version__agent__slug"))
    return [dict(row) for row in named.values("agent", "tool").annotate(**_CALL_COUNTS)]
