"""What `rules` says to a reviewer who asks: where each argument came from, and nothing else. Pure.

A request for changes is followed where it names an argument and its new value; then the answer is
a JSON object with the arguments, as a language model is asked for it too.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from agents.llm.ports import Inquiry

MOST_SAID: Final = 3  # messages that are quoted
MOST_QUOTED: Final = 200  # characters of each
MOST_VALUE: Final = 120
NO_MODEL: Final = "There is no language model here; this is what is on record."
CUES: Final = r"(?:\s+(?:should\s+be|is|to|as)\s+|\s*[:=]\s*)"
VALUE: Final = r"(?:[\"“'](?P<quoted>[^\"”']{1,500})[\"”']|(?P<bare>[^\n;]{1,500}))"
YES: Final = frozenset({"yes", "true", "on"})
NO: Final = frozenset({"no", "false", "off"})


def answer(inquiry: Inquiry) -> str:
    """Return the answer, or the changed arguments as JSON where they were asked for."""
    if not inquiry.wants_changes:
        return "\n".join([*_asked_for(inquiry), *_sources(inquiry), *_changes(inquiry), NO_MODEL])
    wanted = wanted_changes(inquiry)
    if not wanted:
        names = ", ".join(_words(name) for name in inquiry.input_schema.get("properties", {}))
        return (
            f"I could not tell which argument to change. I can change: {names}. Name one and its "
            "new value, for instance “reason: the new reason”, or edit it yourself."
        )
    named = ", ".join(f"{_words(name)} to {_short(value)}" for name, value in wanted.items())
    said = f"As you asked, I changed {named}."
    return json.dumps({"args": {**inquiry.args, **wanted}, "say": said})


def wanted_changes(inquiry: Inquiry) -> dict[str, Any]:
    """Return the arguments that a request names with another value than they have."""
    properties: Mapping[str, Any] = inquiry.input_schema.get("properties", {})
    found = {
        name: value
        for name, schema in properties.items()
        if (value := _wanted(name, schema, inquiry.question)) is not None
    }
    return {name: value for name, value in found.items() if inquiry.args.get(name) != value}


def _wanted(name: str, schema: Mapping[str, Any], text: str) -> Any:
    cue = r"[\s_]+".join(re.escape(part) for part in name.split("_"))
    hit = re.search(rf"(?<!\w){cue}{CUES}{VALUE}", text, re.IGNORECASE)
    if hit is None:
        return None
    raw = hit["quoted"] or hit["bare"].strip()
    if isinstance(schema.get("enum"), list):
        return _of_enum(schema["enum"], raw)
    return _typed(schema, raw if hit["quoted"] else _bare(schema, raw))


def _of_enum(values: list[Any], raw: str) -> Any:
    fits = [one for one in values if isinstance(one, str) and raw.lower().startswith(one.lower())]
    return max(fits, key=len) if fits else None


def _bare(schema: Mapping[str, Any], raw: str) -> str:
    """Cut an unquoted value where its sentence ends."""
    if schema.get("type") in {"integer", "number"}:
        return raw.split(maxsplit=1)[0].rstrip(".,")
    return re.split(r"(?<=\w)[.!?](?:\s|$)", raw)[0].strip(" .,")


def _typed(schema: Mapping[str, Any], raw: str) -> Any:
    match schema.get("type"):
        case "integer" | "number":
            return int(raw) if re.fullmatch(r"-?\d{1,15}", raw) else None
        case "boolean":
            word = raw.lower()
            return True if word in YES else False if word in NO else None
        case "array":
            return [part.strip() for part in raw.split(",") if part.strip()]
        case "string":
            return raw
        case _:
            return None


def _asked_for(inquiry: Inquiry) -> list[str]:
    said = [f"The customer wrote: “{_cut(text)}”" for text in inquiry.said[-MOST_SAID:]]
    return said or ["The customer has written nothing that is on record."]


def _sources(inquiry: Inquiry) -> list[str]:
    return [
        f"- {_words(name)} {_short(value)}: {_source(inquiry, value)}"
        for name, value in inquiry.args.items()
    ]


def _source(inquiry: Inquiry, value: Any) -> str:
    parts = [str(one) for one in value] if isinstance(value, list) else [str(value)]
    wanted = [part.lower() for part in parts if part]
    for text in reversed(inquiry.said):
        if wanted and all(part in text.lower() for part in wanted):
            return f"from the customer's message “{_cut(text)}”"
    for title, result in reversed(inquiry.read):
        if wanted and all(part in result.lower() for part in wanted):
            return f"from the record that “{title}” returned"
    return "chosen by the agent; it stands in no message and no record word for word"


def _changes(inquiry: Inquiry) -> list[str]:
    return [
        f"It would change {_words(field)} from {before or 'nothing'} to {after or 'nothing'}."
        for field, before, after in inquiry.changes
    ]


def _words(name: str) -> str:
    return name.replace("_", " ")


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= MOST_VALUE else f"{text[: MOST_VALUE - 1]}…"


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MOST_QUOTED else f"{line[: MOST_QUOTED - 1]}…"
