"""Handing a conversation to a person: the agent falls silent, the packet says all."""

from collections.abc import Mapping
from typing import Any

from agents.events import HandoffOpened
from agents.models import Conversation, Handoff, Run, ToolCall
from agents.runtime import fence, timeline
from agents.runtime.held import Held
from agents.runtime.timeline import Note
from agents.states import CallState, FrameKind, RunState, StopReason
from audit.commands import record

PARKED = "expired"  # nobody decided in time; an operator returns the run to its agent, or ends it

SENTENCES: Mapping[str, str] = {
    "agent": "You are being transferred to a person of our team. Please hold on.",
    "loop": "The assistant could not get further. A person of our team will take over.",
    "contract": "The assistant could not get further. A person of our team will take over.",
    "provider": "The assistant is not available right now. A person of our team will take over.",
    "limit": "The assistant reached its limit here. A person of our team will take over.",
    PARKED: "This conversation waits for a person of our team.",
}


def escalate(
    held: Held,
    *,
    trigger: str,
    reason: StopReason,
    said: Mapping[str, Any] | None = None,
    keeps_calls: bool = False,
) -> None:
    """Open the one hand-off of the conversation, in a transaction that has passed the fence.

    Args:
        keeps_calls: calls that wait for people go on waiting; otherwise they are closed.
    """
    about = held.about
    run = Run.objects.select_for_update().get(pk=about.run_id)
    if not keeps_calls:
        fence.withdraw_open(run, actor=held.actor, cause="handed off to a person")
    handoff, created = Handoff.objects.get_or_create(
        conversation_id=about.conversation_id,
        state="open",
        defaults={
            "tenant_id": about.tenant_id,
            "run": run,
            "trigger": trigger,
            "packet": _packet(held, said or {}),
        },
    )
    note = Note(type="run.escalated", payload={"trigger": trigger, "reason": reason})
    timeline.note(run, note)
    run.stop_reason = reason
    fence.release(run, RunState.ESCALATED)
    run.save()
    text = SENTENCES.get(trigger, SENTENCES["limit"])
    frame = timeline.notice(FrameKind.HANDOFF, text, trigger=trigger)
    timeline.say(about.conversation_id, run.pk, about.tenant_id, frame)
    if created:
        event = HandoffOpened(
            handoff_id=handoff.pk,
            run_id=run.pk,
            conversation_id=about.conversation_id,
            trigger=trigger,
        )
        record(event, actor=held.actor)


def _packet(held: Held, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the person who takes over needs to know, as references and short words."""
    conversation = Conversation.objects.get(pk=held.about.conversation_id)
    calls = ToolCall.objects.filter(run__conversation=conversation).order_by("created_at")
    return {
        "summary": str(said.get("summary", ""))[:2000],  # the agent's claim
        "identity": conversation.identity_state,
        "customer": conversation.customer,
        "tried": [
            {"tool": call.tool, "state": call.state, "error": call.error_code}
            for call in calls[:50]
        ],
        "pending": [str(c.pk) for c in calls if c.state == CallState.WAITING_APPROVAL],
        "run": str(held.run_id),
    }
