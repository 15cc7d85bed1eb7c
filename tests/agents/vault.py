"""Tools with a hidden argument: a bank account that is kept elsewhere, or in memory as if ours."""

from typing import Any

from agents.tools import registry
from agents.tools.contracts import (
    Args,
    Effect,
    Idempotency,
    Image,
    Result,
    Tool,
    ToolContext,
    Undo,
    UndoKind,
)
from agents.tools.errors import UnknownTool

DOMAIN = "vault"
SECRET = "DE89370400440532013000"
ARGS = {"customer": "c-1", "account": SECRET, "note": "new bank"}
CLOSED: dict[str, Any] = {"type": "object", "additionalProperties": False}
_TEXT = {"type": "string", "minLength": 1, "maxLength": 40}
got: list[str] = []  # the accounts that reached the tools


def _before(ctx: ToolContext, args: Args, *, lock: bool = False) -> Image:
    return {"accounts": {args["customer"]: {"holder": "Ada", "note": ""}}}


def _plan(before: Image, args: Args) -> Image:
    fields = before["accounts"][args["customer"]]
    changed = {**fields, "account": args["account"], "note": args["note"]}
    return {"accounts": {args["customer"]: changed}}


def _plan_by_country(before: Image, args: Args) -> Image:
    """A plan that lets the hidden value decide about what people would see."""
    after = _plan(before, args)
    after["accounts"][args["customer"]]["country"] = args["account"][:2]
    return after


def _send(_ctx: ToolContext, args: Args) -> Result:
    got.append(args["account"])
    return {}


def _apply(_ctx: ToolContext, _before: Image, after: Image) -> Result:
    got.append(after["accounts"]["c-1"]["account"])
    return {}


def register() -> None:
    try:
        registry.get("send_account")
    except UnknownTool:
        outside = {"idempotency": Idempotency.NATIVE, "key_field": "ref", "run": _send}
        _add("send_account", plan=_plan, **outside)
        _add("guess_account", plan=_plan_by_country, **outside)
        _add("keep_account", plan=_plan, apply=_apply, idempotency=Idempotency.TRANSACTIONAL)


def _add(name: str, **more: Any) -> None:
    registry.add(
        Tool(
            name=name,
            title=name.replace("_", " ").capitalize(),
            summary="For tests.",
            headline="Account of {customer}",
            effect=Effect.WRITE,
            tier=1,
            input_schema={
                **CLOSED,
                "properties": {"customer": _TEXT, "account": _TEXT, "note": _TEXT},
                "required": ["customer", "account", "note"],
            },
            output_schema={**CLOSED, "properties": {}},
            domain=DOMAIN,
            sensitive=("/account",),
            touches=("accounts",),
            undo=Undo(kind=UndoKind.NONE, reason="it is out."),
            before=_before,
            **more,
        )
    )
