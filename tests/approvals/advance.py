"""Standing approvals for tests: one order of any, for one reason, unless a test says otherwise."""

from typing import Any

from approvals import commands
from approvals.cards import ProposalCard, StandingCard, StandingTerms
from console.kernel.actors import Actor
from tests.approvals.desk import approve, opened
from tests.cast import Cast

MISTAKE = {"path": "/args/reason", "op": "eq", "value": "ordered by mistake"}
ANY_ORDER = ("/args/order_id",)


def terms(*conditions: dict[str, Any], **other: Any) -> StandingTerms:
    values: dict[str, Any] = {"free": ANY_ORDER, "uses": 3, "days": 7}
    return StandingTerms(conditions=conditions or (MISTAKE,), **{**values, **other})


def make(card: ProposalCard, maker: Actor, *conditions: Any, **other: Any) -> StandingCard:
    """Make a standing approval of something that the maker approved."""
    reason = other.pop("reason", "Mistakes are cancelled all day.")
    return commands.make_standing(
        actor=maker,
        proposal_id=card.id,
        revision_no=card.revision_no,
        seen_digest=card.digest,
        terms=terms(*conditions, **other),
        reason=reason,
    )


def made(cast: Cast, *conditions: Any, **other: Any) -> StandingCard:
    """Have Ruth approve a request, and more like it."""
    card = opened(cast)
    approve(card, cast.ruth)
    return make(card, cast.ruth, *conditions, **other)


def like(order: str, reason: str = "ordered by mistake", **more: Any) -> dict[str, Any]:
    """Return another call of the same tool."""
    return {"args": {"order_id": order, "reason": reason, **more}}


def made_beside(cast: Cast, reason: str = "no longer needed") -> StandingCard:
    """Have Ruth approve another kind of request in advance, which no other test opens."""
    card = opened(cast, **like("#S1", reason))
    approve(card, cast.ruth)
    return make(card, cast.ruth, {**MISTAKE, "value": reason})
