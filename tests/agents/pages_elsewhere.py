"""A system outside that keeps pages with versions, and the two tools that write to it.

`edit_page` sends the version that people saw with the write. `stamp_page`, of tier 2, knows none.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

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
from agents.tools.errors import Drifted, UnknownTool
from console.kernel.errors import Unavailable

DOMAIN = "pages"
PAGE = "p-1"
CLOSED: dict[str, Any] = {"type": "object", "additionalProperties": False}
_TEXT = {"type": "string"}
_OPEN_TRANSACTIONS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND state LIKE 'idle in transaction%'
"""


@dataclass(slots=True)
class Wiki:
    """The system outside; every look and every write that reached it is on record."""

    text: str = "old"
    no: int = 1
    versioned: bool = True
    looks: int = 0
    waiting: list[int] = field(default_factory=list)  # open transactions of ours, at each look
    sent: list[str] = field(default_factory=list)  # the version that came with each write
    on_look: Callable[[], object] = lambda: None
    before_write: Callable[[], object] = lambda: None
    after_write: Callable[[], object] = lambda: None

    @property
    def etag(self) -> str:
        return f"v{self.no}"

    def changed(self, text: str) -> None:
        self.text = text
        self.no += 1


wiki = Wiki()


def reset() -> None:
    fresh = Wiki()
    for name in Wiki.__slots__:
        setattr(wiki, name, getattr(fresh, name))


def _before(ctx: ToolContext, args: Args, *, lock: bool = False) -> Image:
    wiki.looks += 1
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_TRANSACTIONS)
        wiki.waiting.append(cursor.fetchone()[0])
    fields = {"text": wiki.text, **({"etag": wiki.etag} if wiki.versioned else {})}
    wiki.on_look()
    return {"pages": {args["page"]: fields}}


def _plan(before: Image, args: Args) -> Image:
    return {"pages": {args["page"]: {**before["pages"][args["page"]], "text": args["text"]}}}


def _edit(ctx: ToolContext, args: Args) -> Result:
    wiki.before_write()
    seen = ctx.versions["pages"][args["page"]]
    wiki.sent.append(seen)
    if seen != wiki.etag:
        raise Drifted("The page is another one by now.")
    wiki.changed(args["text"])
    wiki.after_write()
    return {}


def _stamp(_ctx: ToolContext, args: Args) -> Result:
    wiki.changed(args["text"])
    return {}


def lose_the_answer() -> None:
    wiki.after_write = lambda: None
    raise Unavailable("The connection broke.")


def register() -> None:
    try:
        registry.get("edit_page")
    except UnknownTool:
        _add("edit_page", run=_edit, version_field="etag")
        _add("stamp_page", run=_stamp, tier=2)


def _add(name: str, **more: Any) -> None:
    registry.add(
        Tool(
            name=name,
            title=name.replace("_", " ").capitalize(),
            summary="For tests.",
            headline="Write {page}",
            effect=Effect.WRITE,
            input_schema={
                **CLOSED,
                "properties": {"page": _TEXT, "text": _TEXT},
                "required": ["page", "text"],
            },
            output_schema={**CLOSED, "properties": {}},
            domain=DOMAIN,
            touches=("pages",),
            undo=Undo(kind=UndoKind.NONE, reason="it is out."),
            idempotency=Idempotency.NATIVE,
            key_field="request_id",
            before=_before,
            plan=_plan,
            **{"tier": 1, **more},
        )
    )
