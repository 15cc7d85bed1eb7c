"""What an event of a check's end reveals, and ending one whose time is over."""

from datetime import datetime
from typing import Any, Final

from approvals import policies
from approvals.cards import CheckTruth
from approvals.events import CheckLapsed
from approvals.models import Check, Proposal
from approvals.states import CheckOutcome
from audit.commands import record
from console.kernel.actors import Actor

# Columns of a check that may change at all, once.
ENDING: Final = ("outcome", "answer", "ended_at", "expected_s", "taken_ms", "event_uid")


def revealed(row: Check, digest: str) -> dict[str, Any]:
    """Return all that the commitment covers, with the commitment that the trail has had before.

    Args:
        digest: of the content that was shown, 64 hex characters.
    """
    return {
        "check_id": row.id,
        "proposal_id": row.proposal_id,
        "person": row.person_id,
        "source": row.source_id,
        "template": row.template,
        "digest": digest,
        "nonce": row.nonce,
        "commitment": bytes(row.commitment).hex(),
    }


def commitment_of(row: Check, digest: str) -> bytes:
    """Return what the trail is to hold of a check that is being planted."""
    return policies.commitment(
        CheckTruth(
            tenant_id=row.tenant_id,
            check_id=row.id,
            proposal_id=row.proposal_id,
            person_id=row.person_id,
            source_id=row.source_id,
            template=row.template,
            digest=digest,
            nonce=row.nonce,
        )
    )


def lapse(proposal: Proposal, digest: str, *, actor: Actor, at: datetime) -> None:
    """End a check that nobody answered in time: revealed in the trail, and told to nobody."""
    row = Check.objects.get(proposal=proposal)
    row.outcome, row.ended_at = CheckOutcome.LAPSED.value, at
    receipt = record(CheckLapsed(**revealed(row, digest)), actor=actor)
    row.event_uid = receipt.uid
    row.save(update_fields=ENDING)
