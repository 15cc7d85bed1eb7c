"""What the provider `rules` says: its sentences, and how it shows a question, a call and a result.

Every word of it comes from the contracts and from this file; what tools said is quoted.
"""

from collections.abc import Mapping
from typing import Any, Final

from agents.llm import entries, matching
from agents.llm.filling import Ask, Quote
from agents.llm.history import Called
from agents.llm.intents import Task
from agents.llm.ports import ToolSpec

ELSE: Final = "Is there anything else I can do for you?"
HELP: Final = "I can help with this: "
UNCLEAR: Final = "I did not understand what you would like."
WHO: Final = "So that I can help, I need to know who you are."
FOUND: Final = "Thank you, I found your account."
SHALL_I: Final = "Shall I go ahead? Please answer yes or no."
WHICH: Final = "Which of these do you mean?"
NOT_DONE: Final = "Nothing was changed."
WELCOME: Final = "You are welcome. Write again whenever you need something."

# What a customer is told of a call that people, a clock or they themselves stopped.
CLOSED: Final[Mapping[str, str]] = {
    "approval.rejected": "Our team declined this: {title}. Nothing was changed.",
    "approval.blocked": "Our rules do not allow this: {title}. Nothing was changed.",
    "approval.repeated": "Our team declined the same request a short while ago: {title}. "
    "Nothing was changed.",
    "approval.expired": "Nobody of our team decided in time: {title}. Nothing was changed.",
    "approval.returned": "Our team did not decide in time: {title}. Nothing was changed.",
    "approval.parked": "Our team let this go undecided: {title}. Nothing was changed.",
    "approval.lapsed": "The time to carry this out ran out: {title}. Nothing was changed.",
    "approval.handed_back": "The record changed before our team decided: {title}. Nothing was "
    "changed; please tell me again what you would like.",
    "approval.withdrawn": "This was taken back undecided: {title}. Nothing was changed.",
    "approval.superseded": "A newer request took its place: {title}.",
    "approval.drifted": "The record had changed when this was to be done: {title}. Nothing was "
    "changed; please tell me again what you would like.",
    "approval.drift": "The record changed while this was decided: {title}. Nothing was changed.",
    "user.refused": "All right, I left it as it is: {title}.",
    "user.moved_on": "I have not done this, as you did not confirm it: {title}.",
    "call.edited": "Our team had changed this request, and the change is what counts: {title}.",
    "run.ended": "This was not done: {title}.",
    "approval.plan_broken": "This was not done, because not all of what was agreed to together "
    "went as planned: {title}.",
}
CHANGED: Final = "Our team changed your request before it was done."


def which(task: Task) -> str:
    titles = "\n".join(f"- {spec.title}" for spec in task.specs)
    return f"{WHICH}\n{titles}"


def asked(question: Ask | Quote) -> str:
    return question.text if isinstance(question, Ask) else f"{quoted(question.text)} {NOT_DONE}"


def help_with(tools: Any, first: str) -> str:
    titles = [spec.title for spec in tools if spec.effect == "write"]
    offered = "; ".join(title[:1].lower() + title[1:] for title in titles)
    return f"{first} {HELP}{offered}. What would you like?" if offered else first


def who(resolvers: list[ToolSpec], tried: Called | None) -> str:
    """Ask who writes: the first way as a question, the others as what else would do."""
    first, *others = resolvers
    asks = [slot["ask"] for slot in first.phrases.get("slots", {}).values() if slot.get("ask")]
    words = [
        ", ".join(name.replace("_", " ") for name in spec.input_schema.get("required", ()))
        for spec in others
    ]
    instead = f" Or tell me: {'; or '.join(words)}." if words else ""
    failed = f" {quoted(str(tried.error.get('message', '')))}" if tried and tried.failed else ""
    return f"{WHO}{failed} {' '.join(asks)}{instead}"


def quoted(message: str) -> str:
    return f"“{message}”" if message else "That did not work."


def details(spec: ToolSpec, args: Mapping[str, Any]) -> str:
    lines = [f"- {name.replace('_', ' ')}: {_plain(value)}" for name, value in args.items()]
    return "\n".join([f"{spec.title}:", *lines])


def filled(template: str, args: Mapping[str, Any]) -> str:
    text = template
    for name, value in args.items():
        text = text.replace("{" + name + "}", _plain(value))
    return text


def _plain(value: Any) -> str:
    match value:
        case list():
            return ", ".join(_plain(item) for item in value)
        case Mapping():
            return ", ".join(f"{key.replace('_', ' ')} {_plain(v)}" for key, v in value.items())
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)


def shown(spec: ToolSpec, call: Called) -> str:
    """Quote what a read gave, with its source."""
    if call.failed:
        return quoted(str(call.error.get("message", "")))
    # What is said in a word comes first: a status is not to be looked for below a list of items.
    fields = sorted(call.result.items(), key=lambda field: isinstance(field[1], list | Mapping))
    lines = [line for key, value in fields for line in _lines(key, value)]
    source = f"(Source: {spec.title.lower()}.)"
    return "\n".join([*lines, source, ELSE])


def _lines(key: str, value: Any) -> list[str]:
    name = key.replace("_", " ")
    rows = list(value.values()) if isinstance(value, Mapping) else value
    if isinstance(rows, list) and rows and isinstance(rows[0], Mapping):
        return [f"{name}:", *(f"- {_plain(row)}" for row in rows[: entries.MOST_OFFERED])]
    text = _plain(value)
    return [f"{name}: {text}"] if text and matching.tokens(text) else []
