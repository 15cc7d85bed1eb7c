"""Typed fields of a form from a JSON Schema, and arguments from what was typed into them.

Text, whole numbers, choices, yes or no, lists of these, and one level of records have fields; what
else a schema may ask for is typed as JSON. Whether the values fit is the tool's question.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from console.kernel.http import is_lost

PREFIX: Final = "arg"  # of names of fields; the JSON pointer follows
LONG: Final = 120  # characters; longer text gets several rows
MOST_CHARACTERS: Final = 20_000  # of one field
_WHOLE: Final = re.compile(r"-?\d{1,15}")
_PLAIN: Final = {"string", "integer", "number", "boolean"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field: how it looks, what stands in it, what is wrong with it."""

    pointer: str
    kind: str  # text, long, number, choice, yesno, lines, json
    label: str
    help: str = ""
    value: str = ""
    options: tuple[tuple[str, str], ...] = ()
    required: bool = False
    group: str = ""  # label of the record that it belongs to
    starts: bool = False  # the first of its group
    ends: bool = False
    error: str = ""
    items: str = ""  # of a list: the type of its members
    fixed: bool = False  # shown, and not to be typed into

    @property
    def name(self) -> str:
        return f"{PREFIX}{self.pointer}"

    @property
    def id(self) -> str:
        return "field" + re.sub(r"[^A-Za-z0-9]", "-", self.pointer)


def fields_of(schema: Mapping[str, Any], args: Mapping[str, Any]) -> list[Field]:
    """Return the fields of a form that holds these arguments."""
    return list(_fields("", schema, args, group=""))


def typed_into(fields: list[Field], data: Mapping[str, str]) -> list[Field]:
    """Return the fields with what somebody typed instead of the values."""
    return [replace(one, value=data.get(one.name, "").replace("\r\n", "\n")) for one in fields]


def with_errors(fields: list[Field], errors: Mapping[str, str]) -> list[Field]:
    """Return the fields with what is wrong, each under its pointer or the nearest above."""
    found: dict[str, str] = {}
    for pointer, said in errors.items():
        near = [one.pointer for one in fields if f"{pointer}/".startswith(f"{one.pointer}/")]
        if near:
            found.setdefault(max(near, key=len), said)
    return [replace(one, error=found.get(one.pointer, "")) for one in fields]


def args_of(fields: list[Field], args: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the arguments as typed, and what could not be read, by JSON pointer.

    Args:
        args: what the fields were made of; a value that was absent and is left empty stays absent.
    """
    shown = {_names(one.pointer)[0] for one in fields}
    result = {name: value for name, value in args.items() if name not in shown}
    errors: dict[str, str] = {}
    for one in fields:
        if wrong := _unreadable(one.value):
            errors[one.pointer] = wrong
            continue
        try:
            value = _read(one, was=_at(args, one.pointer))
        except ValueError as error:
            errors[one.pointer] = str(error)
            continue
        if value is not _ABSENT:
            _put(result, one.pointer, value)
    return result, errors


# -- from a schema -------------------------------------------------------------------------------


def _fields(
    at: str, schema: Mapping[str, Any], args: Mapping[str, Any], *, group: str
) -> Iterator[Field]:
    required = set(schema.get("required", ()))
    properties: Mapping[str, Any] = schema.get("properties", {})
    members: list[Field] = []
    for name, body in properties.items():
        pointer = f"{at}/{name.replace('~', '~0').replace('/', '~1')}"
        value = args.get(name)
        if not group and _is_record(body):
            inner = value if isinstance(value, Mapping) else {}
            yield from _fields(pointer, body, inner, group=_label(name))
            continue
        field = _field(pointer, name, body, value)
        members.append(replace(field, required=name in required, group=group))
        if not group:
            yield members.pop()
    for place, one in enumerate(members):
        yield replace(one, starts=place == 0, ends=place == len(members) - 1)


def _is_record(schema: Mapping[str, Any]) -> bool:
    return schema.get("type") == "object" and bool(schema.get("properties"))


def _field(pointer: str, name: str, schema: Mapping[str, Any], value: Any) -> Field:
    base = Field(
        pointer=pointer,
        kind="json",
        label=_label(name),
        help=str(schema.get("description", ""))[:300],
    )
    enum = schema.get("enum")
    if isinstance(enum, list) and all(isinstance(one, str) for one in enum):
        options = tuple((one, one) for one in enum)
        return replace(base, kind="choice", options=options, value=_text(value))
    match schema.get("type"):
        case "string":
            long = int(schema.get("maxLength", LONG)) > LONG or "\n" in _text(value)
            fixed = schema.get("readOnly") is True
            kind = "long" if long else "text"
            return replace(base, kind=kind, value=_text(value), fixed=fixed)
        case "integer" | "number":
            return replace(base, kind="number", value=_text(value))
        case "boolean":
            options = (("true", "Yes"), ("false", "No"))
            return replace(base, kind="yesno", options=options, value=_text(value))
        case "array" if _has_plain_items(schema, value):
            items = str(schema["items"]["type"])
            lines = "\n".join(_text(one) for one in value or ())
            return replace(base, kind="lines", value=lines, items=items)
        case _:
            written = "" if value is None else json.dumps(value, ensure_ascii=False, indent=2)
            return replace(base, value=written)


def _has_plain_items(schema: Mapping[str, Any], value: Any) -> bool:
    items = schema.get("items")
    plain = isinstance(items, Mapping) and items.get("type") in _PLAIN
    members = value if isinstance(value, list) else []
    return plain and not any(isinstance(one, str) and "\n" in one for one in members)


def _label(name: str) -> str:
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# -- from what was typed -------------------------------------------------------------------------

_ABSENT: Final = object()


def _unreadable(text: str) -> str:
    if len(text) > MOST_CHARACTERS:
        return f"At most {MOST_CHARACTERS} characters."
    if "\x00" in text or is_lost(text):
        return "Not all of it arrived as text; type it again."
    return ""


def _read(one: Field, *, was: Any) -> Any:
    """Return a field's value, or `_ABSENT` for one that is left out."""
    text = one.value
    if not text.strip() and (one.kind not in {"text", "long"} or not text):
        return _nothing(one, was=was)
    match one.kind:
        case "number":
            return _whole(text)
        case "yesno":
            return text == "true"
        case "lines":
            return [_member(one.items, line) for line in text.split("\n") if line.strip()]
        case "json":
            return _json(text)
        case _:
            return text


def _nothing(one: Field, *, was: Any) -> Any:
    empty = {"text": "", "long": "", "lines": []}.get(one.kind, _ABSENT)
    needed = one.required and not one.group  # a record that was absent may stay absent
    return empty if needed or was is not None else _ABSENT


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text.strip()):
        raise ValueError("Type a whole number.")
    return int(text)


def _member(kind: str, line: str) -> Any:
    text = line.strip()
    if kind == "boolean":
        if text.lower() not in {"yes", "no", "true", "false"}:
            raise ValueError("Type yes or no on each line.")
        return text.lower() in {"yes", "true"}
    return text if kind == "string" else _whole(text)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("This is not valid JSON.") from error


def _at(args: Mapping[str, Any], pointer: str) -> Any:
    found: Any = args
    for name in _names(pointer):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _put(result: dict[str, Any], pointer: str, value: Any) -> None:
    *parents, last = _names(pointer)
    for name in parents:
        result = result.setdefault(name, {})
    result[last] = value


def _names(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
