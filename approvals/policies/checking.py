"""Planted checks: when one is drawn, what the trail commits to, and what is said afterwards."""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from approvals.cards import CheckTruth
from approvals.states import CheckOutcome
from console.kernel import canonical

APART: Final = timedelta(hours=4)
ONE_IN: Final = 50  # of what a person opens
LAST: Final = 20  # checks that are looked at together
LEAST_CAUGHT: Final = 16  # of these; fewer is told to the person and to who leads
CHECK_TYPE: Final = "signalbox/check/1"
_SCALE: Final = 2**64


def is_drawn(key: bytes, *, person_id: UUID, proposal_id: UUID) -> bool:
    """Say whether this person's opening of this proposal draws a check.

    The same every time, so that a crash draws no second lot; not to be foreseen without the key.
    """
    lot = hmac.digest(key, person_id.bytes + proposal_id.bytes, "sha256")
    return int.from_bytes(lot[:8]) * ONE_IN < _SCALE


def place(key: bytes, *, lot: UUID, candidate: UUID) -> bytes:
    """Return where a candidate stands in the order of one lot; again not to be foreseen."""
    return hmac.digest(key, lot.bytes + candidate.bytes, "sha256")


def window_no(at: datetime) -> int:
    """Return which four hours since 1970 a moment lies in."""
    return int(at.timestamp()) // int(APART.total_seconds())


def commitment(truth: CheckTruth) -> bytes:
    """Return the SHA-256 that the trail holds before the answer, over all that is revealed after.

    Without the nonce nobody can try which person or proposal it is.
    """
    return canonical.digest(
        {
            "type": CHECK_TYPE,
            "tenant": str(truth.tenant_id),
            "check": str(truth.check_id),
            "proposal": str(truth.proposal_id),
            "person": str(truth.person_id),
            "source": str(truth.source_id),
            "template": truth.template,
            "digest": truth.digest,
            "nonce": truth.nonce,
        }
    )


def revealed(outcome: CheckOutcome, wrong: str) -> str:
    """Return what the receipt says of a check that ended."""
    match outcome:
        case CheckOutcome.CAUGHT:
            return f"This was a planted check, and you caught it. {wrong} Nothing could have run."
        case CheckOutcome.MISSED:
            return f"This was a planted check, and you approved it. {wrong} Nothing has run."
        case _:
            return f"This was a planted check; its time is over. {wrong} Nothing has run."


def too_few_caught(newest: Sequence[CheckOutcome]) -> bool:
    """Say whether fewer than 80 % of the last 20 answered checks were caught; unknown before 20."""
    last = newest[:LAST]
    return len(last) == LAST and sum(one is CheckOutcome.CAUGHT for one in last) < LEAST_CAUGHT
