"""The clock of a proposal on its page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.urls import reverse

from approvals.cards import ClockCard, ProposalDetail
from approvals.states import OnExpiry
from console.kernel.actors import Actor

# What a reviewer reads beside the clock, and of what ended by it. Each says something else.
THEN: Final[Mapping[OnExpiry, str]] = {
    OnExpiry.REFUSE: "nothing runs, and the agent is told so.",
    OnExpiry.RETURN: "nothing runs, and the agent may propose something else.",
    OnExpiry.PARK: "nothing runs, and the run waits for an operator.",
    OnExpiry.ESCALATE: "more people are asked, with the whole time once more.",
    OnExpiry.APPROVE: "its rule approves it, and it may run.",
}
ENDED: Final[Mapping[OnExpiry, str]] = {
    OnExpiry.REFUSE: "Nobody decided in time. Nothing ran.",
    OnExpiry.RETURN: "Nobody decided in time. Nothing ran; the agent may propose something else.",
    OnExpiry.PARK: "Nobody decided in time. Nothing ran; the run waits for an operator.",
}
LAPSED: Final = "The approval ran out before it was executed. Nothing ran."


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Something that happened to the time to decide."""

    at: datetime
    text: str


def ended_by_clock(detail: ProposalDetail) -> str:
    """Return in words how the clock ended a proposal; "" if something else did."""
    if detail.close_cause == "execute_by":
        return LAPSED
    if detail.close_cause != "decide_by":
        return ""
    return ENDED.get(OnExpiry(detail.requirement.on_expiry), ENDED[OnExpiry.REFUSE])


def clocks_of(
    actor: Actor, found: ProposalDetail, card: ClockCard, *, typed: str = ""
) -> dict[str, Any]:
    """Return what `clocks.html` and `extend.html` show; nothing in it depends on votes.

    Args:
        typed: the reason of an extension that was refused just now.
    """
    left = "one more time" if card.extensions_left == 1 else "twice"
    minutes = card.extension_s // 60
    return {
        "card": card,
        "then": THEN[card.fallback],
        "lines": _lines(card),
        "your_turn": _your_turn(actor, card),
        "extend_url": reverse("approvals:extend", args=[found.card.id]),
        "extend_effect": f"People get {minutes} more minutes to decide. It can be extended {left}.",
        "extend_hidden": {"clock_no": card.clock_no},
        "extend_typed": typed,
    }


def _lines(card: ClockCard) -> list[Line]:
    lines = [Line(at=at, text="Everybody asked was reminded.") for at in card.reminders]
    for widening in card.widenings:
        why = "Nobody had decided in time" if widening.escalated else "Part of the time was over"
        asked = f"asked {', '.join(widening.groups)} as well" if widening.groups else "asked again"
        lines.append(Line(at=widening.at, text=f"{why}: {asked}."))
    lines += [
        Line(at=extension.at, text=f"{extension.who} extended it: {extension.reason}")
        for extension in card.extensions
    ]
    return sorted(lines, key=lambda line: line.at)


def _your_turn(actor: Actor, card: ClockCard) -> str:
    """Say why somebody is asked now who was not asked at first."""
    for widening in card.widenings:
        mine = sorted(actor.groups & set(widening.groups))
        if mine:
            over = "the time was over" if widening.escalated else "part of the time was over"
            return f"You are asked because {over} and {mine[0]} was asked as well."
    return ""
