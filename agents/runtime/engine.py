"""Advance one run: claim it, settle its calls, ask the model, until it waits or ends.

No lock, transaction or connection is held between the named transactions, and any worker can go on
from what they stored. See runtime.md, section 5: P1 to P6 are the points where a worker may die.
"""

import time
import traceback
from datetime import timedelta
from enum import StrEnum
from random import SystemRandom
from typing import Final
from uuid import UUID

import structlog

from agents.errors import Fenced, ModelFailed, Parked
from agents.llm import door
from agents.llm.door import Answer, ModelCall
from agents.runtime import faults, fence, proposing, settling, stepping, transcript
from agents.runtime.gate import STOPPED, Waits
from agents.runtime.held import Held
from agents.runtime.timeline import Note
from agents.runtime.transcript import Prepared
from agents.states import RunState
from console.kernel import clock, live, logs
from console.kernel.actors import Actor, system
from console.kernel.errors import ConsoleError
from console.kernel.transactions import command

log = structlog.get_logger(__name__)

SLICE_S: Final = 60.0
SLICE_STEPS: Final = 10
ROOM_S: Final = 30.0  # until a run asks again for what there was no room for


class Progress(StrEnum):
    """How a slice ended."""

    NOT_MINE = "not_mine"  # another worker has it, or it may not run: nothing was written
    WAITS = "waits"
    ENDED = "ended"
    HANDED_BACK = "handed_back"
    FENCED = "fenced"
    PAUSED = "paused"
    FAILED = "failed"


def advance(*, tenant_id: UUID, run_id: UUID, worker: str = "") -> Progress:
    """Advance a run for one slice; safe to call twice, from anywhere, at once."""
    actor = system("agents.engine", tenant_id)
    about = fence.about(actor=actor, run_id=run_id)
    held = fence.claim(actor=actor, about=about, worker=worker or fence.worker_name())
    if held is None:
        return Progress.NOT_MINE
    logs.bind(run=str(run_id), tenant=str(tenant_id))
    if held.epoch > 1:
        # Whatever a dead attempt had streamed is no answer.
        live.reset(run_id, epoch=held.epoch)
    try:
        with fence.kept_alive(held):
            return _work(held)
    except Fenced as lost:
        log.warning("run.fenced", mine=lost.mine, theirs=lost.theirs)
        return Progress.FENCED
    except Parked as stop:
        return _parked(held, stop)
    except Exception:
        log.exception("run.slice_failed")
        fence.hand_back(actor=held.actor, held=held, error=traceback.format_exc())
        return Progress.FAILED


def _parked(held: Held, stop: Parked) -> Progress:
    if held.lost.is_set():
        log.warning("run.fenced", mine=held.epoch, theirs=None)
        return Progress.FENCED
    if not stop.switch_id:
        # No switch of this tenant: a stop file, or state that cannot be read. The reaper asks
        # again.
        fence.hand_back(actor=held.actor, held=held, error=stop.sentence)
        return Progress.PAUSED
    fence.pause(actor=held.actor, held=held, switch_id=UUID(stop.switch_id), cause=stop.sentence)
    return Progress.PAUSED


def _work(held: Held) -> Progress:
    started = time.monotonic()
    for _ in range(SLICE_STEPS):
        waits = settling.settle(held)
        if Waits.NOT_MINE in waits:
            return Progress.ENDED
        if waits:
            park(actor=held.actor, held=held, waits=waits)
            return Progress.WAITS
        over = _step(held)
        if over is not None:
            return over
        if time.monotonic() - started > SLICE_S:
            break
    fence.hand_back(actor=held.actor, held=held)
    return Progress.HANDED_BACK


def _step(held: Held) -> Progress | None:
    """Ask the model once; None means that there is more to do."""
    prepared = transcript.prepared(actor=held.actor, about=held.about)
    try:
        fits = stepping.reserve(actor=held.actor, held=held, max_tokens=prepared.request.max_tokens)
        if not fits:
            return Progress.ENDED
        call = stepping.model_call(held)
        started = time.monotonic()
        answer = _asked(held, prepared, call)
        took_ms = int((time.monotonic() - started) * 1000)
        faults.reached(faults.Point.P2)
        kept = stepping.keep(held, prepared, answer, call, took_ms=took_ms)
    except ModelFailed as failure:
        log.warning("model.failed", reason=failure.reason)
        stepping.back_off(actor=held.actor, held=held, failure=failure)
        return Progress.WAITS
    except ConsoleError as refusal:
        if not refusal.code.startswith(STOPPED):
            raise
        raise Parked(
            refusal.message, switch_id=str(refusal.details.get("switch_id") or "")
        ) from refusal
    faults.reached(faults.Point.P3)
    return Progress.ENDED if kept.ended else None


def _asked(held: Held, prepared: Prepared, call: ModelCall) -> Answer:
    model = door.provider_of(held.about.model_policy)
    faults.reached(faults.Point.P1)
    answer = door.ask(model, prepared.request, call)
    if not answer.text and not answer.uses and answer.reason == "end":
        raise ModelFailed("empty", "The provider answered nothing.")
    return answer


@command
def park(*, actor: Actor, held: Held, waits: set[Waits]) -> None:
    """Give the worker back until people, the end user or a reconciliation answer.

    A decision that committed while this run was still running found nobody waiting, so it is looked
    for again under the row lock.
    """
    state = _state_for(waits)
    timed = {"due_at": clock.now() + _room_in()} if state is RunState.WAITING_TIMER else {}
    fence.park(
        held,
        state=state,
        cause=", ".join(sorted(waits)),
        note=Note(type="run.waits", payload={"for": sorted(waits)}),
        **timed,
    )
    if Waits.APPROVAL in waits and proposing.any_decided(actor=actor, run_id=held.run_id):
        fence.resume(actor=actor, run_id=held.run_id, cause="decided meanwhile")


def _state_for(waits: set[Waits]) -> RunState:
    if Waits.RECONCILIATION in waits:
        return RunState.NEEDS_RECONCILIATION
    if Waits.USER in waits:
        return RunState.WAITING_USER  # room is asked for again when they have answered
    if waits & {Waits.ROOM, Waits.CALM}:
        return RunState.WAITING_TIMER  # a decision about another of its calls wakes it sooner
    return RunState.WAITING_APPROVAL


def _room_in() -> timedelta:
    """Return when to ask again for room; not all runs that wait for it at the same moment."""
    return timedelta(seconds=SystemRandom().uniform(ROOM_S / 2, ROOM_S * 1.5))
