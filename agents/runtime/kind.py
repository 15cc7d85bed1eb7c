"""Tool calls as approvals sees them: how their arguments look, and what they would do now."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from agents.models import ToolCall
from agents.runtime import commands, fence, looking, sealing
from agents.runtime.held import Held
from agents.runtime.promises import tool_of
from agents.runtime.proposing import SUBJECT
from agents.tools import registry, spoiling
from agents.tools.contracts import Tool
from agents.tools.errors import InvalidArguments, UnknownTool
from approvals import kinds, queries
from approvals.cards import Content, Image, Subject, ToolFacts, Variant
from approvals.errors import DoesNotFit
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from console.kernel.transactions import query

_GAP = (
    "The tool works outside of this database and knows no versions: between the last look at its "
    "target and the change a moment remains in which somebody else may change it."
)


class ToolCalls:
    """The kind `tool_call`: each is one invocation that a run intends."""

    name = SUBJECT

    def schema(self, *, actor: Actor, tool: str) -> Mapping[str, Any]:
        del actor  # contracts are the same in every tenant
        contract = _contract(tool)
        return _with_hidden(contract) if contract.sensitive else contract.input_schema

    def content(
        self, *, actor: Actor, subject: Subject, tool: str, args: Mapping[str, Any]
    ) -> Content:
        """Return what the call would do with these arguments, its own records under their lock."""
        held, call, contract = _call(actor=actor, subject=subject, name=tool)
        _require_kept(call, contract, args)
        call.effective_args = dict(args)
        _require_fits(call, contract, actor)
        ctx = looking.context(actor=actor, held=held, call=call, tool=contract)
        contract.require_scopes(ctx)
        found = looking.planned(ctx, call, contract, lock=contract.is_ours)
        return found.content(contract)

    def observe(
        self, *, actor: Actor, subject: Subject, tool: str, args: Mapping[str, Any]
    ) -> Content:
        held, call, contract = _call(actor=actor, subject=subject, name=tool)
        call.effective_args = dict(args)
        ctx = looking.context(actor=actor, held=held, call=call, tool=contract)
        before = looking.observed(ctx, call, contract, lock=contract.is_ours)
        return Content(tool=tool, contract_hash=contract.hash, args=args, before=before, after={})

    def apply(self, *, actor: Actor, subject: Subject, content: Content) -> Image | None:
        """Leave it to the run that intends the call."""
        del actor, subject, content
        return None

    def title(self, *, tool: str, args: Mapping[str, Any]) -> str:
        try:
            return registry.get(tool).describe(args)[:200]
        except UnknownTool:
            return ""

    def gap(self, *, tool: str) -> str:
        try:
            contract = registry.get(tool)
        except UnknownTool:
            return ""
        return "" if contract.is_ours or contract.version_field else _GAP

    def is_elsewhere(self, *, tool: str) -> bool:
        try:
            return not registry.get(tool).is_ours
        except UnknownTool:
            return False

    def bad_variants(self, *, content: Content, others: Sequence[Content]) -> Sequence[Variant]:
        """Return this call made bad in every way that the domain of its tool knows."""
        try:
            contract = registry.get(content.tool)
        except UnknownTool:
            return ()
        alike = [_seen(one) for one in others if one.contract_hash == content.contract_hash]
        return [
            Variant(
                template=one.template,
                content=replace(
                    content, args=one.call.args, before=one.call.before, after=one.call.after
                ),
                wrong=one.wrong,
            )
            for one in spoiling.spoiled(contract.domain, _seen(content), alike)
        ]

    def reconcile(self, *, actor: Actor, subject: Subject, happened: bool, evidence: str) -> None:
        """Settle the call itself, whose run goes on with that answer."""
        commands.reconcile_call(actor=actor, call_id=subject.id, happened=happened, result=evidence)


def register() -> None:
    kinds.register(ToolCalls())
    queries.register_tools("agents", _tools)


def _tools() -> tuple[ToolFacts, ...]:
    return tuple(
        ToolFacts(name=one.name, tier=one.tier, writes=one.writes, summary=one.summary)
        for one in registry.every()
    )


def _seen(content: Content) -> spoiling.Call:
    before, after = (_image(image) for image in (content.before, content.after))
    return spoiling.Call(args=dict(content.args), before=before, after=after)


def _image(image: Image) -> dict[str, dict[str, Any]]:
    return {kind: dict(records) for kind, records in image.items()}


def _contract(name: str) -> Tool:
    return registry.get(name)


@query
def _call(*, actor: Actor, subject: Subject, name: str) -> tuple[Held, ToolCall, Tool]:
    """Return the call with the run that intends it; nothing of either is written here."""
    call = ToolCall.objects.filter(pk=subject.id, tool=name).first()
    if call is None:
        raise NotFound("There is no such call any more.")
    about = fence.about(actor=actor, run_id=call.run_id)
    held = Held(about=about, epoch=call.epoch)
    return held, call, tool_of(held, call)


def _require_kept(call: ToolCall, contract: Tool, args: Mapping[str, Any]) -> None:
    """Refuse another value for what nobody can see."""
    moved = sealing.moved(call, contract, dict(args))
    if moved:
        said = "this value is hidden and stays as it is; reject the request if it is wrong."
        raise DoesNotFit(f"{moved[0]}: {said}", fields=dict.fromkeys(moved, said))


def _with_hidden(contract: Tool) -> Mapping[str, Any]:
    """Return the schema of a form in which what is hidden cannot be typed."""
    schema = json.loads(json.dumps(contract.input_schema))
    for pointer in contract.sensitive:
        part = schema
        for name in pointer.split("/")[1:]:
            part = part["properties"][name]
        part.clear()
        part.update(type="string", readOnly=True, description="Hidden; it stays as it is.")
    found: Mapping[str, Any] = schema
    return found


def _require_fits(call: ToolCall, contract: Tool, actor: Actor) -> None:
    try:
        contract.validate(sealing.opened(call, contract, actor))
    except InvalidArguments as refusal:
        first = refusal.problems[0]
        name = first.pointer.strip("/").replace("/", " ").replace("_", " ") or "arguments"
        raise DoesNotFit(
            f"{name.capitalize()}: {first.sentence} Correct it and send it again.",
            fields={one.pointer: one.sentence for one in reversed(refusal.problems)},
        ) from refusal
