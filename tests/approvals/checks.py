"""Planted checks for tests: real proposals that people agreed to, and a check made of one."""

from typing import Any
from uuid import UUID

from approvals import commands, queries
from approvals.cards import ProposalCard
from approvals.models import Check, Proposal
from console.kernel.actors import Actor, system
from console.kernel.transactions import in_tenant
from tests.approvals.desk import approve, opened
from tests.cast import Cast


def order(n: int, *, status: str = "pending", paid: tuple[str, ...] = ("418.00",)) -> Any:
    history = [{"transaction_type": kind, "amount": "418.00"} for kind in paid]
    return {"orders": {f"#W1000{n}": {
        "status": status, "user_id": f"mia_{n}", "payment_history": history,
    }}}  # fmt: skip


def asked(cast: Cast, n: int, **other: Any) -> ProposalCard:
    """Open the cancelling of order n, with its refund."""
    return opened(
        cast,
        args={"order_id": f"#W1000{n}", "reason": "ordered by mistake"},
        before=order(n, paid=("payment",)),
        after=order(n, status="cancelled", paid=("payment", "refund")),
        **other,
    )


def agreed(cast: Cast, n: int) -> ProposalCard:
    """Have Ines agree to one, so that Ruth never saw it."""
    card = asked(cast, n)
    approve(card, cast.ines)
    return card


def planter(cast: Cast) -> Actor:
    return system("pulse.checks", cast.tenant_id)


def row_of(cast: Cast, proposal_id: UUID) -> Proposal:
    with in_tenant(cast.tenant_id, read_only=True):
        return Proposal.with_checks.get(pk=proposal_id)


def card_of(cast: Cast, proposal_id: UUID) -> ProposalCard:
    """Return a proposal as Ruth sees it."""
    return queries.proposal(actor=cast.ruth, proposal_id=proposal_id).card


def check_of(cast: Cast, proposal_id: UUID) -> Check:
    with in_tenant(cast.tenant_id, read_only=True):
        return Check.objects.get(proposal_id=proposal_id)


def planted(cast: Cast, who: Actor | None = None) -> UUID:
    """Plant a check for somebody, Ruth unless named; returns its proposal."""
    agreed(cast, 1)
    agreed(cast, 2)
    because = asked(cast, 3)
    found = commands.plant(
        actor=planter(cast), person_id=UUID((who or cast.ruth).id), because_id=because.id
    )
    assert found is not None
    return found
