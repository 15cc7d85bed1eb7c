"""Effects outside of our database: marked ahead, stored by the call's own epoch, or unknown."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from agents.events import CallStarted
from agents.models import ToolCall
from agents.runtime import calls, timeline
from agents.runtime.dispatch import Claim, report
from agents.runtime.held import Held
from agents.runtime.proposing import Settled, say
from agents.runtime.timeline import Note
from agents.runtime.transcript import REFUSALS
from agents.states import CallState, FrameKind
from agents.tools.contracts import Result, Tool
from approvals import commands as approvals
from approvals import queries as desk
from approvals.states import DispatchState
from console.kernel import canonical, clock
from console.kernel.actors import Actor, system
from console.kernel.transactions import command


@command
def mark_again(*, actor: Actor, held: Held, call_id: UUID) -> ToolCall:
    """Mark another attempt with the same key; only for targets that honour keys."""
    timeline.step(held, Note(type="call.repeated", payload={"call": str(call_id)}))
    call = calls.locked(call_id)
    call.attempt += 1
    call.epoch = held.epoch
    call.save(update_fields=["attempt", "epoch"])
    say(held, CallStarted(**calls.what(call, held), attempt=call.attempt))
    return call


@command
def store_outside(
    *, actor: Actor, held: Held, call_id: UUID, tool: Tool, found: tuple[Result, int]
) -> None:
    """Store what an outside write gave; fenced on the call's own epoch, not on the run's."""
    result, took_ms = found
    call = calls.locked(call_id)
    if call.state != CallState.EXECUTING or call.epoch != held.epoch:
        return
    calls.succeed_row(held, call, tool, result, duration_ms=took_ms)
    report(held, call, claimed(actor, call), DispatchState.SUCCEEDED)


@command
def store_failure(
    *, actor: Actor, held: Held, call_id: UUID, error: Mapping[str, Any], known: bool
) -> None:
    """Store that an outside write failed, or that nobody knows whether it happened."""
    call = calls.locked(call_id)
    if call.state != CallState.EXECUTING:
        return
    claim = claimed(actor, call)
    if known:
        calls.fail_row(held, call, error)
        report(held, call, claim, DispatchState.FAILED)
        return
    calls.unknown_row(held, call, cause=str(error["code"]))
    report(held, call, claim, DispatchState.UNKNOWN)


@command
def store_drift(*, actor: Actor, held: Held, call_id: UUID) -> None:
    """Store that the target refused an outside write, because it is another one than people saw."""
    call = calls.locked(call_id)
    if call.state != CallState.EXECUTING or call.epoch != held.epoch:
        return
    claim = claimed(actor, call)
    told = REFUSALS["approval.drifted"]
    calls.close_row(held, call, CallState.WITHDRAWN, code="approval.drifted", told=told)
    text = f"The record changed in the last moment: {call.title}. Nothing was changed."
    calls.tell(held, timeline.notice(FrameKind.FAILED, text, call=str(call.pk)))
    report(held, call, claim, DispatchState.STALE)


def claimed(actor: Actor, call: ToolCall) -> Claim:
    if call.proposal_id is None:
        return Claim(settled=Settled.ALLOWED)
    reader = system("agents.gate", actor.tenant_id)
    found = desk.proposal(actor=reader, proposal_id=call.proposal_id).dispatch
    return Claim(settled=Settled.ALLOWED, dispatch_id=found.id if found else None)


def settle_unknown(*, actor: Actor, call: ToolCall, happened: bool, result: str) -> None:
    """Close an unknown call by a person's word, and tell approvals."""
    call.state = CallState.SUCCEEDED if happened else CallState.FAILED
    call.result = (
        {"reconciled": result[:2000] or "A person confirmed that it happened."}
        if happened
        else {"code": "call.did_not_happen", "message": "A person found that it did not happen."}
    )
    call.result_digest = canonical.digest(call.result)
    call.error_code = "" if happened else "call.did_not_happen"
    call.ended_at = clock.now()
    call.save()
    claim = claimed(actor, call)
    if claim.dispatch_id is not None:
        approvals.report_outcome(
            actor=actor,
            dispatch_id=claim.dispatch_id,
            outcome=DispatchState.SUCCEEDED if happened else DispatchState.FAILED,
            after=(call.after or {}) if happened else (call.before or {}),
            evidence={"call": str(call.pk), "by": actor.label},
        )
