"""JSON Schema 2020-12: misfits as JSON pointers with one sentence each."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from agents.tools.errors import BadContract, Problem

MOST_PROBLEMS = 10  # enough to correct a call; a hostile one may have thousands

_SENTENCES: Mapping[str, str] = {
    "required": "this value is missing.",
    "additionalProperties": "this name is not known here.",
    "enum": "this is not one of the values that are allowed.",
    "const": "this is not the value that is required.",
    "pattern": "this text does not have the required form.",
    "minItems": "this list is too short.",
    "maxItems": "this list is too long.",
    "minLength": "this text is too short.",
    "maxLength": "this text is too long.",
    "minimum": "this number is too small.",
    "maximum": "this number is too large.",
    "uniqueItems": "this list names something twice.",
}


def validator(schema: Mapping[str, Any]) -> Draft202012Validator:
    """Return a validator for a schema that is itself known to be valid."""
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def problems(checker: Draft202012Validator, value: object) -> tuple[Problem, ...]:
    """Return the misfits of `value`, ordered by pointer, at most MOST_PROBLEMS of them."""
    found = [item for error in checker.iter_errors(value) for item in _described(error)]
    return tuple(sorted(found, key=lambda item: (item.pointer, item.keyword))[:MOST_PROBLEMS])


def pointer(parts: Iterable[object]) -> str:
    """Return the JSON pointer of a path. Source: RFC 6901, section 3."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def require_closed(name: str, schema: Mapping[str, Any], *, at: str = "") -> None:
    """Refuse a schema with an object that takes unknown names; maps of one value type are fine."""
    if schema.get("type") == "object" and "additionalProperties" not in schema:
        raise BadContract(f"{name}: the object at {at or '/'} must say additionalProperties.")
    for key in ("properties", "$defs"):
        for child, body in schema.get(key, {}).items():
            require_closed(name, body, at=f"{at}/{key}/{child}")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), Mapping):
            require_closed(name, schema[key], at=f"{at}/{key}")
    for key in ("anyOf", "oneOf", "allOf"):
        for index, body in enumerate(schema.get(key, ())):
            require_closed(name, body, at=f"{at}/{key}/{index}")


def _described(error: ValidationError) -> Iterator[Problem]:
    keyword = str(error.validator)
    path = list(error.absolute_path)
    for name in _names(error, keyword):
        yield Problem(
            pointer=pointer([*path, name])[:200],
            keyword=keyword,
            sentence=_sentence(error, keyword),
        )
    if keyword not in ("required", "additionalProperties"):
        yield Problem(
            pointer=pointer(path)[:200], keyword=keyword, sentence=_sentence(error, keyword)
        )


def _names(error: ValidationError, keyword: str) -> list[str]:
    """Return the names that are missing or unknown; jsonschema reports both at the parent."""
    if keyword == "required":
        # One error for each missing name; which one stands only in its text, so ask again.
        first = error.message.split("'")[1] if "'" in error.message else ""
        return [first]
    if keyword == "additionalProperties":
        known = error.schema.get("properties", {}) if isinstance(error.schema, Mapping) else {}
        given: Any = error.instance
        return [str(name) for name in given if name not in known][:MOST_PROBLEMS]
    return []


def _sentence(error: ValidationError, keyword: str) -> str:
    wanted: Any = error.validator_value
    if keyword == "type":
        names = wanted if isinstance(wanted, str) else " or ".join(wanted)
        return f"this has to be of type {names}."
    if keyword == "enum" and all(isinstance(item, str) for item in wanted):
        return "this has to be one of: " + ", ".join(wanted)[:200] + "."
    return _SENTENCES.get(keyword, "this does not fit the schema.")
