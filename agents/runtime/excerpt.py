"""What was said before a call, for those who decide on it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from agents.models import Message, ToolCall
from agents.runtime.proposing import SUBJECT
from agents.states import FrameKind, Role
from approvals import kinds
from approvals import queries as desk
from approvals.cards import Background, Said, Subject
from approvals.policies import MASK, sealed
from approvals.states import PLAN
from console.kernel.actors import Actor
from console.kernel.transactions import query

MOST_SHOWN: Final = 6
_MOST_READ: Final = 200  # messages of a customer that are searched for the words of arguments
_SHORTEST: Final = 3  # a shorter value is found in any text
_SHOWN_ROLES: Final = (Role.CUSTOMER, Role.AGENT, Role.PERSON)


@query
def background(*, actor: Actor, subject: Subject, args: Mapping[str, Any]) -> Background | None:
    """Return the last messages, and the arguments that repeat a customer's words.

    None if there is no such call, or the actor may not look at runs.
    """
    if not actor.has("runs.view"):
        return None
    call = ToolCall.objects.filter(pk=subject.id).select_related("run").first()
    if call is None:
        return None
    said = Message.objects.filter(
        conversation_id=call.run.conversation_id, kind=FrameKind.TEXT, role__in=_SHOWN_ROLES
    ).order_by("-seq")
    customers = said.filter(role=Role.CUSTOMER, seq__lte=call.after_seq)
    words = _folded(" ".join(customers.values_list("text", flat=True)[:_MOST_READ]))
    true = desk.opened_if_kept(call.tenant_id, args)
    hidden = [str(sealed.value_at(true, at)) for at, _ in sealed.sealed_in(args)]
    return Background(
        said=tuple(
            Said(by=message.role, text=_masked(message.text, hidden), at=message.created_at)
            for message in reversed(said[:MOST_SHOWN])
        ),
        total=said.count(),
        customers_words=tuple(path for path, text in _leaves("", true) if _is_in(text, words)),
    )


def _masked(text: str, hidden: list[str]) -> str:
    """Return what was said without the values that the contract of the call hides."""
    for value in hidden:
        text = text.replace(value, MASK) if len(value) >= _SHORTEST else text
    return text


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name in sorted(value):
            yield from _leaves(f"{path}.{name}" if path else str(name), value[name])
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _leaves(f"{path}[{index}]", item)
    elif value is not None and not isinstance(value, bool):
        yield path, _folded(str(value))


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _is_in(text: str, words: str) -> bool:
    if len(text) < _SHORTEST:
        return False
    return re.search(rf"(?<!\w){re.escape(text)}(?!\w)", words) is not None


kinds.register_background(SUBJECT, background)
kinds.register_background(PLAN, background)  # it bears the name of the first call in it
