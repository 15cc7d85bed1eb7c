"""Reads of runs: the list, one run with all that a page shows, what pulse has to look after."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q

from agents.cards import (
    AgentCard,
    BadgeCard,
    CallCard,
    CapCard,
    EventCard,
    FrameCard,
    RunDetailCard,
    RunListCard,
    RunRowCard,
    StepCard,
)
from agents.errors import UnknownRun
from agents.models import Agent, Handoff, Message, Run, RunEvent, RunTotal, ToolCall
from agents.runtime import following
from agents.states import CallState, FrameKind, Role, RunState
from agents.tools import registry
from agents.tools.errors import UnknownTool
from audit.queries import events_of as events_of_trail
from console.kernel import canonical, clock, tenancy
from console.kernel.actors import Actor
from console.kernel.transactions import query
from costs import queries as costs
from costs.cards import CostCard

PAGE_ROWS: Final = 50
EVENTS_SHOWN: Final = 350
UNCLAIMED_S: Final = 2
MASKED: Final = "(masked)"

# What a state means to a person who looks at a run, and what it waits for.
WAITING_FOR: Final[Mapping[str, str]] = {
    RunState.QUEUED: "a free worker",
    RunState.WAITING_APPROVAL: "people who decide about a change",
    RunState.WAITING_USER: "the end user's yes or no",
    RunState.WAITING_TIMER: "the time of its next attempt",
    RunState.WAITING_CHILD: "a run of another agent",
    RunState.NEEDS_RECONCILIATION: "a person who finds out whether a call happened",
    RunState.PAUSED: "the release of a stop",
    RunState.ESCALATED: "a person who answers the end user",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranded:
    """A run that nobody works on although it could go on."""

    run_id: UUID
    waited_s: float


@query
def runs(
    *,
    actor: Actor,
    state: str = "",
    agent: str = "",
    before: tuple[datetime, UUID] | None = None,
    limit: int = PAGE_ROWS,
) -> tuple[RunRowCard, ...]:
    """Return runs, newest first.

    Args:
        before: (created_at, id) of the last row of the page before.
    """
    rows = Run.objects.select_related("agent_version__agent", "conversation", "total")
    if state:
        rows = rows.filter(state=state)
    if agent:
        rows = rows.filter(agent_version__agent__slug=agent)
    if before is not None:
        at, run_id = before
        rows = rows.filter(Q(created_at__lt=at) | Q(created_at=at, pk__lt=run_id))
    rows = rows.annotate(call_count=Count("calls"))
    found = list(rows.order_by("-created_at", "-pk")[:limit])
    spent = costs.run_costs(actor=actor, run_ids=[run.pk for run in found])
    return tuple(_row(run, spent.get(run.pk)) for run in found)


@query
def run_list(
    *, actor: Actor, state: str, agent: str, before: tuple[datetime, UUID] | None
) -> RunListCard:
    """Return what the page of runs shows: one page of rows, and what to filter by."""
    rows = runs(actor=actor, state=state, agent=agent, before=before, limit=PAGE_ROWS + 1)
    counts = Run.objects.values("state").annotate(n=Count("pk")).order_by("state")
    return RunListCard(
        rows=rows[:PAGE_ROWS],
        more=len(rows) > PAGE_ROWS,
        agents=agents(actor=actor),
        counts={row["state"]: row["n"] for row in counts},
        as_of=clock.now(),
    )


def badge(values: Mapping[str, Any]) -> BadgeCard:
    return BadgeCard(
        provider=values.get("provider", ""),
        model=values.get("model", ""),
        live=bool(values.get("live", False)),
    )


def _row(run: Run, spent: CostCard | None) -> RunRowCard:
    agent = run.agent_version.agent
    return RunRowCard(
        id=run.pk,
        conversation_id=run.conversation_id,
        agent=agent.slug,
        agent_title=agent.title,
        version=run.agent_version.number,
        state=run.state,
        stop_reason=run.stop_reason,
        channel=run.conversation.channel,
        customer=run.conversation.customer,
        steps=run.total.steps if run.parent_id is None else 0,
        calls=getattr(run, "call_count", 0),
        created_at=run.created_at,
        state_at=run.state_at,
        badge=badge(run.model_badge),
        cost_usd=spent.cost_usd if spent is not None and spent.calls else None,
    )


@query
def run(*, actor: Actor, run_id: UUID) -> RunDetailCard:
    """Return one run with its conversation, steps, timeline, counters and cost.

    Raises:
        UnknownRun: there is none of that id in this tenant.
    """
    found = (
        Run.objects.select_related("agent_version__agent", "conversation", "total")
        .annotate(call_count=Count("calls"))
        .filter(pk=run_id)
        .first()
    )
    if found is None:
        raise UnknownRun("There is no such run here; open the list of runs.")
    spent = costs.run_cost(actor=actor, run_id=run_id)
    calls = list(ToolCall.objects.filter(run=found).order_by("step_seq", "index"))
    said = Message.objects.filter(conversation_id=found.conversation_id).order_by("seq")
    waiting = [call for call in calls if call.state == CallState.WAITING_APPROVAL]
    return RunDetailCard(
        row=_row(found, spent),
        identity_state=found.conversation.identity_state,
        epoch=found.epoch,
        lease_owner=found.lease_owner,
        lease_until=found.lease_until,
        ended_at=found.ended_at,
        error=found.error,
        starter=f"{found.starter['kind']} {found.starter['label']}",
        switch_id=found.switch_id,
        waiting_for=WAITING_FOR.get(found.state, ""),
        open_proposals=tuple(call.proposal_id for call in waiting if call.proposal_id),
        frames=tuple(frame(message) for message in said),
        steps=_steps(found, calls),
        events=events_of(found.pk, after=0, limit=EVENTS_SHOWN),
        caps=_caps(found.total),
        prompt_digest=canonical.digest(found.agent_version.prompt).hex(),
        tokens=spent.tokens if spent.calls and not spent.only_rules else None,
        trail=events_of_trail(actor=actor, target_type="run", target_id=str(run_id)),
        handed_off=Handoff.objects.filter(
            conversation=found.conversation_id, state="open"
        ).exists(),
    )


def frame(message: Message) -> FrameCard:
    # The sender's own id lets a page put the stored message in the place of the one it showed.
    sent = {"client_id": message.client_id} if message.client_id else {}
    return FrameCard(
        seq=message.seq,
        role=message.role,
        kind=message.kind,
        text=message.text,
        parts={**message.parts, **sent},
        run_id=message.run_id,
        at=message.created_at,
    )


def _steps(run: Run, calls: list[ToolCall]) -> tuple[StepCard, ...]:
    """Group what was said and called by the step in which the model answered."""
    said = {
        message.step_seq: message
        for message in Message.objects.filter(run=run, role=Role.AGENT, kind=FrameKind.TEXT)
        if message.step_seq is not None
    }
    numbers = sorted({*said, *(call.step_seq for call in calls)})
    return tuple(
        StepCard(
            seq=number,
            text=said[number].text if number in said else "",
            calls=tuple(_call(call) for call in calls if call.step_seq == number),
            at=said[number].created_at if number in said else None,
        )
        for number in numbers
    )


def _call(call: ToolCall) -> CallCard:
    masked = _masks(call.tool)
    return CallCard(
        id=call.pk,
        step=call.step_seq,
        tool=call.tool,
        title=call.title or call.tool,
        effect=call.effect,
        tier=call.tier,
        state=call.state,
        confirmation=call.confirmation,
        args=call.raw or _pretty(redacted(call.runs_with, masked)),
        edited=""
        if call.effective_args is None
        else following.note(
            redacted(call.args, masked), redacted(call.effective_args, masked), state=call.state
        ),
        result=_pretty(redacted(call.result, masked)) if call.result is not None else "",
        error_code=call.error_code,
        before=call.before,
        after=call.after,
        proposal_id=call.proposal_id,
        digest=bytes(call.digest or b"").hex(),
        duration_ms=call.duration_ms,
        attempt=call.attempt,
        at=call.created_at,
    )


def _masks(name: str) -> tuple[str, ...]:
    try:
        return registry.get(name).redact
    except UnknownTool:
        return ()


def redacted(value: Any, pointers: Iterable[str]) -> Any:
    """Return a copy in which the values at these JSON pointers are masked."""
    copy = json.loads(json.dumps(value))
    for pointer in pointers:
        _mask(copy, [part for part in pointer.split("/") if part])
    return copy


def _mask(value: Any, path: list[str]) -> None:
    *parents, last = path
    for part in parents:
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, dict) and last in value:
        value[last] = MASKED


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _caps(total: RunTotal) -> tuple[CapCard, ...]:
    names = ("steps", "tool_calls", "retries", "tokens", "active_ms")
    return tuple(
        CapCard(name=name, used=getattr(total, name), cap=getattr(total, f"{name}_cap"))
        for name in names
    )


def events_of(run_id: UUID, *, after: int, limit: int) -> tuple[EventCard, ...]:
    rows = RunEvent.objects.filter(run_id=run_id, seq__gt=after).order_by("seq")[:limit]
    return tuple(
        EventCard(
            seq=row.seq, type=row.type, epoch=row.epoch, payload=row.payload, at=row.created_at
        )
        for row in rows
    )


@query
def events(
    *, actor: Actor, run_id: UUID, after: int = 0, limit: int = PAGE_ROWS
) -> tuple[EventCard, ...]:
    """Return events of a run after a number, in order and without gaps.

    Raises:
        UnknownRun: there is none of that id in this tenant.
    """
    if not Run.objects.filter(pk=run_id).exists():
        raise UnknownRun("There is no such run here; open the list of runs.")
    return events_of(run_id, after=after, limit=limit)


@query
def agents(*, actor: Actor) -> tuple[AgentCard, ...]:
    """Return the agents of the tenant with their newest versions, by slug."""
    found = []
    for agent in Agent.objects.order_by("slug"):
        newest = agent.versions.order_by("-number").first()
        if newest is not None:
            found.append(
                AgentCard(
                    id=agent.pk,
                    slug=agent.slug,
                    title=agent.title,
                    version_id=newest.pk,
                    number=newest.number,
                    content_hash=bytes(newest.content_hash).hex(),
                )
            )
    return tuple(found)


def tenants_due() -> frozenset[UUID]:
    """Return the tenants in which a run's time to wait is over: one question, and only ids."""
    return _tenants("SELECT agents_tenants_due(%s)", clock.now())


def tenants_stranded() -> frozenset[UUID]:
    """Return the tenants in which `stranded` finds something, or a run waits for people."""
    return _tenants("SELECT agents_tenants_stranded(%s, %s)", clock.now(), UNCLAIMED_S)


def _tenants(asked: str, *given: datetime | int) -> frozenset[UUID]:
    with tenancy.unscoped(), connection.cursor() as cursor:
        cursor.execute(asked, list(given))
        return frozenset(row[0] for row in cursor.fetchall())


@query
def stranded(*, actor: Actor) -> tuple[Stranded, ...]:
    """Return runs that wait for a worker for two seconds, or whose worker's lease is over."""
    now = clock.now()
    unclaimed = Q(state=RunState.QUEUED, state_at__lt=now - timedelta(seconds=UNCLAIMED_S))
    lapsed = Q(state=RunState.RUNNING, lease_until__lt=now)
    rows = Run.objects.filter(unclaimed | lapsed).order_by("state_at")[:PAGE_ROWS]
    return tuple(
        Stranded(
            run_id=row.pk,
            waited_s=(now - (row.lease_until or row.state_at)).total_seconds(),
        )
        for row in rows
    )


@query
def counts(*, actor: Actor) -> dict[RunState, int]:
    """Return how many runs stand in each state; states without runs are left out."""
    rows = Run.objects.filter(tenant_id=actor.tenant_id).values("state").annotate(n=Count("pk"))
    return {RunState(row["state"]): row["n"] for row in rows.order_by("state")}


@query
def unknown_calls(*, actor: Actor) -> int:
    """Return how many tool calls may or may not have happened."""
    unknown = ToolCall.objects.filter(tenant_id=actor.tenant_id, state=CallState.UNKNOWN)
    return unknown.count()
