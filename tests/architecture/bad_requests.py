"""Everything bad that can be sent through a door: what each of them must refuse."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from django import forms

from tests.architecture.doors import CALLS, JSON, MARK, Door
from tests.architecture.routes import ROUTES

BIDI: Final = "\u202eabc\u202c"
URLENCODED: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data; boundary="
TEN_MB: Final = b"x" * (10 * 1024 * 1024)
MANY: Final = urlencode([(f"f{n}", "1") for n in range(501)]).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One bad request; `query` goes into the address, `body` into the body."""

    name: str
    query: str = ""  # as it stands in the address
    body: bytes = b""
    content_type: str = URLENCODED
    status: int = 400


def good_of(door: Door) -> Case:
    """Return what belongs through a door."""
    if door.is_api:
        return Case(name="good", body=json.dumps(door.good).encode(), content_type=JSON)
    return Case(name="good", body=urlencode(door.good, doseq=True).encode())


def cases_of(door: Door) -> list[Case]:
    """Return every bad request for a door; each must be refused and change nothing."""
    if door.is_api:
        queries = [replace(good_of(door), query=query) for query in _bad_queries(door)]
        return [*queries, *_bad_json(door)]
    if door.method == "GET":
        return [replace(case, query=case.body.decode(), body=b"") for case in _bad_fields(door)]
    return [*_bad_fields(door), *_bad_bodies(door)]


# -- forms ---------------------------------------------------------------------------------------


def _bad_fields(door: Door) -> Iterator[Case]:
    for name, one in door.form.base_fields.items():
        for what, value in _bad_values(one, door, name):
            yield _with(door, f"{name} {what}", name, value)
        if one.required:
            yield _with(door, f"{name} missing", name, None)
    if not door.lenient:
        yield _with(door, "an unknown field", f"surprise{MARK}", "1")
        yield _with(door, "an unknown field of other characters", f"{BIDI}\x00\udcff", "1")


def _bad_values(one: forms.Field, door: Door, name: str) -> Iterator[tuple[str, str]]:
    text = type(one) is forms.CharField
    if isinstance(one, forms.BooleanField):
        return  # a box is ticked or not; whatever is sent says that it is
    if not text:
        yield "of another type", f"{MARK}!"
    most = getattr(one, "max_length", None) or door.longest.get(name)
    if text or most:
        assert most, f"{door.name}: how long may {name} be?"
        yield "too long", (MARK + "x" * most)[: most + 1]
    yield "with NUL", f"{MARK}\x00"
    yield "that is not UTF-8", "\udcff"


def _with(door: Door, what: str, name: str, value: str | None) -> Case:
    values = {key: one for key, one in door.good.items() if key != name}
    if value is not None:
        values[name] = value
    encoded = urlencode(values, doseq=True, errors="surrogateescape")
    return Case(name=what, body=encoded.encode())


def _bad_bodies(door: Door) -> Iterator[Case]:
    yield Case(name="10 MB", body=TEN_MB, status=413)
    yield Case(name="no form but JSON", body=b"{}", content_type=JSON, status=415)
    yield Case(name="no form but bytes", body=b"\xff\x00=", content_type="image/png", status=415)
    if not door.lenient:
        yield Case(name="a form that is not text", body=b"\xff\xfe\x00=\xff")
        yield Case(name="a form without its boundary", body=b"x", content_type=MULTIPART)
        yield Case(name="too many fields", body=MANY)


# -- the API -------------------------------------------------------------------------------------

# Places that nobody was given: dates that overflow, numbers beyond the database's.
CURSORS: Final = (
    MARK,
    "%00",
    "%FF",
    "bnVsbA",  # null
    "WyJhIiwiYiIsImMiLCJkIl0",  # ["a","b","c","d"]
    "WyI5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OSJd",  # ["99999999999999999999999"]
    "x" * 2001,
)


def _bad_queries(door: Door) -> Iterator[str]:
    yield f"{MARK}=1"
    yield "%FF%00=%E2%80%AE"
    for one in door.asks:
        name, schema = one["name"], one["schema"]
        if name == "after":
            yield from (f"after={cursor}" for cursor in CURSORS)
            continue
        yield from (f"{name}={text}" for text in ("a%00", "%FF", "9" * 2100))
        if schema["type"] != "string" or {"enum", "format"} & set(schema):
            yield f"{name}={MARK}"
        if schema["type"] == "integer":
            yield f"{name}=-1"


def _bad_json(door: Door) -> Iterator[Case]:
    if door.method == "GET":
        return
    yield _json("an unknown field", {**door.good, f"surprise{MARK}": 1})
    yield Case(name="10 MB", body=TEN_MB, content_type=JSON, status=413)
    for raw in (b"\xff\xfe", b"{", b'{"a":1,"a":2}', b"1.5", b"NaN", b'"\\ud800"', b"[" * 99_999):
        yield Case(name=f"no JSON: {raw[:9]!r}", body=raw, content_type=JSON)
    for raw in (b"[]", b"null", b'"text"', b"7"):
        yield Case(name=f"no object: {raw!r}", body=raw, content_type=JSON)
    if not door.schema:
        return
    yield Case(name="a form", body=b"a=1", status=415)
    for name, one in door.schema["properties"].items():
        for what, value in _wrong_json(one):
            yield _json(f"{name} {what}", {**door.good, name: value})
        if name in door.schema.get("required", ()):
            without = {key: value for key, value in door.good.items() if key != name}
            yield _json(f"{name} missing", without)
            yield _json(f"{name} null", {**door.good, name: None})


def _wrong_json(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield values that a property must not have, by its description."""
    kind = schema.get("type", "string")
    others = {"string": "text", "integer": 7, "boolean": True, "array": ["x"], "object": {"a": "b"}}
    yield from ((f"as {other}", value) for other, value in others.items() if other != kind)
    if kind == "string":
        yield "with NUL", f"{MARK}\x00"
        yield "with half a character", "\ud800"
        if "format" in schema or "pattern" in schema or "enum" in schema or "allOf" in schema:
            yield "of another form", f"{MARK}!"
        if "maxLength" in schema:
            yield "too long", (MARK + "x" * schema["maxLength"])[: schema["maxLength"] + 1]
    if kind == "integer":
        yield "too small", schema["minimum"] - 1
        yield "too large", schema["maximum"] + 1
    if kind == "array":
        yield "of other things", [7]
        yield "with wrong words", [f"{MARK}!"]
        yield "too many", ["reviewer"] * (schema.get("maxItems", 100) + 1)


def _json(what: str, values: Mapping[str, Any]) -> Case:
    return Case(name=what, body=json.dumps(values).encode(), content_type=JSON)


def calls_of(key: str) -> list[Case]:
    """Return every bad request for a call of the widget: JSON, read by a form."""
    form, good = CALLS[key]["form"], CALLS[key]["good"]
    door = Door(route=ROUTES[0], method="POST", form=form, good=good)
    cases = [
        _json("an unknown field", {**good, MARK: 1}),
        _json("a list in a field", {**good, next(iter(good)): [1]}),
    ]
    for name, one in form.base_fields.items():
        if one.required:
            cases.append(_json(f"{name} missing", {k: v for k, v in good.items() if k != name}))
        for what, value in _bad_values(one, door, name):
            sent = "\ud800" if value == "\udcff" else value
            cases.append(_json(f"{name} {what}", {**good, name: sent}))
    for raw in (b"\xff\xfe", b"{", b"[]", b"null", b'"text"', b"7", b"NaN", b"[" * 99_999):
        cases.append(Case(name=f"no object: {raw[:9]!r}", body=raw, content_type=JSON))
    return [*cases, Case(name="10 MB", body=TEN_MB, content_type=JSON, status=413)]
