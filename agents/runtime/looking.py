"""What a target is and what a call would make of it: read for the gate, never written.

Records of ours are read in the caller's transaction, under a row lock where it asks for one. A
target outside is read outside of every transaction, and what it said is good for a few seconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from agents.controls.permits import require_permitted
from agents.controls.states import Point
from agents.errors import ToolFailed
from agents.models import Conversation, ToolCall
from agents.runtime import sealing
from agents.runtime.calling import before_of, look_outside, plan_of, run_inside
from agents.runtime.grouping import Misfit
from agents.runtime.held import Held
from agents.runtime.proposing import Planned
from agents.tools.contracts import Image, Tool, ToolContext
from agents.tools.errors import ToolRefused
from approvals.policies.planning import as_left
from console.kernel import canonical, clock
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError
from console.kernel.transactions import query

LOOK_S: Final = 5.0  # a target that needs longer cannot be looked at lately enough
MOST_LOOKS: Final = 3  # in one go; then the run lets others have the machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a target was found to be, for these arguments."""

    at: datetime  # just before it was asked, so that its answer is not older
    args: Mapping[str, Any]
    before: Image


class LookAgain(Exception):
    """What was found is too old, or about other arguments, so nothing was stored on its word."""


@query
def context(*, actor: Actor, held: Held, call: ToolCall, tool: Tool) -> ToolContext:
    """Return for whom a tool runs; made from the tables, never from a model's words."""
    rows = Conversation.objects.filter(pk=held.about.conversation_id)
    return ToolContext(
        actor=held.actor,
        scopes=held.about.scopes,
        end_user=rows.values_list("customer", flat=True).get(),
        call_id=call.pk,
        key=str(call.idempotency_key),
        versions=tool.versions_in(call.before or {}),
    )


def look(held: Held, call: ToolCall, tool: Tool) -> Looked:
    """Read a target outside, outside of every transaction.

    Raises:
        ConsoleError: a switch forbids it, the target refuses or is too slow.
    """
    at = _look_at(actor=held.actor, held=held, tool=tool)
    ctx = context(actor=held.actor, held=held, call=call, tool=tool)
    before = _found(ctx, tool, sealing.opened(call, tool, held.actor))
    return Looked(at=at, args=call.runs_with, before=before)


@query
def _look_at(*, actor: Actor, held: Held, tool: Tool) -> datetime:
    """Return the time before a look, if no switch forbids it."""
    fields = held.about.fields(tool=tool.name, tier=tool.tier)
    require_permitted(Point.TOOL_CALL, fields, guard=True)
    return clock.now()


def _found(ctx: ToolContext, tool: Tool, args: Mapping[str, Any]) -> Image:
    image = look_outside(tool, ctx, args, most_s=LOOK_S)
    tool.versions_in(image)  # a target that gives none is not written to
    return image


def look_all(held: Held, members: Sequence[tuple[ToolCall, Tool]]) -> dict[UUID, Looked]:
    """Look at each target outside that a plan would change, by the id of the call.

    Raises:
        Misfit: one of them cannot be looked at.
    """
    found = {}
    for call, tool in members:
        try:
            if not tool.is_ours:
                found[call.pk] = look(held, call, tool)
        except ConsoleError as refusal:
            raise Misfit(call.pk, refusal) from refusal
    return found


def planned(
    ctx: ToolContext,
    call: ToolCall,
    tool: Tool,
    *,
    lock: bool,
    left: Image | None = None,
    looked: Looked | None = None,
) -> Planned:
    """Return what the records are and what they would become, by the tool's own pure plan.

    Args:
        left: what the earlier changes of the same plan leave, in place of what is there now.
        looked: what was found outside, before this transaction began.
    """
    before = looked.before if looked else observed(ctx, call, tool, lock=lock)
    if left:
        _require_foreseeable(tool, before, left)
        before = as_left(before, left)
    after = run_inside(tool, lambda: plan_of(tool)(before, call.runs_with))
    if tool.sensitive:
        _require_shown(ctx, call, tool, before, after)
    return Planned(contract_hash=tool.hash, args=call.runs_with, before=before, after=after)


def _require_shown(
    ctx: ToolContext, call: ToolCall, tool: Tool, before: Image, after: Image
) -> None:
    """Refuse a change that follows from a hidden value otherwise than by holding it.

    People would agree to the change with the mask in it, and another one would be made.
    """
    true = sealing.opened(call, tool, ctx.actor)
    makes = run_inside(tool, lambda: plan_of(tool)(before, true))
    shown = sealing.opened_image(call, tool, ctx.actor, after)
    if canonical.dumps(makes) != canonical.dumps(shown):
        raise ToolFailed(
            f"{tool.title} would make another change than people are shown, because an argument "
            "is hidden; hand the matter to a person.",
            tool=tool.name,
        )


def _require_foreseeable(tool: Tool, before: Image, left: Image) -> None:
    """Refuse a second write to a record in one plan where nobody knows its version in between."""
    if tool.version_field and any(
        not left.get(kind, {}).keys().isdisjoint(records) for kind, records in before.items()
    ):
        raise ToolRefused(
            "tool.version_unforeseen",
            "Another change of the same record comes before this one; wait for that, look at the "
            "record again, and call this tool then.",
        )


def observed(ctx: ToolContext, call: ToolCall, tool: Tool, *, lock: bool) -> Image:
    """Return what the records are, as far as an approval is bound to them."""
    if not tool.is_ours:
        return _found(ctx, tool, sealing.opened(call, tool, ctx.actor))
    args = sealing.opened(call, tool, ctx.actor)
    image: Image = run_inside(tool, lambda: before_of(tool)(ctx, args, lock=lock))
    return image
