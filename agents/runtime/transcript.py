"""What a model gets to see: the conversation, the calls and their results, as plain turns.

The transcript plus the open calls *is* the state of a run. It is read from the tables every time,
so a worker that never saw the run before builds the same request as the one that died.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from agents.llm.ports import (
    AgentTurn,
    ModelRequest,
    ToolCallPart,
    ToolResultPart,
    ToolSpec,
    Turn,
    UserTurn,
)
from agents.models import Message, Run, ToolCall
from agents.runtime import following
from agents.runtime.held import About
from agents.states import CallState, FrameKind, Role
from agents.tools import registry
from agents.tools.errors import UnknownTool
from console.kernel.actors import Actor
from console.kernel.transactions import query

MOST_TURNS: Final = 200
DEFAULT_MAX_TOKENS: Final = 1024

# What the model is told about a call that did not run, and what it may do next.
REFUSALS: Final[Mapping[str, str]] = {
    "approval.rejected": "People declined this change. Tell the user so; do not try it again.",
    "approval.blocked": "A rule forbids this change. Tell the user so; do not try it again.",
    "approval.repeated": "People rejected the same change less than 24 hours ago. Tell the user "
    "so; do not ask for it again.",
    "approval.expired": "Nobody decided in time, so nothing was changed. Tell the user so.",
    "approval.returned": "Nobody decided in time, so nothing was changed. Tell the user so; you "
    "may propose something else that helps them.",
    "approval.parked": "Nobody decided in time, so nothing was changed. An operator has returned "
    "the conversation to you. Tell the user so; ask what they would like now.",
    "approval.lapsed": "People agreed, but the time to carry it out ran out. Nothing was changed. "
    "Tell the user so.",
    "approval.handed_back": "The record changed before people had decided, so nothing was changed. "
    "Look at the record again and propose what fits now.",
    "approval.withdrawn": "The request was taken back before anybody decided. Nothing was changed.",
    "approval.superseded": "A newer request took the place of this one. Nothing was changed.",
    "approval.plan_broken": "This was one of several changes of a plan, and not all of them went "
    "as planned, so this one was not made. Tell the user what was done and what was not; look at "
    "the records again and propose what fits now.",
    "approval.drifted": "People agreed, but the record had changed when the change was to be made, "
    "so nothing was changed. Look at the record again and propose what fits now.",
    "approval.drift": "The record changed too often while people decided. Nothing was changed.",
    "user.refused": "The user said no to this change. Ask what they would like instead.",
    "user.moved_on": "The user wrote something else instead of agreeing. Nothing was changed.",
    "run.ended": "The run ended before this call could run. Nothing was changed.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A request, and what it was made from."""

    request: ModelRequest
    head_seq: int  # of the run: the fence of the step
    read_seq: int  # newest frame of the conversation that the model saw


@query
def prepared(*, actor: Actor, about: About) -> Prepared:
    """Return the question to put to the model now."""
    run = Run.objects.select_related("conversation").get(pk=about.run_id)
    messages = list(
        Message.objects.filter(conversation_id=about.conversation_id).order_by("-seq")[:MOST_TURNS]
    )[::-1]
    calls = list(
        ToolCall.objects.filter(run__conversation_id=about.conversation_id).order_by(
            "after_seq", "run_id", "step_seq", "index"
        )
    )
    policy = about.model_policy
    return Prepared(
        request=ModelRequest(
            model=policy.get("model", ""),
            system=about.prompt,
            turns=tuple(_turns(messages, calls)),
            tools=specs(about),
            customer=run.conversation.customer,
            plans=about.plan_writes,
            max_tokens=int(policy.get("max_tokens", DEFAULT_MAX_TOKENS)),
        ),
        head_seq=run.head_seq,
        read_seq=messages[-1].seq if messages else 0,
    )


def specs(about: About) -> tuple[ToolSpec, ...]:
    """Return the tools of the version as a model may see them; a removed tool is left out."""
    found = []
    for name in sorted(about.tools):
        try:
            tool = registry.get(name)
        except UnknownTool:
            continue
        found.append(
            ToolSpec(
                name=tool.name,
                title=tool.title,
                summary=tool.summary,
                input_schema=tool.input_schema,
                effect=tool.effect.value,
                tier=tool.tier,
                asks_user=tool.writes and tool.tier in about.confirm_tiers,
                resolves=tool.resolves,
                resolves_at=tool.resolves_at,
                hands_off=tool.hands_off,
                phrases=tool.phrases.body(),
            )
        )
    return tuple(found)


def _turns(messages: Iterable[Message], calls: Iterable[ToolCall]) -> list[Turn]:
    """Interleave what was said with what was called, in the order in which it happened."""
    steps: dict[int, dict[tuple[Any, int], list[ToolCall]]] = defaultdict(lambda: defaultdict(list))
    for call in calls:
        steps[call.after_seq][call.run_id, call.step_seq].append(call)
    turns: list[Turn] = []
    for message in messages:
        mine = steps.pop(message.seq, {})
        if message.kind == FrameKind.TEXT and message.role == Role.CUSTOMER:
            turns.append(UserTurn(text=message.text))
        elif message.kind == FrameKind.TEXT and message.role in (Role.AGENT, Role.PERSON):
            said_with = mine.pop((message.run_id, message.step_seq or -1), [])
            turns.append(_agent_turn(message.text, said_with))
        turns.extend(_agent_turn("", group) for _, group in sorted(mine.items(), key=_step_of))
    return turns


def _step_of(item: tuple[tuple[Any, int], list[ToolCall]]) -> tuple[str, int]:
    (run_id, step), _calls = item
    return str(run_id), step


def _agent_turn(text: str, calls: list[ToolCall]) -> AgentTurn:
    return AgentTurn(
        text=text,
        calls=tuple(ToolCallPart(id=call.use_id, name=call.tool, args=call.args) for call in calls),
        results=tuple(_result(call) for call in calls),
    )


def _result(call: ToolCall) -> ToolResultPart:
    return ToolResultPart(
        id=call.use_id, content=content_of(call), failed=call.state != CallState.SUCCEEDED
    )


def content_of(call: ToolCall) -> dict[str, Any]:
    """Return what the model reads as the result of a call; every state has one."""
    if call.state == CallState.SUCCEEDED:
        content: dict[str, Any] = {"result": call.result}
    elif call.result is not None:
        content = {"error": call.result}
    elif call.error_code:
        content = {"error": {"code": call.error_code, "message": _told(call)}}
    else:
        content = {"error": {"code": "call.open", "message": "This call has no result yet."}}
    notes = (
        [*call.notes, following.note_of(call)] if call.effective_args is not None else call.notes
    )
    if notes:
        content["note"] = " ".join(notes)
    if call.effective_args is not None:
        content["ran_with"] = call.effective_args
    return content


def _told(call: ToolCall) -> str:
    return REFUSALS.get(call.error_code, "This call did not run. Nothing was changed.")
