"""Break-glass for tests: lending the right, and using it on what was looked at."""

from typing import Any
from uuid import UUID

from approvals import commands
from approvals.cards import ProposalCard
from approvals.cards.reviewing import GlassReceipt, GrantCard, ReviewTaskCard
from approvals.states import ReviewVerdict
from console.kernel.actors import Actor
from tests.approvals.desk import shown
from tests.cast import Cast


def lend(cast: Cast, to: Actor, *, minutes: int = 60) -> GrantCard:
    return commands.lend_break_glass(
        actor=cast.noor, person_id=UUID(to.id), minutes=minutes, reason="The shop is down."
    )


def use(card: ProposalCard, actor: Actor, **other: Any) -> GlassReceipt:
    """Break glass on what was shown before."""
    values: dict[str, Any] = {
        "proposal_id": card.id,
        "revision_no": card.revision_no,
        "seen_digest": card.digest,
        "reason": "Orders go out twice a minute.",
        "ticket": "INC-7",
    }
    return commands.break_glass(actor=actor, **{**values, **other})


def broken(card: ProposalCard, actor: Actor, **other: Any) -> GlassReceipt:
    """Look at a proposal and break glass."""
    return use(shown(card, actor), actor, **other)


def close(task_id: UUID, actor: Actor, **other: Any) -> ReviewTaskCard:
    values: dict[str, Any] = {"verdict": ReviewVerdict.AGREE, "note": "It could not wait."}
    return commands.close_review_task(actor=actor, task_id=task_id, **{**values, **other})
