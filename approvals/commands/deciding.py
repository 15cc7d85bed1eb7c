"""Writing down how a proposal was settled: the decision, and the event that says so."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from approvals.commands import sealing
from approvals.events import ProposalDecided, StepDecided
from approvals.models import Decision, Proposal, Revision
from approvals.states import Basis, Outcome
from audit.commands import record
from console.kernel.actors import Actor

Assignment = Sequence[Mapping[str, object]]  # {"block", "person", "group"} for each filled place


def store(
    revision: Revision,
    outcome: Outcome,
    *,
    basis: Basis,
    assignment: Assignment,
    at: datetime,
    decide_by: datetime,
) -> None:
    """Insert the decision about a revision; the constraint allows one that counts."""
    Decision.objects.create(
        tenant_id=revision.tenant_id,
        proposal_id=revision.proposal_id,
        revision=revision,
        digest=revision.digest,
        outcome=outcome.value,
        basis=basis.value,
        assignment=[dict(place) for place in assignment],
        decided_at=at,
        decide_by=decide_by,
    )


def rests_on_votes(row: Proposal) -> bool:
    """Say whether people's votes carry the decision that counts."""
    found = Decision.objects.filter(proposal=row, voided_at__isnull=True)
    return set(found.values_list("basis", flat=True)) == {Basis.PEOPLE.value}


def tell(
    row: Proposal, revision: Revision, outcome: Outcome, *, actor: Actor, **facts: Any
) -> None:
    """Record that a proposal left the people's desk.

    Args:
        facts: further fields of `ProposalDecided`: code, agent_message, basis, rules, fallback.
    """
    if row.is_check:  # nobody waits for it: its end has an event of its own
        sealing.lapse(row, bytes(revision.digest).hex(), actor=actor, at=row.moved_at)
        return
    decided = ProposalDecided if row.plan_id is None else StepDecided
    event = decided(
        proposal_id=row.id,
        outcome=outcome.value,
        revision_no=row.revision_no,
        digest=bytes(revision.digest).hex(),
        **{"basis": "", "code": "", "agent_message": "", **facts},
    )
    record(event, actor=actor)


def lines(assignment: Assignment) -> tuple[str, ...]:
    """Return an assignment as the event names it."""
    return tuple(
        f"{place['block']} {place['person']} {place['group']}".strip() for place in assignment
    )
