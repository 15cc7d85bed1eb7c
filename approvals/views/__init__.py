"""Pages of approvals: the queue, one proposal, voting."""

from approvals.views.pages import detail, following, queue, vote, withdraw_vote

__all__ = ["detail", "following", "queue", "vote", "withdraw_vote"]
