"""What notices say: who asks for which tool, why it is whose turn, until when, and a link.

Never arguments, images, notes or anything a customer wrote. What comes from outside the product,
the names of tools and agents, is one short line in which nothing is a link, a mention or markup.
"""

import json
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from approvals.cards import Note, Requirement
from approvals.policies.ladder import NOBODY_DECIDED, NOT_RUN_IN_TIME
from approvals.policies.requirement import ANYBODY, asked_groups
from approvals.states import (
    ASKS,
    REJECT_LABELS,
    Basis,
    NoticeReason,
    OnExpiry,
    RejectCode,
)

MOST_NOTES: Final = 50  # in one message; the list of reviews has the rest
_MOST_NAME: Final = 80
_MARKUP: Final = frozenset("<>[]()|*~`\\")
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

_HEADS: Final[Mapping[NoticeReason, str]] = {
    NoticeReason.OPENED: "Your turn",
    NoticeReason.REOPENED: "Your turn again",
    NoticeReason.WIDENED: "Your turn",
    NoticeReason.REMINDED: "Still your turn",
    NoticeReason.REVISED: "Your turn again",
    NoticeReason.ANSWERED: "Answered",
    NoticeReason.ASKED: "A question for you",
    NoticeReason.APPROVED: "Approved",
    NoticeReason.REJECTED: "Rejected",
    NoticeReason.EXPIRED: "Expired",
    NoticeReason.WITHDRAWN: "Withdrawn",
    NoticeReason.SUPERSEDED: "Superseded",
    NoticeReason.BLOCKED: "Blocked",
    NoticeReason.EXECUTED: "Executed",
    NoticeReason.FAILED: "Failed",
    NoticeReason.STALED: "Not made",
    NoticeReason.UNKNOWN: "Outcome unknown",
    NoticeReason.BREAK_GLASS: "Break-glass",
    NoticeReason.DEAD_END: "Dead end",
    NoticeReason.CHECKS: "Planted checks",
    NoticeReason.RULE_TURNED: "A rule asks people",
    NoticeReason.RULE_ALLOWS: "A rule allows again",
    NoticeReason.TEST: "Test",
}
_WHY_NOW: Final[Mapping[NoticeReason, str]] = {
    NoticeReason.OPENED: "It was just proposed.",
    NoticeReason.REOPENED: "An approval of it does not count any more.",
    NoticeReason.WIDENED: "More people are asked than before.",
    NoticeReason.REMINDED: "A part of the time to decide is over.",
    NoticeReason.REVISED: "It is another content now; votes on the old one do not count.",
    NoticeReason.ANSWERED: "What you asked was answered.",
}
_SAYS: Final[Mapping[NoticeReason, str]] = {
    NoticeReason.ASKED: "A reviewer asks about what you proposed. Answer on its page; after half "
    "an hour it says there that no answer came.",
    NoticeReason.APPROVED: "It may be run now, once. Executed is another notice.",
    NoticeReason.REJECTED: "The change was not made.",
    NoticeReason.EXPIRED: NOBODY_DECIDED[OnExpiry.REFUSE],
    NoticeReason.WITHDRAWN: "The request was taken back; the change was not made.",
    NoticeReason.SUPERSEDED: "A newer request for the same thing took its place.",
    NoticeReason.BLOCKED: "A rule does not allow it, whoever agrees; the change was not made.",
    NoticeReason.EXECUTED: "The change is there.",
    NoticeReason.FAILED: "It was tried; the change is not there.",
    NoticeReason.STALED: "The target was another one than people saw, so it refused; the change is "
    "not there.",
    NoticeReason.UNKNOWN: "It was tried, and nobody knows whether the change is there.",
    NoticeReason.BREAK_GLASS: "Somebody used break-glass in place of the people who were asked; "
    "you were one of them. It is reviewed afterwards.",
    NoticeReason.DEAD_END: "Not even all who may vote could agree to this; somebody has to change "
    "who is asked, or withdraw it.",
    NoticeReason.CHECKS: "Fewer than 80 of 100 planted checks were caught lately; the page "
    "Attention explains them.",
    NoticeReason.RULE_TURNED: "People disagreed too often with what a rule of a policy allows "
    "without them, so it asks them from now on; the page Coverage shows which rule.",
    NoticeReason.RULE_ALLOWS: "A new version of a policy speaks, and a rule that had to ask people "
    "allows without them again; the page Coverage shows what is looked at afterwards.",
    NoticeReason.TEST: "This is a test; nothing is asked of you.",
}
_BY: Final[Mapping[str, str]] = {
    Basis.PEOPLE: "People agreed.",
    Basis.RULE: "A rule allowed it; nobody was asked.",
    Basis.STANDING: "A standing approval covers it; nobody was asked.",
    Basis.PLAN: "It is part of a plan that people agreed to.",
    Basis.BREAK_GLASS: "Somebody used break-glass; it is reviewed afterwards.",
    Basis.TIMEOUT_RULE: "Nobody decided in time, and a rule approves it then.",
}
# What a machine is told has happened; the same names as in the trail.
_FACTS: Final[Mapping[NoticeReason, str]] = {
    NoticeReason.EXECUTED: "dispatch.succeeded",
    NoticeReason.FAILED: "dispatch.failed",
    NoticeReason.STALED: "dispatch.staled",
    NoticeReason.UNKNOWN: "dispatch.unknown",
    NoticeReason.BREAK_GLASS: "proposal.break_glass",
    NoticeReason.DEAD_END: "proposal.unfillable",
    NoticeReason.CHECKS: "checks.missed",
    NoticeReason.RULE_TURNED: "policy.rule_turned",
    NoticeReason.RULE_ALLOWS: "policy.activated",
    NoticeReason.TEST: "signalbox.test",
}
# Where what is about no proposal is explained, below /reviews/.
_PAGES: Final[Mapping[NoticeReason, str]] = {
    NoticeReason.CHECKS: "attention/",
    NoticeReason.RULE_TURNED: "policies/coverage/",
    NoticeReason.RULE_ALLOWS: "policies/coverage/",
}
_DECIDED: Final = frozenset(
    {
        NoticeReason.APPROVED,
        NoticeReason.REJECTED,
        NoticeReason.EXPIRED,
        NoticeReason.WITHDRAWN,
        NoticeReason.SUPERSEDED,
        NoticeReason.BLOCKED,
    }
)


def plain(text: str, most: int = _MOST_NAME) -> str:
    """Return foreign text as one short line in which nothing is a link, a mention or markup."""
    seen = "".join(
        " " if char in _MARKUP or unicodedata.category(char) in _HIDDEN else char for char in text
    )
    bare = " ".join(seen.replace("://", " ").replace("@", " at ").split())
    return bare if len(bare) <= most else bare[: most - 1] + "…"


def why_asked(requirement: Requirement, groups: Collection[str]) -> str:
    """Return why somebody of these groups is asked, as a sentence."""
    asked = asked_groups(requirement)
    named = sorted(asked & frozenset(groups))
    if named:
        return f"It asks for people of {', '.join(named)}."
    if ANYBODY in asked:
        return "Any reviewer may decide it."
    return f"It asks for people of {requirement.people} different groups."


def head(reason: NoticeReason) -> str:
    """Return in two words what a notice tells."""
    return _HEADS[reason]


def subject(notes: Sequence[Note]) -> str:
    if len(notes) == 1:
        return f"[Signalbox] {_headline(notes[0])}"
    asks = sum(note.reason in ASKS for note in notes)
    waits = f", {asks} {'waits' if asks == 1 else 'wait'} for a decision" if asks else ""
    return f"[Signalbox] {len(notes)} notices{waits}"


def text(
    notes: Sequence[Note],
    *,
    zone: str,
    public_url: str,
    settings_path: str,
    most: int | None = None,
) -> str:
    """Return a message about one proposal or many, as plain text.

    Args:
        zone: in which times are given.
        public_url: where the console is, without a slash at its end.
        settings_path: where a person changes what they are told; "" for a shared channel.
        most: how many characters there is room for; whole notices are left out, and said to be.
    """
    foot = "A link opens the proposal and decides nothing: sign in and vote there.\n"
    foot += "What would change is shown only there."
    if settings_path:
        foot += f"\nWhat you are told, and when: {public_url}{settings_path}"
    parts = [_part(note, ZoneInfo(zone), public_url) for note in notes[:MOST_NOTES]]
    while True:
        more = len(notes) - len(parts)
        left = f"{more} more {'is' if more == 1 else 'are'}"
        rest = f"{left} in the list of reviews: {public_url}/reviews/"
        whole = "\n\n".join([*parts, *([rest] if more else []), f"-- \n{foot}"]) + "\n"
        if most is None or len(whole) <= most or len(parts) == 1:
            return whole
        parts.pop()


def webhook_body(note: Note, *, public_url: str) -> str:
    """Return what a machine is told: ids and the outcome, as compact JSON."""
    data: dict[str, Any] = {
        "proposal_id": _id(note.proposal_id),
        "subject": {"kind": note.subject_kind, "id": _id(note.subject_id)},
        "run_id": _id(note.run_id),
        "tool": note.tool,
        "agent": note.agent,
        "tier": note.tier,
        "reason": note.reason.value,
        "url": _link(note, public_url),
    }
    if note.reason in _DECIDED:
        data |= {"outcome": note.reason.value, "detail": note.detail}
    if note.reason in ASKS and note.decide_by:
        data["decide_by"] = note.decide_by.astimezone(UTC).isoformat()
    if note.title:
        data["title"] = note.title
    body = {
        "type": fact_of(note.reason),
        "timestamp": note.at.astimezone(UTC).isoformat(),
        "data": data,
    }
    return json.dumps(body, sort_keys=True, separators=(",", ":"))


def fact_of(reason: NoticeReason) -> str:
    """Return the name under which a machine is told of it: that of the fact in the trail."""
    return "proposal.decided" if reason in _DECIDED else _FACTS.get(reason, f"proposal.{reason}")


def _headline(note: Note) -> str:
    head = _HEADS[note.reason]
    if note.group is not None and note.reason in ASKS:
        head = f"{head.replace('Your turn', 'Waits').replace('your turn', 'waits')}"
        head += f" for {plain(note.group)}" if note.group else " for reviewers"
    return f"{head}: {_what(note)}" if note.tool else head


def _what(note: Note) -> str:
    return f"{plain(note.tool)} by {plain(note.agent)}, tier {note.tier}"


def _part(note: Note, zone: ZoneInfo, public_url: str) -> str:
    lines = [_headline(note) + "."]
    if note.title:
        lines.append(plain(note.title, 300))
    if note.reason in ASKS:
        needs = "Needs 1 person." if note.needs == 1 else f"Needs {note.needs} people."
        lines.append(f"{_WHY_NOW[note.reason]} {note.why} {needs}".replace("  ", " "))
        if note.decide_by:
            lines.append(f"Decide until {_time(note.decide_by, zone)}.")
    else:
        lines.append(_says(note))
    if note.proposal_id or note.reason in _PAGES:
        lines.append(_link(note, public_url))
    return "\n".join(lines)


def _says(note: Note) -> str:
    said = _SAYS[note.reason]
    match note.reason:
        case NoticeReason.APPROVED:
            return f"{_BY.get(note.detail, '')} {said}".strip()
        case NoticeReason.REJECTED if note.detail in set(RejectCode):
            return f"{REJECT_LABELS[RejectCode(note.detail)]}. {said}"
        case NoticeReason.EXPIRED if note.detail == "execute_by":
            return NOT_RUN_IN_TIME
        case NoticeReason.EXPIRED if note.detail in set(OnExpiry):
            return NOBODY_DECIDED.get(OnExpiry(note.detail), said)
        case _:
            return said


def _time(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M} {zone.key}"


def _link(note: Note, public_url: str) -> str:
    tail = f"{note.proposal_id}/" if note.proposal_id else _PAGES.get(note.reason, "")
    return f"{public_url}/reviews/{tail}"


def _id(value: UUID | None) -> str | None:
    return str(value) if value else None
