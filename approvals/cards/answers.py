"""What commands answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from approvals.states import (
    CheckOutcome,
    ProposalState,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteReceipt:
    """Proof that a vote was recorded."""

    event_uid: UUID
    state: ProposalState
    needed: int
    given: int
    repeated: bool = False  # the same vote was on record already
    remark: str = ""  # that an approval came sooner than its change can be read, or was a check's
    check: CheckOutcome | None = None  # where the vote answered a planted check
    in_place_of: str = ""  # whose place it fills, by a delegation


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """The one permission to execute; `args` were decoded from the stored bytes."""

    dispatch_id: UUID
    args: Mapping[str, Any]
    repeated: bool = False  # the same call key had claimed it before


@dataclass(frozen=True, slots=True, kw_only=True)
class NotClaimed:
    """Nothing may run; what was noticed is kept."""

    state: ProposalState
    code: str
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)
