"""The reads of approvals."""

from approvals.queries.changes import interdiff
from approvals.queries.detail import proposal
from approvals.queries.people import tool_id_of, voters_of
from approvals.queries.queue import (
    View,
    awaiting_review,
    due_proposals,
    live_of_runs,
    proposal_for_subject,
    turn_count,
)

__all__ = [
    "View",
    "awaiting_review",
    "due_proposals",
    "interdiff",
    "live_of_runs",
    "proposal",
    "proposal_for_subject",
    "tool_id_of",
    "turn_count",
    "voters_of",
]
