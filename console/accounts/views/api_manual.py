"""The description of the API as a page, made from the committed file and nothing else."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from console.kernel.http import requires, show

FILE: Final = Path(settings.BASE_DIR) / "console" / "openapi.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One parameter, or one field of a body."""

    name: str
    where: str  # path, query, header, body, answer
    shape: str
    required: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    id: str
    method: str
    path: str
    text: str
    takes: tuple[Value, ...]
    gives: tuple[Value, ...]
    status: str
    people_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    name: str
    operations: tuple[Operation, ...]


@requires("")
@require_http_methods(["GET", "HEAD"])
def manual(request: HttpRequest) -> HttpResponse:
    """Show every operation of the API."""
    return show(request, "accounts/api.html", {"rooms": rooms()})


@requires("")
@require_http_methods(["GET", "HEAD"])
def file(_request: HttpRequest) -> HttpResponse:
    """Hand out the OpenAPI file for programs that read it."""
    response = HttpResponse(FILE.read_bytes(), content_type="application/yaml")
    response.headers["Content-Disposition"] = 'attachment; filename="signalbox-openapi.yaml"'
    return response


@cache
def rooms() -> tuple[Room, ...]:
    """Return the operations by room; the file is part of the release, so it is read once."""
    described = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    found: dict[str, list[Operation]] = {}
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            one = _operation(path, method, operation, described["components"]["schemas"])
            found.setdefault(operation["tags"][0], []).append(one)
    return tuple(Room(name=name, operations=tuple(found[name])) for name in sorted(found))


def _operation(
    path: str, method: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]
) -> Operation:
    body = operation.get("requestBody", {})
    status = next(code for code in operation["responses"] if code < "400")
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        text=operation.get("description", ""),
        takes=(*_parameters(operation), *_fields(body, schemas, "body")),
        gives=tuple(_fields(operation["responses"][status], schemas, "answer")),
        status=status,
        people_only=operation.get("security") == [{"session": []}],
    )


def _parameters(operation: Mapping[str, Any]) -> Iterator[Value]:
    for one in operation.get("parameters", ()):
        yield Value(
            name=one["name"],
            where=one["in"],
            shape=_shape(one["schema"]),
            required=one.get("required", False),
            text=one.get("description", ""),
        )


def _fields(holder: Mapping[str, Any], schemas: Mapping[str, Any], where: str) -> Iterator[Value]:
    reference = holder.get("content", {}).get("application/json", {}).get("schema", {})
    schema = schemas.get(reference.get("$ref", "").rpartition("/")[2], reference)
    needed = schema.get("required", ())
    for name, one in schema.get("properties", {}).items():
        yield Value(
            name=name,
            where=where,
            shape=_shape(one),
            required=name in needed,
            text=one.get("description", ""),
        )


def _shape(schema: Mapping[str, Any]) -> str:
    """Return the type in words, for instance "list of text" or "one of a, b"."""
    if "enum" in schema:
        return "one of " + ", ".join(str(word) for word in schema["enum"] if word not in {"", None})
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2].removesuffix("Out"))
    if "allOf" in schema:
        return _shape(schema["allOf"][0])
    if schema.get("type") == "array":
        return f"list of {_shape(schema['items'])}"
    words = {"string": "text", "integer": "whole number", "boolean": "true or false"}
    kind = schema.get("format") or words.get(schema.get("type", ""), schema.get("type", "JSON"))
    return f"{kind}{' or null' if schema.get('nullable') else ''}"
