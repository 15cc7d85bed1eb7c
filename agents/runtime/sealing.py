"""Arguments that a contract hides: stand-ins are stored, and opened only for the tool itself."""

from typing import Any, Final

from agents.models import ToolCall
from agents.tools.contracts import Image, Tool
from agents.tools.errors import InvalidArguments, Problem
from approvals import commands as approvals
from approvals import queries as desk
from approvals.cards import Content, Subject
from approvals.policies import sealed
from console.kernel.actors import Actor

SUBJECT: Final = "tool_call"
WITHHELD: Final = "(withheld: this tool takes a hidden argument)"


def seal(call: ToolCall, tool: Tool, actor: Actor) -> None:
    """Put stand-ins into the arguments of a call that is about to be stored."""
    if not tool.sensitive:
        return
    if call.raw:
        call.raw = WITHHELD  # no JSON: nobody can say where in it the value stands
    call.args_digest = _digest(call, tool)
    subject = Subject(kind=SUBJECT, id=call.pk)
    call.args = approvals.seal(
        actor=actor, subject=subject, args=call.args, pointers=tool.sensitive
    )


def opened(call: ToolCall, tool: Tool, actor: Actor) -> dict[str, Any]:
    """Return the arguments with which a tool runs, each hidden one proven by its stand-in.

    Raises:
        SealedErased, SealedBroken: one of them cannot be had any more.
        InvalidArguments: the model sent a stand-in in place of a value.
    """
    args = call.runs_with
    values = _values(call, tool, actor)
    masked = [at for at, text in sealed.sealed_in(args) if sealed.is_sealed(values.get(text))]
    if masked:
        said = "this is the mask of a hidden value; give the value itself."
        raise InvalidArguments(
            tool.name, tuple(Problem(pointer=at, keyword="sealed", sentence=said) for at in masked)
        )
    found: dict[str, Any] = sealed.opened(args, values)
    return found


def opened_image(call: ToolCall, tool: Tool, actor: Actor, image: Image) -> Image:
    """Return an image with the values that its stand-ins from the arguments stand for."""
    found: Image = sealed.opened(image, _values(call, tool, actor))
    return found


def moved(call: ToolCall, tool: Tool, args: dict[str, Any]) -> list[str]:
    """Return the hidden arguments that other arguments do not leave as they are."""
    return [
        pointer
        for pointer in tool.sensitive
        if sealed.value_at(args, pointer) != sealed.value_at(call.args, pointer)
    ]


def _values(call: ToolCall, tool: Tool, actor: Actor) -> dict[str, Any]:
    if not tool.sensitive:
        return {}
    subject = Subject(kind=SUBJECT, id=call.pk)
    return desk.true_values(actor=actor, subject=subject, args=call.runs_with)


def _digest(call: ToolCall, tool: Tool) -> bytes:
    """Return what equal calls have in common: keyed, as a plain digest would invite guessing."""
    content = Content(tool=tool.name, contract_hash=tool.hash, args=call.args, before={}, after={})
    found: bytes = approvals.fingerprint_of(call.tenant_id, content)
    return found
