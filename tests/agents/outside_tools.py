"""Two tools whose effect lies outside of the database: lines in a file of the test.

`print_label` honours its key, so repeating it leaves one label. `send_fax` cannot be repeated.
"""

import os
from pathlib import Path
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

FOLDER = "RUNTIME_TEST_FOLDER"
CLOSED: dict[str, Any] = {"type": "object", "additionalProperties": False}
INPUT = {**CLOSED, "properties": {"order_id": {"type": "string"}}, "required": ["order_id"]}
OUTPUT = {**CLOSED, "properties": {"sent": {"type": "string"}}, "required": ["sent"]}


def lines(name: str) -> list[str]:
    path = Path(os.environ[FOLDER]) / name
    return path.read_text().splitlines() if path.exists() else []


def _write(name: str, line: str) -> None:
    with (Path(os.environ[FOLDER]) / name).open("a") as file:
        file.write(line + "\n")


def _before(ctx: ToolContext, args: Args, *, lock: bool = False) -> Image:
    return {"labels": {args["order_id"]: {}}}


def _plan(before: Image, args: Args) -> Image:
    return {"labels": {args["order_id"]: {"state": "sent"}}}


def _print_label(ctx: ToolContext, args: Args) -> Result:
    if ctx.key not in lines("labels"):
        _write("labels", ctx.key)
    return {"sent": args["order_id"]}


def _send_fax(_ctx: ToolContext, args: Args) -> Result:
    _write("faxes", args["order_id"])
    return {"sent": args["order_id"]}


def register() -> None:
    try:
        registry.get("print_label")
    except UnknownTool:
        _add("print_label", run=_print_label, tier=1, idempotency=Idempotency.NATIVE)
        _add("send_fax", run=_send_fax, tier=2, idempotency=Idempotency.NONE)


def _add(name: str, **more: Any) -> None:
    native = more["idempotency"] is Idempotency.NATIVE
    registry.add(
        Tool(
            name=name,
            title=name.replace("_", " ").capitalize(),
            summary="For tests.",
            headline="Send {order_id}",
            effect=Effect.WRITE,
            input_schema=INPUT,
            output_schema=OUTPUT,
            domain="tests",
            touches=("labels",),
            undo=Undo(kind=UndoKind.NONE, reason="it is on paper."),
            key_field="client_ref" if native else "",
            before=_before,
            plan=_plan,
            **more,
        )
    )
