"""JSON Schemas that people register for tools of outside agents: few words, no texts that run.

Patterns are left out because a hostile one never ends, references because they name addresses.
"""

from collections.abc import Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError

MOST_PROBLEMS: Final = 10
_LONGEST: Final = 200  # of a sentence, which may hold what was sent
_DEEPEST: Final = 8
_WORDS: Final = frozenset(
    {
        "type", "properties", "required", "additionalProperties", "items", "enum", "const", "title",
        "description", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems",
        "uniqueItems",
    }
)  # fmt: skip


def schema_refusal(schema: object) -> str:
    """Return why this is no schema for arguments, as a sentence; "" if it is one."""
    if not isinstance(schema, Mapping) or schema.get("type") != "object":
        return 'The schema has to be an object with "type": "object".'
    if not schema.get("properties") or schema.get("additionalProperties") is not False:
        return 'Name the arguments under "properties", and say "additionalProperties": false.'
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return f"This is no JSON Schema: {error.message[:_LONGEST]}"
    unknown = _unknown(schema, deep=0)
    if unknown:
        return f"“{unknown[:40]}” is not used here; the manual names the words of a schema."
    return ""


def misfits(schema: Mapping[str, Any], args: Mapping[str, Any]) -> dict[str, str]:
    """Return what does not fit, by JSON pointer; nothing if the arguments fit."""
    found: dict[str, str] = {}
    for error in Draft202012Validator(schema).iter_errors(dict(args)):
        found.setdefault(_pointer(error), error.message[:_LONGEST])
        if len(found) >= MOST_PROBLEMS:
            break
    return dict(sorted(found.items()))


def _pointer(error: ValidationError) -> str:
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in error.absolute_path)
    return "".join(f"/{part}" for part in parts)


def _unknown(schema: Any, *, deep: int) -> str:
    """Return the first word that is not used here, or ""."""
    if not isinstance(schema, Mapping):
        return "" if isinstance(schema, bool) else "a schema that is none"
    if deep > _DEEPEST:
        return "a schema this deep"
    strange = sorted(str(word) for word in set(schema) - _WORDS)
    if strange:
        return strange[0]
    inner = [*schema.get("properties", {}).values()]
    inner += [schema[name] for name in ("items", "additionalProperties") if name in schema]
    return next(filter(None, (_unknown(one, deep=deep + 1) for one in inner)), "")
