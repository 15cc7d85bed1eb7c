"""The words of a proposal's life, and the table of moves between them."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class ProposalState(StrEnum):
    """Where a proposal stands; the first three are live, the others are final."""

    OPEN = "open"
    APPROVED = "approved"
    STALE = "stale"
    DISPATCHED = "dispatched"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    BLOCKED = "blocked"


class Outcome(StrEnum):
    """What `proposal.decided` says happened."""

    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    BLOCKED = "blocked"


class Basis(StrEnum):
    """Whose word a decision rests on."""

    PEOPLE = "people"
    RULE = "rule"
    STANDING = "standing"
    PLAN = "plan"
    BREAK_GLASS = "break_glass"
    TIMEOUT_RULE = "timeout_rule"


class Choice(StrEnum):
    """What a person says about one digest."""

    APPROVE = "approve"
    REJECT = "reject"


class PrincipalRole(StrEnum):
    """Why somebody belongs to the principal chain."""

    AGENT = "agent"
    OWNER = "owner"
    STARTER = "starter"
    EDITOR = "editor"


class DispatchState(StrEnum):
    """What is known about the one execution of a proposal."""

    CLAIMED = "claimed"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


class RejectCode(StrEnum):
    """The class of a rejection; the end user may learn this much."""

    WRONG_TARGET = "wrong_target"
    WRONG_VALUE = "wrong_value"
    NOT_ASKED_FOR = "not_asked_for"
    AGAINST_POLICY = "against_policy"
    NEEDS_INFORMATION = "needs_information"
    OTHER = "other"


REJECT_LABELS: Final[Mapping[RejectCode, str]] = {
    RejectCode.WRONG_TARGET: "Wrong customer or record",
    RejectCode.WRONG_VALUE: "Wrong amount or value",
    RejectCode.NOT_ASKED_FOR: "The customer did not ask for this",
    RejectCode.AGAINST_POLICY: "Against the policy",
    RejectCode.NEEDS_INFORMATION: "Information is missing",
    RejectCode.OTHER: "Another reason",
}

BIRTHS: Final[frozenset[ProposalState]] = frozenset(
    {ProposalState.OPEN, ProposalState.APPROVED, ProposalState.BLOCKED}
)
LIVE: Final[frozenset[ProposalState]] = frozenset(
    {ProposalState.OPEN, ProposalState.APPROVED, ProposalState.STALE}
)
DECIDABLE: Final[frozenset[ProposalState]] = frozenset({ProposalState.OPEN, ProposalState.STALE})
FINAL: Final[frozenset[ProposalState]] = frozenset(ProposalState) - LIVE

# The trigger `proposal_transition_allowed` repeats this table; a test compares the two.
NEXT: Final[Mapping[ProposalState, frozenset[ProposalState]]] = {
    ProposalState.OPEN: frozenset(
        {
            ProposalState.APPROVED,
            ProposalState.REJECTED,
            ProposalState.EXPIRED,
            ProposalState.WITHDRAWN,
            ProposalState.SUPERSEDED,
            ProposalState.STALE,
        }
    ),
    ProposalState.APPROVED: frozenset(
        {
            ProposalState.DISPATCHED,
            ProposalState.EXPIRED,
            ProposalState.WITHDRAWN,
            ProposalState.SUPERSEDED,
            ProposalState.STALE,
            ProposalState.OPEN,
            ProposalState.BLOCKED,
        }
    ),
    ProposalState.STALE: frozenset(
        {
            ProposalState.OPEN,
            ProposalState.REJECTED,
            ProposalState.EXPIRED,
            ProposalState.WITHDRAWN,
            ProposalState.SUPERSEDED,
        }
    ),
    **{state: frozenset() for state in FINAL},
}

NEXT_DISPATCH: Final[Mapping[DispatchState, frozenset[DispatchState]]] = {
    DispatchState.CLAIMED: frozenset(
        {DispatchState.SUCCEEDED, DispatchState.FAILED, DispatchState.UNKNOWN}
    ),
    # Unknown is settled later, by the contract's probe or by a person.
    DispatchState.UNKNOWN: frozenset({DispatchState.SUCCEEDED, DispatchState.FAILED}),
    DispatchState.SUCCEEDED: frozenset(),
    DispatchState.FAILED: frozenset(),
}
