"""What can happen to a proposal; every event is about the proposal, so one history tells it all."""

from approvals.events.checking import CheckAnswered, CheckLapsed, CheckPlanted, ChecksSwitched
from approvals.events.clocks import (
    ProposalExtended,
    ProposalFillable,
    ProposalReminded,
    ProposalUnfillable,
)
from approvals.events.dispatches import (
    DispatchFailed,
    DispatchReconciled,
    DispatchRefused,
    DispatchStaled,
    DispatchSucceeded,
    DispatchUnknown,
)
from approvals.events.external import ExternalToolAdded, ExternalToolRetired
from approvals.events.notices import CHANNELS, ChannelAdded, ChannelSwitched, ChannelTested
from approvals.events.plans import PlanBroken, PlanProposed
from approvals.events.policies import (
    PolicyActivated,
    PolicyDrafted,
    PolicyRetired,
    PolicyShadowed,
)
from approvals.events.proposals import (
    CLAIMS,
    PAGES,
    PROPOSAL,
    PROPOSAL_CLAIMS,
    QUEUE,
    ProposalDecided,
    ProposalDispatched,
    ProposalFrozen,
    ProposalOpened,
    ProposalReopened,
    ProposalRevised,
    ProposalStaled,
    ProposalTakenOver,
    ProposalThawed,
    ProposalWidened,
    StepDecided,
)
from approvals.events.sealed import ArgumentsErased, ArgumentsSealed
from approvals.events.standing import STANDING, StandingMade, StandingRevoked
from approvals.events.thread import ProposalAnswered, ProposalAsked, ProposalNoted
from approvals.events.votes import VoteCast, VoteRefused, VoteVoided

__all__ = [
    "CHANNELS",
    "CLAIMS",
    "PAGES",
    "PROPOSAL",
    "PROPOSAL_CLAIMS",
    "QUEUE",
    "STANDING",
    "ArgumentsErased",
    "ArgumentsSealed",
    "ChannelAdded",
    "ChannelSwitched",
    "ChannelTested",
    "CheckAnswered",
    "CheckLapsed",
    "CheckPlanted",
    "ChecksSwitched",
    "DispatchFailed",
    "DispatchReconciled",
    "DispatchRefused",
    "DispatchStaled",
    "DispatchSucceeded",
    "DispatchUnknown",
    "ExternalToolAdded",
    "ExternalToolRetired",
    "PlanBroken",
    "PlanProposed",
    "PolicyActivated",
    "PolicyDrafted",
    "PolicyRetired",
    "PolicyShadowed",
    "ProposalAnswered",
    "ProposalAsked",
    "ProposalDecided",
    "ProposalDispatched",
    "ProposalExtended",
    "ProposalFillable",
    "ProposalFrozen",
    "ProposalNoted",
    "ProposalOpened",
    "ProposalReminded",
    "ProposalReopened",
    "ProposalRevised",
    "ProposalStaled",
    "ProposalTakenOver",
    "ProposalThawed",
    "ProposalUnfillable",
    "ProposalWidened",
    "StandingMade",
    "StandingRevoked",
    "StepDecided",
    "VoteCast",
    "VoteRefused",
    "VoteVoided",
]
