"""Takes the open calls of a run as far as they get, and says what they wait for.

What touches a tool, and what must hold around that, is the gate's.
"""

from agents.models import ToolCall
from agents.runtime import calls, dispatch, faults, gate, grouping, looking, proposing
from agents.runtime.gate import Waits
from agents.runtime.held import Held
from agents.runtime.promises import told
from agents.runtime.proposing import Settled
from agents.states import CallState, Confirmation
from agents.tools.contracts import Tool
from approvals.errors import Backpressure
from approvals.states import FEWEST_STEPS
from console.kernel.errors import ConsoleError


def settle(held: Held) -> set[Waits]:
    """Take every open call of the run as far as it gets; returns what is waited for.

    Raises:
        Fenced: another worker has the run.
        Parked: a switch stands against the next act.
    """
    waits: set[Waits] = set()
    for call in calls.open_calls(actor=held.actor, run_id=held.run_id):
        outcome = _advance(held, call)
        if outcome is Waits.NOT_MINE:
            return {outcome}
        if outcome is not Waits.NOTHING:
            waits.add(outcome)
    return waits


def _advance(held: Held, call: ToolCall) -> Waits:
    match CallState(call.state):
        case CallState.PROPOSED:
            return _begin(held, call)
        case CallState.WAITING_APPROVAL | CallState.APPROVED:
            return _continue(held, call)
        case CallState.EXECUTING:
            return gate.recover(held, call)
        case CallState.UNKNOWN:
            return Waits.RECONCILIATION
        case _:
            return Waits.NOTHING


def _begin(held: Held, call: ToolCall) -> Waits:
    """Check the call against its contract; then read at once, or ask for agreement."""
    if held.about.plan_writes:
        call = calls.one(actor=held.actor, call_id=call.pk)
        if call.state != CallState.PROPOSED:  # the plan of an earlier call has taken it along
            return _advance(held, call)
    tool = gate.checked(held, call)
    if tool is None:
        return gate.mine(held)
    if not tool.writes:
        gate.read(held, call, tool)
        return gate.mine(held)
    if call.confirmation == Confirmation.ASKED:
        return Waits.USER
    group = grouping.beside(held, call)
    return _plan(held, [call, *group]) if group else _propose(held, call, tool)


# --- writes: agreement


def _propose(held: Held, call: ToolCall, tool: Tool) -> Waits:
    try:
        looked = None if tool.is_ours else looking.look(held, call, tool)
        settled = gate.propose_now(actor=held.actor, held=held, call=call, tool=tool, looked=looked)
    except Backpressure:
        return Waits.ROOM  # nothing was stored: the call is proposed as if for the first time
    except ConsoleError as refusal:
        gate.raise_if_stopped(refusal)
        calls.fail(actor=held.actor, held=held, call_id=call.pk, error=told(refusal))
        return gate.mine(held)
    return _after(held, call, settled)


def _plan(held: Held, group: list[ToolCall]) -> Waits:
    """Put several writes of one answer before people as one plan, in the model's order."""
    found = [(one, gate.checked(held, one)) for one in group]
    members = [(one, tool) for one, tool in found if tool is not None]
    if gate.mine(held) is Waits.NOT_MINE:
        return Waits.NOT_MINE
    if any(one.confirmation == Confirmation.ASKED for one, _ in members):
        return Waits.USER
    refused = [one for one in members if one[0].confirmation == Confirmation.REFUSED]
    if refused or len(members) < FEWEST_STEPS:
        # What the end user declined is closed; a single change is a proposal of its own.
        alone = [_propose(held, one, tool) for one, tool in refused or members]
        return _begin(held, group[0]) if refused else alone[-1]
    try:
        looked = looking.look_all(held, members)
        settled = gate.plan_now(actor=held.actor, held=held, members=members, looked=looked)
    except Backpressure:
        return Waits.ROOM
    except grouping.Misfit as wrong:
        gate.raise_if_stopped(wrong.refusal)
        calls.fail(actor=held.actor, held=held, call_id=wrong.call_id, error=told(wrong.refusal))
        return gate.mine(held) or _begin(held, group[0])
    return _after(held, group[0], settled)


def _after(held: Held, call: ToolCall, settled: Settled) -> Waits:
    match settled:
        case Settled.ASKED_USER:
            return Waits.USER
        case Settled.WAITS:
            return Waits.APPROVAL
        case Settled.ALLOWED:
            return _advance(held, calls.one(actor=held.actor, call_id=call.pk))
        case Settled.CLOSED:
            return gate.mine(held)


# --- writes: execution


def _continue(held: Held, call: ToolCall) -> Waits:
    """Go on with a call whose proposal may have been decided."""
    settled = proposing.decided(actor=held.actor, held=held, call_id=call.pk)
    if settled is not Settled.ALLOWED:
        return _after(held, call, settled)
    try:
        tool = gate.fitting(held, call)
    except ConsoleError as refusal:
        # The promise was changed or taken away since: what people agreed to is not what would run.
        dispatch.give_up(actor=held.actor, held=held, call_id=call.pk, error=told(refusal))
        return gate.mine(held)
    if tool.is_ours:
        return _execute_inside(held, call, tool)
    return _execute_outside(held, call, tool)


def _execute_inside(held: Held, call: ToolCall, tool: Tool) -> Waits:
    """Run a write of our own database: mark, effect and result commit together or not at all."""
    try:
        settled = gate.mark_apply_store(actor=held.actor, held=held, call=call, tool=tool)
    except ConsoleError as refusal:
        gate.raise_if_stopped(refusal)
        dispatch.give_up(actor=held.actor, held=held, call_id=call.pk, error=told(refusal))
        return gate.mine(held)
    faults.reached(faults.Point.P6)
    return _after(held, call, settled)


def _execute_outside(held: Held, call: ToolCall, tool: Tool) -> Waits:
    """Run a write elsewhere: the mark commits first, so that a crash leaves a trace."""
    try:
        settled = gate.look_and_mark(held, call, tool)
    except ConsoleError as refusal:
        gate.raise_if_stopped(refusal)
        dispatch.give_up(actor=held.actor, held=held, call_id=call.pk, error=told(refusal))
        return gate.mine(held)
    if settled is None:
        return Waits.CALM
    if settled is not Settled.ALLOWED:
        return _after(held, call, settled)
    return gate.effect(held, calls.one(actor=held.actor, call_id=call.pk), tool)
