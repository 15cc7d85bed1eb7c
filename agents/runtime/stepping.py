"""One step of a run around the model: set aside, ask, and keep the answer under the fence."""

from dataclasses import dataclass
from datetime import timedelta
from secrets import SystemRandom
from typing import Any, Final

from django.db import connection

from agents.controls.permits import require_permitted
from agents.controls.states import Point
from agents.errors import Fenced, ModelFailed
from agents.events import ModelAnswered
from agents.llm import door
from agents.llm.door import Answer, ModelCall
from agents.llm.ports import ToolUse
from agents.models import Message, Run, RunTotal, ToolCall
from agents.runtime import fence, handoffs, sealing, timeline
from agents.runtime.held import Held
from agents.runtime.timeline import Frame, Note
from agents.runtime.transcript import Prepared
from agents.states import FrameKind, Role, RunState, StopReason
from agents.tools import registry
from agents.tools.contracts import Tool
from agents.tools.errors import UnknownTool
from audit.commands import record
from console.kernel import canonical, clock
from console.kernel.actors import Actor
from console.kernel.ids import uuid7
from console.kernel.transactions import command

LONGEST_WAIT_S: Final = 8.0
FIRST_WAIT_S: Final = 0.5
NAME_LENGTH: Final = 100
# A provider that says these may answer the next time; anything else will not.
WORTH_REPEATING: Final = frozenset(
    {"rate_limited", "overloaded", "timeout", "connection", "cut", "bad_answer", "empty"}
)

# The lock comes before the comparison, so `fits` is about the very row that is changed.
_COUNT: Final = """
    WITH was AS (
        SELECT id, tool_calls + %(calls)s <= tool_calls_cap AS fits FROM agents_run_total
        WHERE root_id = %(root)s FOR NO KEY UPDATE
    )
    UPDATE agents_run_total AS total
    SET tokens = LEAST(tokens + %(tokens)s, tokens_cap),
        active_ms = LEAST(active_ms + %(ms)s, active_ms_cap),
        tool_calls = tool_calls + CASE WHEN fits THEN %(calls)s ELSE 0 END
    FROM was WHERE was.id = total.id
    RETURNING fits, (SELECT head_seq FROM agents_conversation WHERE id = %(conversation)s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What became of an answer."""

    ended: bool  # nothing is left to do: the run is over, or with a person


@command
def reserve(*, actor: Actor, held: Held, max_tokens: int) -> bool:
    """Set one model call aside from the caps of the run tree; False: it went to a person instead.

    Raises:
        Stopped: a switch forbids model calls of this run.
    """
    door.reserve(actor=actor, fields=held.about.fields())
    timeline.pass_fence(held)
    limit = _limit(held, max_tokens)
    if limit is None:
        return True
    handoffs.escalate(held, trigger="limit", reason=limit)
    return False


def _limit(held: Held, max_tokens: int) -> StopReason | None:
    """Count the step, or return the cap that it does not fit into."""
    total = RunTotal.objects.select_for_update().get(root_id=held.about.root_id)
    deadline = Run.objects.values_list("deadline_at", flat=True).get(pk=held.run_id)
    if deadline is not None and clock.now() >= deadline:
        return StopReason.DEADLINE
    if total.steps >= total.steps_cap:
        return StopReason.MAX_STEPS
    if total.active_ms >= total.active_ms_cap:
        return StopReason.ACTIVE_TIME
    if total.tokens + max_tokens > total.tokens_cap:
        return StopReason.TOKEN_BUDGET
    total.steps += 1
    total.save(update_fields=["steps"])
    return None


def keep(held: Held, prepared: Prepared, answer: Answer, call: ModelCall, *, took_ms: int) -> Kept:
    """Commit an answer, or settle its cost alone if the run is somebody else's by now."""
    try:
        return commit(
            actor=held.actor,
            held=held,
            prepared=prepared,
            answer=answer,
            model_call=call,
            took_ms=took_ms,
        )
    except Fenced:
        door.settle(actor=held.actor, call=call, agent_slug=held.about.agent_slug, answer=answer)
        raise


@command
def commit(
    *,
    actor: Actor,
    held: Held,
    prepared: Prepared,
    answer: Answer,
    model_call: ModelCall,
    took_ms: int,
) -> Kept:
    """Store the answer, its calls, cost and events, if the epoch is still ours: the fence."""
    if answer.text:
        require_permitted(Point.MESSAGE_SEND, held.about.fields(), guard=True)
    calls = [use.name[:NAME_LENGTH] for use in answer.uses]
    step = timeline.step(
        held,
        _note(answer, calls, took_ms),
        seen=prepared.head_seq,
        keeps=True,
        snapshot={"read_seq": prepared.read_seq},
        badge={"provider": answer.provider, "model": answer.model, "live": answer.live},
    )
    tokens = door.settle(
        actor=actor, call=model_call, agent_slug=held.about.agent_slug, answer=answer
    )
    if answer.text:
        _say(held, answer.text, step)
    fits, head = _count(held, calls=len(calls), tokens=tokens, took_ms=took_ms)
    if fits:
        ToolCall.objects.bulk_create(
            _row(held, use, place=place, step=step, head=head)
            for place, use in enumerate(answer.uses)
        )
    _record(held, answer, calls, step)
    return Kept(ended=_ended(held, answer, prepared, fits=fits))


def _note(answer: Answer, calls: list[str], took_ms: int) -> Note:
    payload: dict[str, Any] = {
        "provider": answer.provider,
        "model": answer.model,
        "calls": calls,
        "characters": len(answer.text),
        "stopped": answer.reason,
        "ms": took_ms,
    }
    if answer.usage is not None:
        payload["tokens"] = [answer.usage.input_tokens, answer.usage.output_tokens]
    return Note(type="model.answered", payload=payload)


def _count(held: Held, *, calls: int, tokens: int, took_ms: int) -> tuple[bool, int]:
    """Add to the totals of the tree; returns whether the calls fit, and the newest frame."""
    values: dict[str, Any] = {
        "calls": calls,
        "tokens": tokens,
        "ms": took_ms,
        "root": held.about.root_id,
        "conversation": held.about.conversation_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, values)
        fits, head = cursor.fetchone()
    return fits, head


def _say(held: Held, text: str, step: int) -> None:
    frame = Frame(role=Role.AGENT, kind=FrameKind.TEXT, text=clean(text), step_seq=step)
    timeline.say(held.about.conversation_id, held.run_id, held.about.tenant_id, frame)


def clean(text: str) -> str:
    """Return text that PostgreSQL and the canonical form can hold; nothing else is changed."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _row(held: Held, use: ToolUse, *, place: int, step: int, head: int) -> ToolCall:
    tool = _known(use.name)
    args, raw = _canonical(use)
    row = ToolCall(
        tenant_id=held.about.tenant_id,
        run_id=held.run_id,
        step_seq=step,
        index=place,
        after_seq=head,
        use_id=use.id[:120],
        tool=clean(use.name)[:NAME_LENGTH],
        contract_hash=bytes.fromhex(tool.hash) if tool else None,
        args=args,
        args_digest=canonical.digest([args, raw]) if raw else canonical.digest(args),
        raw=raw,
        effect=tool.effect.value if tool else "",
        tier=tool.tier if tool else None,
        title=(tool.describe(args) if tool else clean(use.name))[:200],
        epoch=held.epoch,
        idempotency_key=uuid7(),
    )
    if tool is not None:
        sealing.seal(row, tool, held.actor)
    return row


def _known(name: str) -> Tool | None:
    try:
        return registry.get(name)
    except UnknownTool:
        return None


def _canonical(use: ToolUse) -> tuple[dict[str, Any], str]:
    """Return the arguments, or none and the raw text of what has no canonical form."""
    if use.args is None:
        return {}, clean(use.raw)[:4000] or "{"
    try:
        return dict(canonical.loads(canonical.dumps(use.args))), ""
    except canonical.NotCanonical:
        return {}, clean(str(use.raw or use.args))[:4000]


def _record(held: Held, answer: Answer, calls: list[str], step: int) -> None:
    record(
        ModelAnswered(
            run_id=held.run_id,
            conversation_id=held.about.conversation_id,
            step=step,
            provider=answer.provider,
            model=answer.model,
            calls=tuple(clean(name) for name in calls),
            answer_digest=canonical.digest(clean(answer.text)).hex(),
        ),
        actor=held.actor,
    )


def _ended(held: Held, answer: Answer, prepared: Prepared, *, fits: bool) -> bool:
    """Finish the run if nothing is left to do in it."""
    if not fits:
        handoffs.escalate(held, trigger="limit", reason=StopReason.MAX_TOOL_CALLS)
        return True
    if answer.reason == "context":
        handoffs.escalate(held, trigger="limit", reason=StopReason.CONTEXT_EXCEEDED)
        return True
    if answer.uses or _unread(held, prepared):
        return False
    run = Run.objects.select_for_update().get(pk=held.run_id)
    reason = StopReason.REFUSED if answer.reason == "refused" else StopReason.DONE
    fence.end_row(run, actor=held.actor, state=RunState.COMPLETED, reason=reason)
    return True


def _unread(held: Held, prepared: Prepared) -> bool:
    """Tell whether the end user wrote something that this answer could not know of."""
    return Message.objects.filter(
        conversation_id=held.about.conversation_id,
        role=Role.CUSTOMER,
        kind=FrameKind.TEXT,
        seq__gt=prepared.read_seq,
    ).exists()


@command
def back_off(*, actor: Actor, held: Held, failure: ModelFailed) -> None:
    """Wait for a provider that may answer later, or hand over to a person."""
    note = Note(type="model.failed", payload={"reason": failure.reason, "said": failure.message})
    timeline.step(held, note)
    total = RunTotal.objects.select_for_update().get(root_id=held.about.root_id)
    if failure.reason not in WORTH_REPEATING or total.retries >= total.retries_cap:
        handoffs.escalate(held, trigger="provider", reason=StopReason.PROVIDER_UNAVAILABLE)
        return
    total.retries += 1
    total.save(update_fields=["retries"])
    wait_s = _wait_s(total.retries, failure.retry_after_s)
    fence.park(
        held,
        state=RunState.WAITING_TIMER,
        cause=failure.reason,
        note=Note(type="run.waits", payload={"reason": failure.reason, "ms": int(wait_s * 1000)}),
        due_at=clock.now() + timedelta(seconds=wait_s),
    )


def _wait_s(attempt: int, retry_after_s: float | None) -> float:
    if retry_after_s is not None:
        return retry_after_s
    return SystemRandom().uniform(0, min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**attempt))


def model_call(held: Held) -> ModelCall:
    return ModelCall(
        actor=held.actor,
        fields=held.about.fields(),
        run_id=held.run_id,
        epoch=held.epoch,
        lost=held.lost,
    )
