"""The writes of approvals. Each locks the proposal, reads the time, checks, changes and records."""

from approvals.commands.dispatching import claim_dispatch, report_outcome
from approvals.commands.opening import open_proposal, refresh, withdraw
from approvals.commands.timing import freeze, settle, settle_due, thaw
from approvals.commands.voting import cast_vote, withdraw_vote

__all__ = [
    "cast_vote",
    "claim_dispatch",
    "freeze",
    "open_proposal",
    "refresh",
    "report_outcome",
    "settle",
    "settle_due",
    "thaw",
    "withdraw",
    "withdraw_vote",
]
