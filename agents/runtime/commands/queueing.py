"""Runs set going: a turn of work is queued, and what waits is woken."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from agents.events import RunQueued
from agents.models import Conversation, Run, RunTotal, ToolCall
from agents.runtime import endings, fence, following, proposing, timeline
from agents.runtime.commands.registering import BUDGETS
from agents.runtime.timeline import Note
from agents.states import CallState, RunState
from approvals import queries as desk
from audit.commands import record
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.transactions import command

DEADLINE_S: Final = 72 * 3600
MOST_AT_ONCE: Final = 200
# On a timer only because there was no room for more requests: a decision may have made some.
_WOKEN_BY_DECISIONS: Final = frozenset(
    {RunState.WAITING_APPROVAL, RunState.WAITING_USER, RunState.WAITING_TIMER}
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
