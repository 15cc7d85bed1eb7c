"""What can happen to a proposal; every event is about the proposal, so one history tells it all."""

from approvals.events.dispatches import (
    DispatchFailed,
    DispatchReconciled,
    DispatchRefused,
    DispatchSucceeded,
    DispatchUnknown,
)
from approvals.events.proposals import (
    PAGES,
    PROPOSAL,
    QUEUE,
    ProposalDecided,
    ProposalDispatched,
    ProposalFrozen,
    ProposalOpened,
    ProposalReopened,
    ProposalRevised,
    ProposalStaled,
    ProposalThawed,
)
from approvals.events.votes import VoteCast, VoteRefused, VoteVoided

__all__ = [
    "PAGES",
    "PROPOSAL",
    "QUEUE",
    "DispatchFailed",
    "DispatchReconciled",
    "DispatchRefused",
    "DispatchSucceeded",
    "DispatchUnknown",
    "ProposalDecided",
    "ProposalDispatched",
    "ProposalFrozen",
    "ProposalOpened",
    "ProposalReopened",
    "ProposalRevised",
    "ProposalStaled",
    "ProposalThawed",
    "VoteCast",
    "VoteRefused",
    "VoteVoided",
]
