"""How a proposal ended, and the words by which the end user and the model learn of it.

Every way to end has words of its own. None of them says that something will happen later: a
proposal that is over never runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from agents.models import ToolCall
from agents.runtime import timeline
from agents.runtime.summary import lines
from agents.states import CallState, FrameKind
from approvals import queries as desk
from approvals.cards import Ending
from approvals.states import HANDED_BACK, PLAN_BROKEN, Basis, OnExpiry, ProposalState, RejectCode
from console.kernel.actors import system

ESCALATED: Final = "escalated"


class End(StrEnum):
    """How it ended, as far as anybody outside has to know."""

    APPROVED = "approved"
    BY_RULE = "by_rule"
    IN_ADVANCE = "in_advance"
    BY_TIMEOUT = "by_timeout"
    REJECTED = "rejected"
    EXPIRED = "expired"
    RETURNED = "returned"
    PARKED = "parked"
    LAPSED = "lapsed"
    HANDED_BACK = "handed_back"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    BLOCKED = "blocked"
    REPEATED = "repeated"
    PLAN_BROKEN = "plan_broken"


@dataclass(frozen=True, slots=True)
class Told:
    """What the end user reads: what became of it, and what they can do now."""

    text: str
    next: tuple[str, ...] = ()


# Never the reviewer's note. `{title}` is what was asked for.
END_USER: Final[Mapping[End, Told]] = {
    End.APPROVED: Told("Our team agreed to this: {title}."),
    End.BY_RULE: Told("A rule of our team allows this: {title}."),
    End.IN_ADVANCE: Told("Our team agreed to requests like this in advance: {title}."),
    End.BY_TIMEOUT: Told(
        "Nobody of our team objected in time, so their rule allows this: {title}."
    ),
    End.REJECTED: Told(
        "Our team declined this: {title}. Nothing was changed.",
        ("You can ask for something else.",),
    ),
    End.EXPIRED: Told(
        "Nobody decided in time: {title}. Nothing was changed, and this request is closed.",
        ("You can ask for it again.", "You can ask for something else."),
    ),
    End.RETURNED: Told(
        "Nobody decided in time: {title}. Nothing was changed; there may be another way.",
        ("Say what matters most to you, so that the assistant can suggest something else.",),
    ),
    End.PARKED: Told(
        "Nobody decided in time: {title}. Nothing was changed; a person looks at this chat.",
        ("You can add here what a person of our team should know.",),
    ),
    End.LAPSED: Told(
        "Our team agreed to this, but it could not be done in the time they gave: {title}. "
        "Nothing was changed.",
        ("You can ask for it again.",),
    ),
    End.HANDED_BACK: Told(
        "The record changed before our team had decided: {title}. Nothing was changed; the "
        "assistant looks at it again.",
    ),
    End.WITHDRAWN: Told("This request was taken back: {title}. Nothing was changed."),
    End.SUPERSEDED: Told("A newer request took the place of this one: {title}."),
    End.PLAN_BROKEN: Told(
        "This was one of several changes that our team agreed to together, and not all of them "
        "went as planned: {title}. This one was not made.",
        ("You can ask for it again.",),
    ),
    End.BLOCKED: Told(
        "A rule does not allow this: {title}. Nothing was changed.",
        ("You can ask for something else.",),
    ),
    End.REPEATED: Told(
        "Our team declined the same request a short while ago: {title}. Nothing was changed.",
        ("You can ask for something else.",),
    ),
}
# Of a rejection the class is told, never the note; of "another reason" there is nothing to say.
DECLINED: Final[Mapping[str, str]] = {
    RejectCode.WRONG_TARGET: "It was not about the right record.",
    RejectCode.WRONG_VALUE: "An amount or another value in it was not right.",
    RejectCode.NOT_ASKED_FOR: "As far as they could see, it was not what you had asked for.",
    RejectCode.AGAINST_POLICY: "Their rules do not allow it.",
    RejectCode.NEEDS_INFORMATION: "They would have had to know more; say here what may help.",
}
ASKED_MORE: Final = Told(
    "Nobody decided in time, so more of our team are asked now: {title}. Nothing was changed.",
    ("You do not have to do anything.", "You can write here that you no longer want it."),
)

# The state of a call that will not run, and the code whose words the model reads.
CLOSES: Final[Mapping[End, tuple[CallState, str]]] = {
    End.REJECTED: (CallState.DENIED, "approval.rejected"),
    End.BLOCKED: (CallState.DENIED, "approval.blocked"),
    End.REPEATED: (CallState.DENIED, "approval.repeated"),
    End.EXPIRED: (CallState.EXPIRED, "approval.expired"),
    End.RETURNED: (CallState.EXPIRED, "approval.returned"),
    End.PARKED: (CallState.EXPIRED, "approval.parked"),
    End.LAPSED: (CallState.EXPIRED, "approval.lapsed"),
    End.HANDED_BACK: (CallState.WITHDRAWN, "approval.handed_back"),
    End.WITHDRAWN: (CallState.WITHDRAWN, "approval.withdrawn"),
    End.SUPERSEDED: (CallState.WITHDRAWN, "approval.superseded"),
    End.PLAN_BROKEN: (CallState.WITHDRAWN, "approval.plan_broken"),
}

_BY_STATE: Final[Mapping[ProposalState, End]] = {
    ProposalState.REJECTED: End.REJECTED,
    ProposalState.EXPIRED: End.EXPIRED,
    ProposalState.WITHDRAWN: End.WITHDRAWN,
    ProposalState.SUPERSEDED: End.SUPERSEDED,
    ProposalState.BLOCKED: End.BLOCKED,
}
_BY_BASIS: Final[Mapping[Basis, End]] = {
    Basis.RULE: End.BY_RULE,
    Basis.STANDING: End.IN_ADVANCE,
    Basis.TIMEOUT_RULE: End.BY_TIMEOUT,
}
_BY_FALLBACK: Final[Mapping[OnExpiry, End]] = {
    OnExpiry.RETURN: End.RETURNED,
    OnExpiry.PARK: End.PARKED,
}


def end_of(ending: Ending) -> End | None:
    """Return how a proposal ended, or None while nothing is settled."""
    if ending.state in {ProposalState.APPROVED, ProposalState.DISPATCHED}:
        return _BY_BASIS.get(ending.basis, End.APPROVED) if ending.basis else End.APPROVED
    if ending.state is ProposalState.EXPIRED and ending.fallback is None:
        return End.LAPSED
    if ending.fallback is not None:
        return _BY_FALLBACK.get(ending.fallback, End.EXPIRED)
    if ending.state is ProposalState.WITHDRAWN:
        return _withdrawn(ending)
    if ending.state is ProposalState.BLOCKED and ending.repeats is not None:
        return End.REPEATED
    return _BY_STATE.get(ending.state)


def _withdrawn(ending: Ending) -> End:
    if ending.cause == HANDED_BACK:
        return End.HANDED_BACK
    return End.PLAN_BROKEN if ending.cause.startswith(PLAN_BROKEN) else End.WITHDRAWN


def of_call(call: ToolCall) -> End | None:
    """Return how the proposal of a call ended, or None while nothing is settled."""
    ending = _ending(call)
    return end_of(ending) if ending else None


def decided_on(call: ToolCall) -> UUID | None:
    """Return the proposal that people decided on: of a call in a plan, the plan."""
    ending = _ending(call)
    return ending.proposal_id if ending else None


def rejected_before(call: ToolCall) -> UUID | None:
    """Return the proposal that people rejected before this call asked for the same, if they did."""
    ending = _ending(call)
    return ending.repeats if ending else None


def tell(conversation_id: UUID, call: ToolCall) -> None:
    """Tell the end user how the proposal of a locked call ended, once for each content."""
    ending = _ending(call)
    end = end_of(ending) if ending else None
    mark = f"{end}:{bytes(call.digest or b'').hex()[:16]}"
    if ending is None or end is None or call.told == mark:
        return
    call.told = mark
    call.save(update_fields=["told"])
    told = END_USER[end]
    why = DECLINED.get(ending.cause, "") if end is End.REJECTED else ""
    told = replace(told, text=f"{told.text} {why}") if why else told
    _say(conversation_id, call, end.value, told, FrameKind.DECIDED)


def tell_more_are_asked(conversation_id: UUID, call: ToolCall) -> None:
    """Tell the end user that the time was over and others are asked now."""
    _say(conversation_id, call, ESCALATED, ASKED_MORE, FrameKind.WAITING)


def _ending(call: ToolCall) -> Ending | None:
    if call.proposal_id is None:
        return None
    reader = system("agents.gate", call.tenant_id)
    return desk.ending_of(actor=reader, proposal_id=call.proposal_id)


def _say(conversation_id: UUID, call: ToolCall, word: str, told: Told, kind: FrameKind) -> None:
    parts: dict[str, Any] = {"call": str(call.pk), "outcome": word}
    if told.next:
        parts |= {"next": list(told.next), "asked": lines(call.before or {}, call.after or {})}
    frame = timeline.notice(kind, told.text.format(title=call.title), **parts)
    timeline.say(conversation_id, call.run_id, call.tenant_id, frame)
