"""Writes that others cause: agents and versions, queueing, waking, parking, ending."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet

from agents.cards import AgentCard
from agents.controls import queries as controls
from agents.controls.cards import Scope, SwitchCard
from agents.controls.states import ScopeKind
from agents.errors import NotUnknown, RunEnded, UnknownAgent, UnknownCall, UnknownRun
from agents.events import AgentRegistered, AgentVersionRegistered, CallReconciled, RunQueued
from agents.models import (
    Agent,
    AgentVersion,
    Conversation,
    Run,
    RunTotal,
    Tool,
    ToolCall,
    ToolContract,
)
from agents.runtime import endings, fence, following, outside, proposing, timeline
from agents.runtime.timeline import Note
from agents.states import (
    FINAL_CALL,
    FINAL_RUN,
    WAITING_RUN,
    CallState,
    FrameKind,
    RunState,
    StopReason,
)
from agents.tools import registry
from approvals import commands as approvals
from approvals import queries as desk
from audit.commands import record
from console.kernel import canonical, clock
from console.kernel.actors import Actor
from console.kernel.errors import NotAllowed
from console.kernel.transactions import command

BUDGETS: Final[Mapping[str, int]] = {
    "steps": 24,
    "tool_calls": 40,
    "retries": 10,
    "active_ms": 300_000,
    "tokens": 200_000,
}
DEADLINE_S: Final = 72 * 3600
MOST_AT_ONCE: Final = 200
# On a timer only because there was no room for more requests: a decision may have made some.
_WOKEN_BY_DECISIONS: Final = frozenset(
    {RunState.WAITING_APPROVAL, RunState.WAITING_USER, RunState.WAITING_TIMER}
)


@command
def register_agent(
    *, actor: Actor, slug: str, title: str, owner: UUID | None = None, owner_label: str = ""
) -> UUID:
    """Give an agent its name and owner; one that exists keeps what it has. Returns its id."""
    agent, created = Agent.objects.get_or_create(
        tenant_id=actor.tenant_id,
        slug=slug,
        defaults={"title": title, "owner": owner, "owner_label": owner_label},
    )
    if created:
        event = AgentRegistered(agent_id=agent.pk, slug=slug, title=title, owner_label=owner_label)
        record(event, actor=actor)
    return agent.pk


@command
def register_agent_version(  # noqa: PLR0913 - the parts of a version
    *,
    actor: Actor,
    agent: str,
    prompt: str,
    tools: Iterable[str],
    model_policy: Mapping[str, Any] | None = None,
    budgets: Mapping[str, int] | None = None,
    confirm_tiers: Iterable[int] = (1, 2),
    plan_writes: bool = False,
) -> AgentCard:
    """Register what an agent is from now on; the same content again gives the version there is.

    Args:
        tools: names of registered contracts; their hashes are pinned.
        model_policy: provider ("auto" takes a language model if one is set up), model, max_tokens.
        confirm_tiers: tiers of writes that the end user is asked about before people are.
        plan_writes: whether several writes of one answer are put before people as one plan.

    Raises:
        UnknownAgent: there is no agent of that slug.
        UnknownTool: a name is not registered.
    """
    owner = Agent.objects.select_for_update().filter(slug=agent).first()
    if owner is None:
        raise UnknownAgent("There is no such agent; register its name first.", agent=agent[:60])
    contracts = [registry.get(name) for name in sorted(set(tools))]
    content: dict[str, Any] = {
        "prompt": prompt,
        "model_policy": dict(model_policy or default_policy()),
        "tools": {tool.name: tool.hash for tool in contracts},
        "budgets": {**BUDGETS, **(budgets or {})},
        "guardrails": {},
        "scopes": sorted({scope for tool in contracts for scope in tool.scopes}),
        "escalation": {
            "confirm_tiers": sorted(set(confirm_tiers)),
            # Left out where it is not asked for: versions of before keep their hashes.
            **({"plan_writes": True} if plan_writes else {}),
        },
    }
    digest = canonical.digest(content)
    known = AgentVersion.objects.filter(agent=owner, content_hash=digest).first()
    if known is None:
        known = _add_version(actor, owner, content, digest)
    return AgentCard(
        id=owner.pk,
        slug=owner.slug,
        title=owner.title,
        version_id=known.pk,
        number=known.number,
        content_hash=digest.hex(),
    )


def default_policy() -> dict[str, Any]:
    return {"provider": "auto", "model": settings.MODEL_NAME, "max_tokens": 1024}


def _add_version(
    actor: Actor, agent: Agent, content: dict[str, Any], digest: bytes
) -> AgentVersion:
    newest = agent.versions.order_by("-number").values_list("number", flat=True).first()
    version = AgentVersion.objects.create(
        tenant_id=actor.tenant_id,
        agent=agent,
        number=(newest or 0) + 1,
        content_hash=digest,
        **content,
    )
    for name in content["tools"]:
        _keep_contract(actor, name)
    record(
        AgentVersionRegistered(
            agent_id=agent.pk,
            version_id=version.pk,
            number=version.number,
            content_hash=digest.hex(),
            tools=tuple(content["tools"]),
        ),
        actor=actor,
    )
    return version


def _keep_contract(actor: Actor, name: str) -> None:
    tool = registry.get(name)
    Tool.objects.get_or_create(tenant_id=actor.tenant_id, name=name, defaults={"title": tool.title})
    ToolContract.objects.get_or_create(
        tenant_id=actor.tenant_id,
        name=name,
        hash=bytes.fromhex(tool.hash),
        defaults={"body": tool.body},
    )


def queue_run(conversation: Conversation, *, actor: Actor) -> Run:
    """Queue a turn of work for a locked conversation, inside the caller's transaction."""
    version = conversation.agent_version
    budgets = {**BUDGETS, **version.budgets}
    run = Run.objects.create(
        tenant_id=actor.tenant_id,
        conversation=conversation,
        agent_version=version,
        starter=_starter(actor),
        deadline_at=clock.later(clock.now(), seconds=DEADLINE_S),
    )
    caps = {f"{name}_cap": int(budgets[name]) for name in BUDGETS}
    RunTotal.objects.create(tenant_id=actor.tenant_id, root=run, **caps)
    timeline.note(run, Note(type="run.queued", payload={"version": version.number}))
    run.save(update_fields=["head_seq"])
    record(
        RunQueued(
            run_id=run.pk,
            conversation_id=conversation.pk,
            agent=version.agent.slug,
            version_no=version.number,
        ),
        actor=actor,
    )
    fence.enqueue(run)
    return run


def _starter(actor: Actor) -> dict[str, str]:
    """Return who set a run off, for the principal chain of whatever the run proposes."""
    people = [link.id for link in actor.via if link.kind == "person"]
    person = actor.id if actor.is_person else (people[0] if people else "")
    return {
        "kind": actor.kind.value,
        "id": actor.id,
        "label": actor.label,
        "person_id": person,
        "request": actor.request,
    }


# --- waking


@command
def make_runnable(*, actor: Actor, proposal_id: UUID) -> None:
    """Let a run go on whose proposal was decided; a run that does not wait is left alone."""
    call = ToolCall.objects.filter(proposal_id=proposal_id).first()
    if call is None:
        return
    run = Run.objects.select_for_update().get(pk=call.run_id)
    call = ToolCall.objects.select_for_update().get(pk=call.pk)
    if run.state not in _WOKEN_BY_DECISIONS:
        return
    card = proposing.card_of(actor=actor, call_id=call.pk)
    following.follow(call, card, actor=actor, conversation_id=run.conversation_id)
    if call.state == CallState.WAITING_APPROVAL:
        endings.tell(run.conversation_id, call)
    fence.resume_row(run, actor=actor, cause=f"proposal {card.state}")


@command
def tell_more_are_asked(*, actor: Actor, proposal_id: UUID) -> None:
    """Tell the end user that the time was over and a wider group is asked."""
    first = desk.first_change(actor=actor, proposal_id=proposal_id)  # where it is a plan
    found = ToolCall.objects.filter(proposal_id=first or proposal_id).first()
    if found is None:
        return
    run = Run.objects.select_for_update().get(pk=found.run_id)
    call = ToolCall.objects.select_for_update().get(pk=found.pk)
    if call.state == CallState.WAITING_APPROVAL:
        endings.tell_more_are_asked(run.conversation_id, call)


@command
def follow_revision(*, actor: Actor, proposal_id: UUID) -> None:
    """Show what people made of a call; the run itself looks again before it acts."""
    call = ToolCall.objects.filter(proposal_id=proposal_id).first()
    if call is None:
        return
    run = Run.objects.select_for_update().get(pk=call.run_id)
    call = ToolCall.objects.select_for_update().get(pk=call.pk)
    card = proposing.card_of(actor=actor, call_id=call.pk)
    now = following.follow(call, card, actor=actor, conversation_id=run.conversation_id)
    if now is not None and run.state != RunState.RUNNING:
        # A running one numbers its timeline itself, and would take a new number for a rival's.
        timeline.note(run, proposing.revised(call, now))
        run.save(update_fields=["head_seq"])


@command
def wake_due(*, actor: Actor) -> int:
    """Queue runs whose time to wait is over; returns how many."""
    due = Run.objects.select_for_update(skip_locked=True).filter(
        state=RunState.WAITING_TIMER, due_at__lte=clock.now()
    )
    runs = list(due.order_by("due_at", "pk")[:MOST_AT_ONCE])
    for run in runs:
        fence.resume_row(run, actor=actor, cause="timer")
    return len(runs)


@command
def wake_decided(*, actor: Actor) -> int:
    """Queue runs that still wait although people have decided: what a lost nudge would strand."""
    found = proposing.decided_runs(actor=actor, limit=MOST_AT_ONCE)
    for run_id in found:
        fence.resume(actor=actor, run_id=run_id, cause="reaper")
    return len(found)


@command
def requeue(*, actor: Actor, run_ids: Iterable[UUID]) -> None:
    """Send runs to the workers once more; a run that was claimed meanwhile stays claimed."""
    for run in Run.objects.filter(pk__in=list(run_ids)):
        fence.enqueue(run)


# --- stops


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


# --- people


@command
def cancel_run(*, actor: Actor, run_id: UUID) -> None:
    """End a run that is not over; its open calls are closed and their proposals withdrawn.

    Raises:
        NotAllowed, UnknownRun, RunEnded
    """
    _require(actor, "runs.start")
    run = _locked(run_id)
    if run.state in FINAL_RUN:
        raise RunEnded("This run is over already; nothing is left to cancel.", state=run.state)
    fence.end_row(run, actor=actor, state=RunState.CANCELLED, reason=StopReason.CANCELLED)
    text = "This request was cancelled by the team."
    frame = timeline.notice(FrameKind.PAUSED, text)
    timeline.say(run.conversation_id, run.pk, run.tenant_id, frame)


@command
def reconcile_call(*, actor: Actor, call_id: UUID, happened: bool, result: str = "") -> None:
    """Say whether a call whose outcome nobody knew has happened; the run goes on with that answer.

    Raises:
        NotAllowed, UnknownCall
        NotUnknown: the outcome is on record.
    """
    _require(actor, "runs.start")
    found = ToolCall.objects.filter(pk=call_id).values_list("run_id", flat=True).first()
    if found is None:
        raise UnknownCall("There is no such call here; open the list of runs.")
    run = _locked(found)
    call = ToolCall.objects.select_for_update().get(pk=call_id)
    if call.state != CallState.UNKNOWN:
        raise NotUnknown("The outcome of this call is known; reload the page.", state=call.state)
    outside.settle_unknown(actor=actor, call=call, happened=happened, result=result)
    record(
        CallReconciled(
            call_id=call.pk,
            run_id=run.pk,
            conversation_id=run.conversation_id,
            tool=call.tool,
            args_digest=bytes(call.args_digest).hex(),
            happened=happened,
        ),
        actor=actor,
    )
    if run.state == RunState.NEEDS_RECONCILIATION:
        fence.resume_row(run, actor=actor, cause="reconciled")


def _locked(run_id: UUID) -> Run:
    run = Run.objects.select_for_update().filter(pk=run_id).first()
    if run is None:
        raise UnknownRun("There is no such run here; open the list of runs.")
    return run


def _require(actor: Actor, permission: str) -> None:
    if not actor.has(permission):
        raise NotAllowed(
            f"This needs the permission {permission}; ask an admin of your organisation for it.",
            permission=permission,
        )
