"""A call follows the revision of its proposal that counts: people may have changed its arguments.

What the model sent never changes; what would run is beside it. The model is told of the
difference, or it would send the original again.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from agents.errors import OriginalRepeated
from agents.events import CallRevised
from agents.models import ToolCall
from agents.runtime import timeline
from agents.states import CallState, FrameKind
from agents.tools import registry
from agents.tools.errors import UnknownTool
from approvals import queries as desk
from approvals.cards import ProposalCard, RevisionCard
from approvals.policies import changed_arguments
from approvals.states import ProposalState
from audit.commands import record
from console.kernel import canonical
from console.kernel.actors import Actor, system

MOST_NAMED: Final = 4  # changed arguments; more are counted
MOST_SHOWN: Final = 60  # characters of a value
_FOLLOWS: Final = frozenset({CallState.WAITING_APPROVAL, CallState.APPROVED})


def follow(
    call: ToolCall, card: ProposalCard, *, actor: Actor, conversation_id: UUID
) -> RevisionCard | None:
    """Put a locked call on the current revision of its proposal; None if it was there already."""
    if call.state not in _FOLLOWS or card.digest == digest_of(call):
        return None
    now = _current(call, card.id)
    changed = not _same(now.content.args, call.runs_with)
    _bind(call, now)
    if call.state == CallState.APPROVED and card.state is ProposalState.OPEN:
        call.state = CallState.WAITING_APPROVAL
    call.save()
    record(
        CallRevised(
            call_id=call.pk,
            run_id=call.run_id,
            conversation_id=conversation_id,
            tool=call.tool,
            args_digest=bytes(call.args_digest).hex(),
            proposal_id=card.id,
            revision_no=now.no,
            digest=now.digest,
            cause=now.cause,
        ),
        actor=actor,
    )
    if changed:
        text = f"Our team changed what was asked for: {call.title}."
        frame = timeline.notice(FrameKind.WAITING, text, call=str(call.pk))
        timeline.say(conversation_id, call.run_id, call.tenant_id, frame)
    return now


def is_behind(call: ToolCall, proposal_id: UUID) -> bool:
    """Say whether the proposal has another revision than the call was put on."""
    return _current(call, proposal_id).digest != digest_of(call)


def require_new(call: ToolCall) -> None:
    """Refuse what the model sent before, word for word, where people had changed it since.

    Raises:
        OriginalRepeated: the changed one is what counts.
    """
    edited = ToolCall.objects.filter(run_id=call.run_id, effective_args__isnull=False)
    same = edited.filter(tool=call.tool, args_digest=call.args_digest)
    if same.exclude(pk=call.pk).exists():
        raise OriginalRepeated(
            "People changed this very call before it was decided. Do not repeat the original call; "
            "go on from what was decided."
        )


def note_of(call: ToolCall) -> str:
    """Return what the model is told about a call that people changed; "" for any other."""
    if call.effective_args is None:
        return ""
    return note(call.args, call.effective_args, state=call.state)


def note(sent: Mapping[str, Any], counts: Mapping[str, Any], *, state: str) -> str:
    """Say how the arguments that count differ from those that the model sent."""
    changes = changed_arguments(sent, counts)
    named = [_words(*change) for change in changes[:MOST_NAMED]]
    if len(changes) > MOST_NAMED:
        named.append(f"{len(changes) - MOST_NAMED} more")
    when = "it ran" if state == CallState.SUCCEEDED else "it was decided"
    return f"A person changed {', '.join(named)} before {when}; do not repeat the original call."


def digest_of(call: ToolCall) -> str:
    return bytes(call.digest or b"").hex()


def _current(call: ToolCall, proposal_id: UUID) -> RevisionCard:
    return desk.current(actor=system("agents.gate", call.tenant_id), proposal_id=proposal_id)


def _bind(call: ToolCall, now: RevisionCard) -> None:
    content = now.content
    call.effective_args = None if _same(content.args, call.args) else dict(content.args)
    call.before = dict(content.before)
    call.before_digest = content.before_digest
    call.after = dict(content.after)
    call.digest = content.digest
    try:
        call.title = registry.get(call.tool).describe(content.args)[:200]
    except UnknownTool:
        return  # a tool that was removed keeps the title that it gave


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return canonical.dumps(one) == canonical.dumps(other)


def _words(pointer: str, before: Any, after: Any) -> str:
    name = pointer.lstrip("/").replace("/", " ").replace("_", " ") or "everything"
    return f"{name} from {_short(before)} to {_short(after)}"


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else canonical.dumps(value).decode()
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…"
