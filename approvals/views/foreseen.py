"""From a call that was approved to conditions on others like it, and back from what was typed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from approvals import policies
from approvals.cards import StandingBase
from approvals.errors import StandingInvalid
from approvals.policies import Op
from approvals.policies.comparing import as_decimal

ANY: Final = "any"
LONG: Final = 120  # characters; longer text gets several rows
MOST_VALUE: Final = 1000  # characters that a condition compares
MORE_ROWS: Final = 2  # for what the call itself does not say
WORDS: Final[Mapping[str, str]] = {
    Op.EQ: "is",
    Op.LE: "is at most",
    Op.GE: "is at least",
    Op.IN: "is one of (commas between)",
    Op.GLOB: "fits the pattern",
    ANY: "may be anything",
    Op.NE: "is not",
    Op.NOT_IN: "is none of (commas between)",
    Op.LT: "is less than",
    Op.GT: "is more than",
    Op.EXISTS: "is there",
    Op.ABSENT: "is not there",
    Op.LEN_GT: "is longer than",
}
_TEXT: Final = (Op.EQ, Op.IN, Op.GLOB, ANY)
_NUMBER: Final = (Op.EQ, Op.LE, Op.GE, Op.IN, ANY)
_MORE: Final = tuple(op for op in WORDS if op != ANY)
_BARE: Final = frozenset({Op.EXISTS, Op.ABSENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the form: what is looked at, how, and with what it is compared."""

    path: str
    label: str = ""
    value: str = ""
    op: str = Op.EQ.value
    ops: tuple[str, ...] = _TEXT
    is_long: bool = False
    kind: type = str  # of the value in the call that was approved
    error: str = ""
    id: str = field(default="")

    @property
    def options(self) -> list[tuple[str, str]]:
        return [(str(op), WORDS[op]) for op in self.ops]


def rows_of(base: StandingBase) -> list[Row]:
    """Return a line for every argument, for what the call is about, and for further conditions.

    At first each wants just what was approved; whoever makes it loosens what may differ.
    """
    found = [_row(("args", *path), value) for path, value in policies.leaves(base.content.args)]
    found += [_row(("target", *path), value) for path, value in policies.leaves(base.target)]
    found += [Row(path="", ops=_MORE)] * MORE_ROWS
    return [replace(row, id=f"row-{number}") for number, row in enumerate(found)]


def typed_into(rows: Sequence[Row], sent: Mapping[str, Sequence[str]]) -> list[Row]:
    """Return the rows as somebody typed them."""
    texts = zip(sent["path"], sent["op"], sent["value"], strict=False)
    return [
        replace(row, path=row.path or path, op=op, value=value.replace("\r\n", "\n"))
        for row, (path, op, value) in zip(rows, texts, strict=False)
    ] + list(rows[len(sent["path"]) :])


def with_error(rows: Sequence[Row], refusal: StandingInvalid) -> list[Row]:
    """Return the rows with what is wrong under the one that it is about."""
    place = str(refusal.details.get("pointer", "")).split("/")
    conditions = [number for number, row in enumerate(rows) if row.path and row.op != ANY]
    wrong = place[2] if place[1:2] == ["when"] and len(place) > 2 else ""  # noqa: PLR2004
    at = conditions[int(wrong)] if wrong.isdigit() and int(wrong) < len(conditions) else -1
    return [
        replace(row, error=refusal.message.partition(": ")[2]) if number == at else row
        for number, row in enumerate(rows)
    ]


def conditions_of(rows: Sequence[Row]) -> tuple[dict[str, Any], ...]:
    """Return what the rows say as conditions of a policy."""
    return tuple(_conditions(rows))


def free_of(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the arguments that may be anything."""
    return tuple(row.path for row in rows if row.op == ANY and row.path.startswith("/args/"))


def in_words(conditions: Sequence[Mapping[str, Any]], free: Sequence[str]) -> list[tuple[str, str]]:
    """Return each condition as (path, words), and then what may be anything."""
    said = [
        (str(one["path"]), f"{WORDS.get(str(one['op']), str(one['op']))} {_shown(one)}".strip())
        for one in conditions
    ]
    return said + [(path, WORDS[ANY]) for path in free]


# -- parts -----------------------------------------------------------------------------------------


def _row(path: policies.Path, value: Any) -> Row:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    row = Row(
        path=policies.pointer(path),
        label=policies.pointer(path[1:]).removeprefix("/"),
        value=text,
        kind=type(value),
        is_long=len(text) > LONG or "\n" in text,
    )
    if len(text) > MOST_VALUE:
        return replace(row, op=ANY, ops=(ANY,), value="")
    if isinstance(value, bool):
        return replace(row, ops=(Op.EQ, ANY))
    return replace(row, ops=_NUMBER) if as_decimal(value) is not None else row


def _conditions(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    for row in rows:
        if not row.path or row.op == ANY:
            continue
        line = {"path": row.path, "op": row.op}
        yield line if row.op in _BARE else {**line, "value": _value(row)}


def _value(row: Row) -> Any:
    if row.op in (Op.IN, Op.NOT_IN):
        return [part.strip() for part in row.value.split(",")]
    if row.op == Op.LEN_GT:
        return int(row.value) if row.value.isascii() and row.value.isdecimal() else row.value
    is_flag = row.kind is bool or not row.label
    if row.op in (Op.EQ, Op.NE) and is_flag and row.value in ("true", "false"):
        return row.value == "true"
    return row.value


def _shown(one: Mapping[str, Any]) -> str:
    value = one.get("value", "")
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
