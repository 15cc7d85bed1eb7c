"""The only caller of a tool: what must hold before, around and after it, in order.

permit, contract, scope, budget, loop, approve, mark, timeout, the tool, output, redact, store. A
read runs at once. A write is asked of the end user where the version says so, put before people,
and run exactly as it was agreed: in one transaction with its mark and its result if it changes our
own database, else between two, with a key, and only on a look at its target a moment before.
"""

import time
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import connection

from agents.controls.cards import Answer
from agents.controls.permits import STATEMENT_LIMIT_MS, require_permitted
from agents.controls.states import Point
from agents.errors import Parked
from agents.events import CallStarted
from agents.models import ToolCall
from agents.runtime import (
    calls,
    dispatch,
    faults,
    following,
    grouping,
    outside,
    proposing,
    sealing,
    timeline,
)
from agents.runtime.calling import apply_of, run_inside, run_of, run_outside
from agents.runtime.held import Held
from agents.runtime.looking import MOST_LOOKS, LookAgain, Looked, context, look, planned
from agents.runtime.promises import told, tool_of
from agents.runtime.proposing import Settled
from agents.runtime.timeline import Note
from agents.tools import registry
from agents.tools.contracts import Idempotency, Result, Tool, ToolContext
from agents.tools.errors import Drifted, InvalidArguments, Problem
from approvals.policies.planning import overlaid
from approvals.states import DispatchState
from console.kernel import canonical
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError, Refusal
from console.kernel.transactions import command, query

log = structlog.get_logger(__name__)

STOPPED: Final = "stop."  # codes of switches: the run is parked, the call is not refused
MOST_ATTEMPTS: Final = 3


class Waits(StrEnum):
    """What a call waits for; "" is nothing."""

    NOTHING = ""
    APPROVAL = "approval"
    USER = "user"
    ROOM = "room"  # too many requests wait for people already; it is tried again in a while
    CALM = "calm"  # locks were held for longer than a look at a target is good for; as with room
    RECONCILIATION = "reconciliation"
    NOT_MINE = "not_mine"  # the run was handed over while this call was settled


def mine(held: Held) -> Waits:
    """Say whether the run is still ours: storing a result may have handed it to a person."""
    ours = timeline.holds(actor=held.actor, held=held)
    return Waits.NOTHING if ours else Waits.NOT_MINE


def checked(held: Held, call: ToolCall) -> Tool | None:
    """Return the tool if the call fits its contract; else the call is closed with the reason."""
    try:
        return fitting(held, call)
    except ConsoleError as refusal:
        calls.refuse(actor=held.actor, held=held, call_id=call.pk, error=told(refusal))
        return None


def fitting(held: Held, call: ToolCall) -> Tool:
    """Return the tool of a call that keeps its contract: known, well formed, within its rights."""
    tool = tool_of(held, call)
    if call.raw:
        problem = Problem(pointer="", keyword="type", sentence="this has to be a JSON object.")
        raise InvalidArguments(tool.name, (problem,))
    tool.validate(sealing.opened(call, tool, held.actor))
    tool.require_scopes(ToolContext(actor=held.actor, scopes=held.about.scopes))
    return tool


# --- reads


def read(held: Held, call: ToolCall, tool: Tool) -> None:
    started = time.monotonic()
    try:
        result = _fetch(held, call, tool) if tool.egress else _look(held, call, tool)
    except ConsoleError as refusal:
        raise_if_stopped(refusal)
        calls.fail(actor=held.actor, held=held, call_id=call.pk, error=told(refusal))
        return
    _store_read(actor=held.actor, held=held, call=call, tool=tool, found=(result, _ms(started)))
    faults.reached(faults.Point.P6)


def _look(held: Held, call: ToolCall, tool: Tool) -> Result:
    """Run a read of our own database in a read-only transaction: it cannot write."""
    return _guarded_read(actor=held.actor, held=held, call=call, tool=tool)


def _fetch(held: Held, call: ToolCall, tool: Tool) -> Result:
    """Run a read of somebody else's system, outside of every transaction."""
    _permit_read(actor=held.actor, held=held, tool=tool)
    ctx = context(actor=held.actor, held=held, call=call, tool=tool)
    return run_outside(tool, ctx, call.runs_with)


@query
def _permit_read(*, actor: Actor, held: Held, tool: Tool) -> None:
    fields = held.about.fields(tool=tool.name, tier=tool.tier)
    require_permitted(Point.TOOL_CALL, fields, guard=True)


@query
def _guarded_read(*, actor: Actor, held: Held, call: ToolCall, tool: Tool) -> Result:
    fields = held.about.fields(tool=tool.name, tier=tool.tier)
    require_permitted(Point.TOOL_CALL, fields, guard=True)
    _limit(tool)
    ctx = context(actor=actor, held=held, call=call, tool=tool)
    return tool.validate_result(run_inside(tool, lambda: run_of(tool)(ctx, call.args)))


def _limit(tool: Tool) -> None:
    """Have PostgreSQL cancel what is over the tool's time; a guard's own limit is never raised."""
    limit_ms = tool.timeout_s * 1000
    if limit_ms >= int(STATEMENT_LIMIT_MS):
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(limit_ms)])


@command
def _store_read(
    *, actor: Actor, held: Held, call: ToolCall, tool: Tool, found: tuple[Result, int]
) -> None:
    result, took_ms = found
    note = Note(type="call.succeeded", payload=calls.trace(call, ms=took_ms))
    timeline.step(held, note, keeps=True)
    row = calls.locked(call.pk)
    row.attempt += 1
    calls.succeed_row(held, row, tool, result, duration_ms=took_ms)


# --- writes: agreement


@command
def propose_now(
    *, actor: Actor, held: Held, call: ToolCall, tool: Tool, looked: Looked | None
) -> Settled:
    fields = held.about.fields(tool=tool.name, tier=tool.tier)
    require_permitted(Point.PROPOSAL_OPEN, fields, guard=True)
    following.require_new(call)
    _limit(tool)
    ctx = context(actor=actor, held=held, call=call, tool=tool)
    found = planned(ctx, call, tool, lock=False, looked=looked)
    return proposing.propose(held, call.pk, tool, found)


@command
def plan_now(
    *,
    actor: Actor,
    held: Held,
    members: list[tuple[ToolCall, Tool]],
    looked: Mapping[UUID, Looked],
) -> Settled:
    for tool in {tool.name: tool for _, tool in members}.values():
        fields = held.about.fields(tool=tool.name, tier=tool.tier)
        require_permitted(Point.PROPOSAL_OPEN, fields, guard=True)
    left: dict[str, dict[str, dict[str, Any]]] = {}
    contents: list[grouping.Member] = []
    for call, tool in members:
        try:
            following.require_new(call)
            _limit(tool)
            ctx = context(actor=actor, held=held, call=call, tool=tool)
            found = planned(ctx, call, tool, lock=False, left=left, looked=looked.get(call.pk))
        except ConsoleError as refusal:
            raise grouping.Misfit(call.pk, refusal) from refusal
        left = overlaid(left, found.content(tool))
        contents.append(grouping.Member(call_id=call.pk, tool=tool, planned=found))
    return grouping.propose(held, contents)


# --- writes: execution


@command
def mark_apply_store(*, actor: Actor, held: Held, call: ToolCall, tool: Tool) -> Settled:
    started = time.monotonic()
    answer = _permit_effect(held, tool)
    timeline.step(held, Note(type="call.executing", payload=calls.trace(call)), keeps=True)
    row = calls.locked(call.pk)
    _limit(tool)
    ctx = context(actor=actor, held=held, call=row, tool=tool)
    found = planned(ctx, row, tool, lock=True)
    claim = dispatch.claim(held, row, tool, found)
    if claim.settled is not Settled.ALLOWED:
        return claim.settled
    dispatch.mark(row, held, epoch=answer.epoch)
    faults.reached(faults.Point.P4)
    makes = sealing.opened_image(row, tool, actor, found.after)
    applied = run_inside(tool, lambda: apply_of(tool)(ctx, found.before, makes))
    applied = tool.validate_result(applied)
    faults.reached(faults.Point.P5)
    row.after = found.after
    calls.succeed_row(held, row, tool, applied, duration_ms=_ms(started))
    dispatch.report(held, row, claim, DispatchState.SUCCEEDED)
    return Settled.CLOSED


def _permit_effect(held: Held, tool: Tool) -> Answer:
    """Take the stop lock before any other, and refuse what a switch forbids."""
    fields = held.about.fields(tool=tool.name, tier=tool.tier)
    require_permitted(Point.TOOL_CALL, fields, guard=True)
    return require_permitted(Point.PROPOSAL_DISPATCH, fields, guard=True)


def look_and_mark(held: Held, call: ToolCall, tool: Tool) -> Settled | None:
    """Mark a write outside on a look at its target that is seconds old; None: not to be had now."""
    for _ in range(MOST_LOOKS):
        looked = look(held, call, tool)
        try:
            return mark(actor=held.actor, held=held, call=call, tool=tool, looked=looked)
        except LookAgain:
            log.info("call.look_again", tool=tool.name)
    return None


@command
def mark(*, actor: Actor, held: Held, call: ToolCall, tool: Tool, looked: Looked) -> Settled:
    """Take the one dispatch on the word of a look, if that is lately enough and about this call.

    Raises:
        LookAgain: it is not; nothing was stored.
    """
    answer = _permit_effect(held, tool)
    timeline.step(held, Note(type="call.executing", payload=calls.trace(call)))
    row = calls.locked(call.pk)
    if canonical.dumps(row.runs_with) != canonical.dumps(looked.args):
        raise LookAgain
    ctx = context(actor=actor, held=held, call=row, tool=tool)
    found = planned(ctx, row, tool, lock=True, looked=looked)
    claim = dispatch.claim(held, row, tool, found, seen_at=looked.at)
    if claim.settled is Settled.ALLOWED:
        row.after = found.after
        dispatch.mark(row, held, epoch=answer.epoch)
        event = CallStarted(**calls.what(row, held), attempt=row.attempt)
        proposing.say(held, event)
    return claim.settled


def effect(held: Held, call: ToolCall, tool: Tool) -> Waits:
    started = time.monotonic()
    faults.reached(faults.Point.P4)
    try:
        ctx = context(actor=held.actor, held=held, call=call, tool=tool)
        result = run_outside(tool, ctx, sealing.opened(call, tool, held.actor))
    except ConsoleError as refusal:
        return _not_done(held, call, tool, refusal)
    faults.reached(faults.Point.P5)
    outside.store_outside(
        actor=held.actor, held=held, call_id=call.pk, tool=tool, found=(result, _ms(started))
    )
    faults.reached(faults.Point.P6)
    return mine(held)


def _not_done(held: Held, call: ToolCall, tool: Tool, refusal: ConsoleError) -> Waits:
    """Settle an outside write that gave no result: refused by the target, or nobody knows."""
    if isinstance(refusal, Drifted):
        return _drifted(held, call, refusal)
    sure = refusal.kind in (Refusal.CONFLICT, Refusal.INVALID, Refusal.MISSING)
    if not sure and tool.idempotency is Idempotency.NATIVE and call.attempt < _attempts(tool):
        return recover(held, call)
    outside.store_failure(
        actor=held.actor, held=held, call_id=call.pk, error=told(refusal), known=sure
    )
    return mine(held) if sure else Waits.RECONCILIATION


def _drifted(held: Held, call: ToolCall, refusal: Drifted) -> Waits:
    """Settle a write whose target has another version than people saw.

    A repeated attempt may meet what the first one did, so then nobody knows.
    """
    if call.attempt > 1:
        outside.store_failure(
            actor=held.actor, held=held, call_id=call.pk, error=told(refusal), known=False
        )
        return Waits.RECONCILIATION
    outside.store_drift(actor=held.actor, held=held, call_id=call.pk)
    return mine(held)


def _attempts(tool: Tool) -> int:
    return max(tool.retry.attempts, MOST_ATTEMPTS)


def recover(held: Held, call: ToolCall) -> Waits:
    """Settle a call that was executing when its worker died: same key again, or a person."""
    tool = registry.get(call.tool)
    if tool.idempotency is Idempotency.NATIVE and call.attempt < _attempts(tool):
        again = outside.mark_again(actor=held.actor, held=held, call_id=call.pk)
        return effect(held, again, tool)
    outside.store_failure(
        actor=held.actor,
        held=held,
        call_id=call.pk,
        error={"code": "call.unknown", "message": "The worker died while this call ran."},
        known=False,
    )
    return Waits.RECONCILIATION


def raise_if_stopped(refusal: ConsoleError) -> None:
    """Turn the refusal of a switch into parking: the call keeps its state."""
    if refusal.code.startswith(STOPPED):
        raise Parked(
            refusal.message,
            switch_id=str(refusal.details.get("switch_id") or ""),
            epoch=int(str(refusal.details.get("epoch") or 0)),
        )


def _ms(started: float) -> int:
    return int((time.monotonic() - started) * 1000)
