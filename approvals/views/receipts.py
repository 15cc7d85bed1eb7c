"""Where a proposal stands: recorded, agreed, decided, queued, sent, confirmed, each with a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.urls import reverse

from approvals import policies
from approvals.cards import DispatchCard, ProposalDetail
from approvals.states import REJECT_LABELS, Choice, DispatchState, Outcome, ProposalState
from approvals.views.clocks import ended_by_clock

_ENDED: Final[Mapping[str, str]] = {
    "newer": "A newer request took its place. Nothing ran.",
    "repeated": "People had rejected the same request less than 24 hours before. Nothing ran.",
}
_CONFIRMED: Final[Mapping[DispatchState, tuple[str, str, str]]] = {
    DispatchState.SUCCEEDED: ("clear", "Executed", "reported"),
    DispatchState.FAILED: ("stop", "Failed", "the change was not made, reported"),
    DispatchState.STALE: (
        "unknown",
        "Not made",
        "the target was another one than people saw, and refused, reported",
    ),
    DispatchState.UNKNOWN: ("unknown", "Nobody knows", "whether it happened, reported"),
}
_OF_PLANS: Final[Mapping[DispatchState, tuple[str, str, str]]] = {
    DispatchState.SUCCEEDED: ("clear", "Executed", "all changes reported, the last one"),
    DispatchState.FAILED: ("stop", "Broken", "what was not made by then was withdrawn"),
    DispatchState.UNKNOWN: ("unknown", "Nobody knows", "about one change; the rest was withdrawn"),
}
_OUTCOMES: Final = (
    "dispatch.succeeded",
    "dispatch.failed",
    "dispatch.staled",
    "dispatch.unknown",
    "dispatch.reconciled",
)
_REASONS: Final = {code.value: label for code, label in REJECT_LABELS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One line: what is known, since when, and its place in the trail once it is sealed."""

    label: str
    signal: str
    word: str
    text: str = ""
    at: datetime | None = None
    event: str = ""
    sealed: bool = True  # the event has a place in the trail, or will get one
    entry: int | None = None
    mine: bool = False
    remark: str = ""  # a sentence after all of it
    bells: int | None = None  # people who agreed, of `needs`
    href: str = ""  # of what the text names


def stages_of(detail: ProposalDetail) -> list[Stage]:
    """Return the lines, in the order in which they happen."""
    places = _Places(detail)
    found = [_my_vote(detail, places), _agreed(detail), _settled(detail, places)]
    return [stage for stage in found if stage is not None] + _dispatch(detail, places)


class _Places:
    """The newest place in the trail of each kind of event."""

    def __init__(self, detail: ProposalDetail) -> None:
        self.lines = detail.history

    def of(self, *actions: str, who: str = "") -> int | None:
        found = [
            line.index
            for line in self.lines
            if line.action in actions and (not who or line.actor_id == who)
        ]
        return found[-1] if found else None


def _my_vote(detail: ProposalDetail, places: _Places) -> Stage | None:
    vote = detail.my_vote
    if vote is None:
        return None
    return Stage(
        label="Your vote",
        signal="clear" if vote.choice is Choice.APPROVE else "stop",
        word=vote.choice.value.capitalize(),
        text=f"signed with passkey {vote.signed_with}, recorded"
        if vote.signed_with
        else "recorded",
        remark=policies.remark(vote.choice, vote.expected_s, vote.taken_ms),
        at=vote.cast_at,
        event=str(vote.event_uid),
        entry=places.of("vote.cast", who=str(vote.person_id)),
        mine=True,
    )


def _agreed(detail: ProposalDetail) -> Stage | None:
    """Return how many agreed, for those who may see it."""
    if not detail.given:
        return None  # nobody agreed, or the reader may not know
    needs = detail.requirement.people
    return Stage(
        label="Approvals",
        signal="info",
        word=f"{detail.given} of {needs}",
        sealed=False,
        bells=detail.given,
    )


def _settled(detail: ProposalDetail, places: _Places) -> Stage | None:
    entry = places.of("proposal.decided", "check.answered", "check.lapsed")
    if detail.decision is not None:
        by = " and ".join(detail.decision.people)
        standing = detail.decision.standing
        why = _REASONS.get(detail.close_cause, "")
        if detail.decision.outcome is not Outcome.REJECTED:
            why = ""
        return Stage(
            label="Decided",
            signal="stop" if detail.decision.outcome is Outcome.REJECTED else "clear",
            word=detail.decision.outcome.value.capitalize(),
            text=f"by {by}{f': {why}' if why else ''}" if by else f"by {detail.decision.basis}",
            at=detail.decision.decided_at,
            entry=entry,
            href=f"{reverse('approvals:standing')}?one={standing.id}" if standing else "",
        )
    if not detail.card.settled:
        return None
    said = ended_by_clock(detail) or _ENDED.get(detail.close_cause, detail.close_cause)
    return Stage(
        label="Ended",
        signal="quiet",
        word=detail.card.state.value.capitalize(),
        text=said,
        at=detail.card.moved_at,
        entry=entry,
    )


def _dispatch(detail: ProposalDetail, places: _Places) -> list[Stage]:
    """Return queued, sent and confirmed as lines of their own."""
    sent = detail.dispatch
    if sent is None:
        if detail.card.state is not ProposalState.APPROVED:
            return []
        text = "queued; waits for the run to take it up"
        return [
            Stage(
                label="Dispatch",
                signal="caution",
                word="Not yet",
                text=text,
                at=detail.card.moved_at,
                sealed=False,
            )
        ]
    queued = detail.decision.decided_at if detail.decision else None
    lines = [Stage(label="Queued", signal="info", word="Queued", at=queued, sealed=False)]
    waits = sent.state is DispatchState.CLAIMED
    lines.append(
        Stage(
            label="Sent",
            signal="info",
            word="Sent, not confirmed yet" if waits else "Sent",
            at=sent.claimed_at,
            entry=places.of("proposal.dispatched"),
            remark=_seen(sent),
        )
    )
    if not waits:
        signal, word, text = (_OF_PLANS if detail.card.steps else _CONFIRMED)[sent.state]
        lines.append(
            Stage(
                label="Confirmed" if sent.state is DispatchState.SUCCEEDED else "Outcome",
                signal=signal,
                word=word,
                text=text,
                at=sent.settled_at,
                entry=places.of(*_OUTCOMES),
            )
        )
    return lines


def _seen(sent: DispatchCard) -> str:
    """Say how old the last look at a target outside was; of our own records there is none."""
    if sent.seen_at is None:
        return ""
    age_s = (sent.claimed_at - sent.seen_at).total_seconds()
    return f"Its target outside was looked at {age_s:.1f} seconds before."
