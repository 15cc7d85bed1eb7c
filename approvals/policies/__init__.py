"""Who may vote, when it is enough, and until when: pure functions over values."""

from approvals.policies.content import require_decidable, require_not_frozen, require_reason
from approvals.policies.matching import assignment, largest_matching
from approvals.policies.people import about_somebody_else, can_be_filled, require_voter, who_refusal
from approvals.policies.requirement import (
    ANY_GROUP,
    ANYBODY,
    DENY_THRESHOLD,
    MOST_REFRESHES,
    answers_to,
    asked_groups,
    blocks_from,
    requirement_as_dict,
    requirement_for,
)
from approvals.policies.timing import Freeze, Window, require_in_time

__all__ = [
    "ANYBODY",
    "ANY_GROUP",
    "DENY_THRESHOLD",
    "MOST_REFRESHES",
    "Freeze",
    "Window",
    "about_somebody_else",
    "answers_to",
    "asked_groups",
    "assignment",
    "blocks_from",
    "can_be_filled",
    "largest_matching",
    "require_decidable",
    "require_in_time",
    "require_not_frozen",
    "require_reason",
    "require_voter",
    "requirement_as_dict",
    "requirement_for",
    "who_refusal",
]
