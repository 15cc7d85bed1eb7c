"""What would happen, in our own words, before anything that somebody else wrote."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from approvals.cards import Background, Evidence, FieldChange, ProposalDetail, Requirement
from approvals.policies import planning
from approvals.policies.external import is_outside
from approvals.states import DispatchState, ProposalState

_MOST_AMOUNTS: Final = 3
_MOST_KINDS: Final = 4
_OF_PLANS: Final = {
    DispatchState.CLAIMED: "Runs now, one change after the other:",
    DispatchState.SUCCEEDED: "Done:",
    DispatchState.FAILED: "Ended early, some of it was not made:",
    DispatchState.UNKNOWN: "Ended early, and nobody knows about one change:",
}
_NUMBERS: Final = frozenset({"number", "decimal"})


def consequence_of(
    detail: ProposalDetail, evidence: Evidence, background: Background | None, gap: str
) -> dict[str, Any]:
    """Return what `approvals/consequence.html` shows.

    Args:
        gap: what may still happen between the last look at the target and the change, or "".
    """
    return {
        "headline": _headline(detail),
        "amounts": _amounts(detail.diff.changes),
        "more_amounts": max(0, len(_numbers(detail.diff.changes)) - _MOST_AMOUNTS),
        "undo": detail.facts.undo or "This cannot be undone after dispatch.",
        "lasting": not detail.facts.undo,
        "radius": radius(detail),
        "read_at": evidence.read_at,
        "gap": gap,
        "told": is_outside(detail.card.agent_id),
        "words": background.customers_words if background else (),
        "words_known": background is not None,
        "why": f"{detail.requirement.explanation}{_settling(detail.requirement)}",
    }


def _headline(detail: ProposalDetail) -> str:
    """Return how the title is to be read."""
    state = detail.card.state
    if detail.dispatch is not None:
        if detail.card.steps:
            return _OF_PLANS[detail.dispatch.state]
        return {
            DispatchState.CLAIMED: "Handed over:",
            DispatchState.SUCCEEDED: "Done:",
            DispatchState.FAILED: "Failed, nothing was changed:",
            DispatchState.STALE: "Not made, because the target had changed:",
            DispatchState.UNKNOWN: "Nobody knows whether this happened:",
        }[detail.dispatch.state]
    if state is ProposalState.APPROVED:
        return "This may run now:"
    return "Nothing ran. It would have been:" if detail.card.settled else "If approved:"


def radius(detail: ProposalDetail) -> str:
    """Say how much would be touched."""
    changes = detail.diff.changes
    bare = planning.kind_of_step if detail.card.steps else str
    records = {(bare(change.kind), change.record) for change in changes}
    kinds = Counter(kind for kind, _ in records)
    named = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())[:_MOST_KINDS])
    more = ", and more kinds" if len(kinds) > _MOST_KINDS else ""
    stay = _count(len(detail.diff.unchanged), "other field")
    said = f"{_count(len(changes), 'field')} of {_count(len(records), 'record')}"
    kept = f"; {stay} of them stay" if detail.diff.unchanged else ""
    return f"{said} ({named}{more}){kept}" if records else said


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _numbers(changes: Sequence[FieldChange]) -> list[FieldChange]:
    return [
        change
        for change in changes
        if any(side and side.type in _NUMBERS for side in (change.before, change.after))
    ]


def _amounts(changes: Sequence[FieldChange]) -> list[dict[str, Any]]:
    """Return the first numbers that move, the alarming ones before the others."""
    found = sorted(_numbers(changes), key=lambda change: not change.alarm)
    several = len({(change.kind, change.record) for change in changes}) > 1
    return [
        {
            "path": f"{change.record} {change.path}" if several else change.path,
            "before": change.before.text if change.before else "none",
            "after": change.after.text if change.after else "none",
            "note": change.note,
            "alarm": change.alarm,
        }
        for change in found[:_MOST_AMOUNTS]
    ]


def _settling(requirement: Requirement) -> str:
    """Return how many rejections settle it, where one is not enough."""
    needed = requirement.deny_threshold
    return f" {needed} rejections settle it." if needed > 1 else ""
