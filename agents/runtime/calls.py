"""Moves of tool calls: one row locked under the fence, one event, one note each."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from agents.events import (
    CallClosed,
    CallFailed,
    CallRefused,
    CallSucceeded,
    CallUnknown,
    ConversationIdentified,
)
from agents.models import Conversation, ToolCall
from agents.runtime import handoffs, loops, timeline
from agents.runtime.held import Held
from agents.runtime.timeline import Frame, Note
from agents.states import FINAL_CALL, CallState, FrameKind, Identity, StopReason
from agents.tools.contracts import Tool
from audit.commands import record
from audit.events import Event
from console.kernel import canonical, clock
from console.kernel.actors import Actor
from console.kernel.transactions import command, query

LOOK_BACK = 24  # calls that the loop detector sees
MOST_CONTRACT_ERRORS = 3
CUSTOMER = "customer"  # the record kind that a conversation belongs to
LOOP_NOTE = "You have made this very call with this very result before. Try something else."


@query
def open_calls(*, actor: Actor, run_id: UUID) -> list[ToolCall]:
    """Return the calls of a run that are not settled, in the model's order."""
    return list(
        ToolCall.objects.filter(run_id=run_id)
        .exclude(state__in=FINAL_CALL)
        .order_by("step_seq", "index")
    )


@query
def one(*, actor: Actor, call_id: UUID) -> ToolCall:
    return ToolCall.objects.get(pk=call_id)


def locked(call_id: UUID) -> ToolCall:
    """Lock a call; the caller has passed the fence, so nobody else moves it."""
    return ToolCall.objects.select_for_update().get(pk=call_id)


def what(call: ToolCall, held: Held) -> dict[str, Any]:
    """Return the fields that every event about a call has."""
    return {
        "call_id": call.pk,
        "run_id": call.run_id,
        "conversation_id": held.about.conversation_id,
        "tool": call.tool,
        "args_digest": bytes(call.args_digest).hex(),
    }


def trace(call: ToolCall, **more: Any) -> dict[str, Any]:
    return {"call": str(call.pk), "tool": call.tool, "step": call.step_seq, **more}


def tell(held: Held, *frames: Frame) -> None:
    about = held.about
    timeline.say(about.conversation_id, about.run_id, about.tenant_id, *frames)


@command
def refuse(*, actor: Actor, held: Held, call_id: UUID, error: Mapping[str, Any]) -> None:
    """Close a call that never reached its tool; the model gets the reason with JSON pointers."""
    note = Note(type="call.refused", payload={"call": str(call_id), **error})
    timeline.step(held, note, keeps=True)
    call = locked(call_id)
    _close(call, CallState.REJECTED_BY_CONTRACT, error)
    record(CallRefused(**what(call, held), code=str(error["code"])), actor=actor)
    _stop_if_lost(held, call)


@command
def fail(*, actor: Actor, held: Held, call_id: UUID, error: Mapping[str, Any]) -> None:
    """Close a call that is known not to have happened."""
    note = Note(type="call.failed", payload={"call": str(call_id), **error})
    timeline.step(held, note, keeps=True)
    fail_row(held, locked(call_id), error)


def fail_row(held: Held, call: ToolCall, error: Mapping[str, Any]) -> None:
    """The same inside a transaction that has passed the fence."""
    asked = call.proposal_id is not None
    _close(call, CallState.FAILED, error)
    record(CallFailed(**what(call, held), code=str(error["code"])), actor=held.actor)
    if asked:
        text = f"This could not be done: {call.title}. Nothing was changed."
        tell(held, timeline.notice(FrameKind.FAILED, text, call=str(call.pk)))
    _stop_if_lost(held, call)


def close_row(held: Held, call: ToolCall, state: CallState, *, code: str, told: str) -> None:
    """Close a call that people, a clock or the end user stopped; `told` is what the model reads."""
    _close(call, state, {"code": code, "message": told})
    record(CallClosed(**what(call, held), state=state, code=code), actor=held.actor)


def succeed_row(
    held: Held, call: ToolCall, tool: Tool, result: Mapping[str, Any], *, duration_ms: int
) -> None:
    """Store a result inside a transaction that has passed the fence."""
    call.state = CallState.SUCCEEDED
    call.result = dict(result)
    call.result_digest = canonical.digest(result)
    call.error_code = ""
    call.evidence = list(tool.evidence)
    call.ended_at = clock.now()
    call.duration_ms = duration_ms
    verdict = _verdict(call)
    if verdict is loops.Verdict.NOTE:
        call.notes = [*call.notes, LOOP_NOTE]
    call.save()
    event: Event = CallSucceeded(
        **what(call, held), effect=tool.effect.value, result_digest=call.result_digest.hex()
    )
    record(event, actor=held.actor)
    _identify(held, tool, result)
    if tool.hands_off:
        handoffs.escalate(held, trigger="agent", reason=StopReason.HANDED_OFF, said=call.args)
    elif verdict is loops.Verdict.STOP:
        handoffs.escalate(held, trigger="loop", reason=StopReason.LOOP_DETECTED)


def unknown_row(held: Held, call: ToolCall, *, cause: str) -> None:
    """Nobody can know whether it happened; the call waits for a person."""
    call.state = CallState.UNKNOWN
    call.error_code = "call.unknown"
    call.save(update_fields=["state", "error_code"])
    record(CallUnknown(**what(call, held), cause=cause), actor=held.actor)


def _close(call: ToolCall, state: CallState, error: Mapping[str, Any]) -> None:
    call.state = state
    call.error_code = str(error["code"])
    call.result = dict(error)
    call.result_digest = canonical.digest(error)
    call.ended_at = clock.now()
    call.save()


def _stop_if_lost(held: Held, call: ToolCall) -> None:
    """Hand over to a person when the agent goes in circles or cannot form a call."""
    seen = _seen(call)
    if loops.contract_errors(seen) >= MOST_CONTRACT_ERRORS:
        handoffs.escalate(held, trigger="contract", reason=StopReason.CONTRACT_ERRORS)
    elif loops.look(seen) is loops.Verdict.STOP:
        handoffs.escalate(held, trigger="loop", reason=StopReason.LOOP_DETECTED)


def _verdict(call: ToolCall) -> loops.Verdict:
    return loops.look([*_seen(call), _reduced(call)])


def _seen(call: ToolCall) -> list[loops.Seen]:
    """Return the finished calls of the run, oldest first; the open one is not stored yet."""
    rows = ToolCall.objects.filter(run_id=call.run_id, state__in=FINAL_CALL)
    return [_reduced(row) for row in rows.order_by("-step_seq", "-index")[:LOOK_BACK]][::-1]


def _reduced(call: ToolCall) -> loops.Seen:
    code = call.error_code
    refused = call.state == CallState.REJECTED_BY_CONTRACT
    return loops.Seen(
        tool=call.tool,
        args=bytes(call.args_digest),
        result=bytes(call.result_digest or b""),
        error=f"contract.{code}" if refused else code,
    )


def _identify(held: Held, tool: Tool, result: Mapping[str, Any]) -> None:
    """Pin the customer that a lookup found; the conversation stays theirs."""
    customer = tool.resolved_id(result)
    if tool.resolves != CUSTOMER or not customer:
        return
    updated = Conversation.objects.filter(pk=held.about.conversation_id, customer="").update(
        customer=customer, identity_state=Identity.CLAIMED
    )
    if updated:
        record(
            ConversationIdentified(
                conversation_id=held.about.conversation_id, customer=customer, tool=tool.name
            ),
            actor=held.actor,
        )
