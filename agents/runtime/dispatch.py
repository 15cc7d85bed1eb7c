"""The one dispatch of a write: claim it, mark it, report how it ended, or give it up.

What people saw is what runs: a target that changed goes back to them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from agents.models import ToolCall
from agents.runtime import calls, endings, following, timeline
from agents.runtime.held import Held
from agents.runtime.looking import LookAgain
from agents.runtime.proposing import Planned, Settled, bind, close
from agents.runtime.timeline import Note
from agents.runtime.transcript import REFUSALS
from agents.states import CallState, FrameKind
from agents.tools.contracts import Tool
from approvals import commands as approvals
from approvals.cards import Claimed, Content, NotClaimed
from approvals.states import SEEN_TOO_EARLY, DispatchState, ProposalState
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError
from console.kernel.transactions import command


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Whether the one dispatch was had."""

    settled: Settled
    dispatch_id: UUID | None = None


def claim(
    held: Held, call: ToolCall, tool: Tool, planned: Planned, *, seen_at: datetime | None = None
) -> Claim:
    """Take the one permission to execute; a changed target goes back to people.

    Args:
        seen_at: when a target outside was looked at; None where it is ours and locked.

    Raises:
        LookAgain: that is too long ago.
    """
    if call.proposal_id is None:
        raise LookupError("A write without a proposal reached its dispatch.")
    content = planned.content(tool)
    claimed = approvals.claim_dispatch(
        actor=held.actor,
        proposal_id=call.proposal_id,
        call_key=call.idempotency_key,
        content=content,
        seen_at=seen_at,
    )
    if isinstance(claimed, Claimed):
        endings.tell(held.about.conversation_id, call)
        return Claim(settled=Settled.ALLOWED, dispatch_id=claimed.dispatch_id)
    if claimed.code == SEEN_TOO_EARLY:
        raise LookAgain
    return _not_had(held, call, call.proposal_id, content, claimed)


def _not_had(
    held: Held, call: ToolCall, proposal_id: UUID, content: Content, claimed: NotClaimed
) -> Claim:
    """Follow what became of the proposal of a locked call."""
    if claimed.state is ProposalState.STALE:
        return _asked_again(held, call, proposal_id, content)
    if endings.of_call(call) in endings.CLOSES:
        close(held, call)
        return Claim(settled=Settled.CLOSED)
    if claimed.code == "dispatch.other_call" and following.is_behind(call, proposal_id):
        return Claim(settled=Settled.WAITS)  # edited and agreed to meanwhile; it is followed first
    if claimed.code == "dispatch.other_call":
        # Not what people agreed to: a bug or an attack, recorded by approvals. It never runs.
        approvals.withdraw(actor=held.actor, proposal_id=proposal_id, cause=claimed.code)
        close(held, call)
        return Claim(settled=Settled.CLOSED)
    if claimed.state is ProposalState.OPEN:
        # Reopened in this transaction: a voter lost the right to vote, or the rules ask for more.
        call.state = CallState.WAITING_APPROVAL
        call.save(update_fields=["state"])
    return Claim(settled=Settled.WAITS)


def _asked_again(held: Held, call: ToolCall, proposal_id: UUID, content: Content) -> Claim:
    """Put the new difference before people: what they saw is not what would run."""
    try:
        card = approvals.refresh(actor=held.actor, proposal_id=proposal_id, content=content)
    except ConsoleError:
        approvals.withdraw(actor=held.actor, proposal_id=proposal_id, cause="drift")
        calls.close_row(
            held, call, CallState.WITHDRAWN, code="approval.drift", told=REFUSALS["approval.drift"]
        )
        return Claim(settled=Settled.CLOSED)
    bind(call, content)
    call.state = CallState.WAITING_APPROVAL
    call.save()
    if card.state is not ProposalState.OPEN:
        return Claim(settled=Settled.WAITS)  # a rule carries it as it is now; nobody is asked
    text = f"The record changed meanwhile, so people are asked again: {call.title}."
    frame = timeline.notice(FrameKind.WAITING, text, call=str(call.pk), needs=card.needs)
    calls.tell(held, frame)
    return Claim(settled=Settled.WAITS)


def mark(call: ToolCall, held: Held, *, epoch: int) -> None:
    """Write the mark ahead of the effect: run epoch, switch epoch, attempt."""
    call.state = CallState.EXECUTING
    call.attempt += 1
    call.epoch = held.epoch
    call.switch_epoch = epoch
    call.started_at = clock.now()
    call.save()


def report(held: Held, call: ToolCall, claim: Claim, outcome: DispatchState) -> None:
    """Tell approvals how the execution ended, and the end user that it is done."""
    if claim.dispatch_id is not None:
        approvals.report_outcome(
            actor=held.actor,
            dispatch_id=claim.dispatch_id,
            outcome=outcome,
            after=call.after or {},
            evidence={"call": str(call.pk), "result": bytes(call.result_digest or b"").hex()},
        )
    if outcome is DispatchState.SUCCEEDED:
        text = f"Done: {call.title}."
        calls.tell(held, timeline.notice(FrameKind.EXECUTED, text, call=str(call.pk)))


@command
def give_up(*, actor: Actor, held: Held, call_id: UUID, error: Mapping[str, Any]) -> None:
    """Close a call that was agreed to and cannot be carried out; the tool changed nothing."""
    timeline.step(held, Note(type="call.failed", payload={"call": str(call_id), **error}))
    call = calls.locked(call_id)
    if call.proposal_id is not None:
        approvals.withdraw(
            actor=actor, proposal_id=call.proposal_id, cause=f"failed: {error['code']}"
        )
    calls.fail_row(held, call, error)
