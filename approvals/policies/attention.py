"""Whether an approval came sooner than its change can be read. It is said, and holds nothing up."""

from collections.abc import Collection, Iterable
from typing import Final
from uuid import UUID

from approvals.cards import Requirement, Voter
from approvals.policies.people import can_be_filled
from approvals.states import Choice

PAGE_S: Final = 3  # to take in what a page is about at all
FIELD_S: Final = 1
CHARS_A_SECOND: Final = 400  # of what differs
MOST_S: Final = 120
ENOUGH: Final = 10  # decisions below which a share or a median says nothing
_MS: Final = 1000


def expected_s(*, fields: int, chars: int) -> int:
    """Return how many whole seconds it usually takes to read a change.

    Args:
        fields: that differ.
        chars: that differ, of both sides; a portion that was begun is not counted.
    """
    return min(MOST_S, PAGE_S + FIELD_S * fields + chars // CHARS_A_SECOND)


def is_too_fast(choice: Choice, expected: int | None, taken_ms: int | None) -> bool:
    """Say whether somebody approved sooner than one can read; a rejection never is too fast."""
    if choice is not Choice.APPROVE or expected is None or taken_ms is None:
        return False
    return taken_ms < expected * _MS


def remark(choice: Choice, expected: int | None, taken_ms: int | None) -> str:
    """Return the sentence for the receipt of an approval that came too fast; "" for any other."""
    if not is_too_fast(choice, expected, taken_ms) or taken_ms is None:
        return ""
    return f"You approved in {taken_ms // _MS} s what usually takes {expected} s to read."


def others_first(
    asked: Iterable[Voter], busy: Collection[UUID], requirement: Requirement
) -> frozenset[UUID]:
    """Return whom to tell first: without the busy ones where the others suffice, else everybody.

    Args:
        asked: who can decide it, outside the principal chain.
        busy: ids of people who decided more than `DECISIONS_AN_HOUR` in the last hour.
    """
    everybody = list(asked)
    others = [voter for voter in everybody if voter.person_id not in busy]
    enough = can_be_filled(requirement, others, ())
    return frozenset(voter.person_id for voter in (others if enough else everybody))
