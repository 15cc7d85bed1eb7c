"""Proposals for tests: a shop's order, as the gate would send it."""

from typing import Any
from uuid import UUID

from approvals import commands, queries
from approvals.cards import (
    Content,
    Principal,
    ProposalCard,
    ProposalDetail,
    ProposalFacts,
    Subject,
    VoteReceipt,
)
from approvals.states import Choice, PrincipalRole
from console.kernel.actors import Actor, ActorKind, Link, system
from console.kernel.ids import uuid7
from tests.cast import Cast

CONTRACT = "c" * 64
BEFORE = {"orders": {"#W1": {"status": "pending", "total": 41800, "note": "leave at door"}}}
AFTER = {"orders": {"#W1": {"status": "cancelled", "total": 41800, "note": "leave at door"}}}


def content(**other: Any) -> Content:
    values: dict[str, Any] = {
        "tool": "cancel_pending_order",
        "contract_hash": CONTRACT,
        "args": {"order_id": "#W1", "reason": "ordered by mistake"},
        "before": BEFORE,
        "after": AFTER,
    }
    return Content(**{**values, **other})


def agent(cast: Cast) -> Actor:
    """Return the agent that asks; Omar started its run."""
    started = Link(kind="person", id=cast.omar.id, label=cast.omar.label)
    return Actor(
        tenant_id=cast.tenant_id,
        kind=ActorKind.AGENT,
        id="refunds",
        label="refunds",
        via=(started,),
    )


def pulse(cast: Cast) -> Actor:
    return system("pulse.approvals", cast.tenant_id)


def principals(cast: Cast) -> tuple[Principal, ...]:
    """Return the chain: the agent, Noor who owns it, Omar who started the run."""
    return (
        Principal(
            role=PrincipalRole.AGENT, actor_kind="agent", actor_id="refunds", label="refunds"
        ),
        Principal(
            role=PrincipalRole.OWNER,
            actor_kind="person",
            actor_id=cast.noor.id,
            label="Noor",
            person_id=UUID(cast.noor.id),
        ),
        Principal(
            role=PrincipalRole.STARTER,
            actor_kind="person",
            actor_id=cast.omar.id,
            label="Omar",
            person_id=UUID(cast.omar.id),
        ),
    )


def facts(tier: int = 1, **other: Any) -> ProposalFacts:
    values: dict[str, Any] = {
        "title": "Cancel order #W1",
        "tier": tier,
        "agent_id": "refunds",
        "agent_label": "refunds v14",
        "run_id": uuid7(),
        "why": "The customer ordered it by mistake.",
        "tool_summary": "Cancels a pending order and refunds it.",
    }
    return ProposalFacts(**{**values, **other})


def opened(
    cast: Cast,
    *,
    tier: int = 1,
    subject: Subject | None = None,
    chain: tuple[Principal, ...] | None = None,
    facts_: ProposalFacts | None = None,
    **other: Any,
) -> ProposalCard:
    return commands.open_proposal(
        actor=agent(cast),
        subject=subject or Subject(kind="tool_call", id=uuid7()),
        content=content(**other),
        facts=facts_ or facts(tier),
        principals=principals(cast) if chain is None else chain,
    )


def opened_many(cast: Cast, count: int, *, both_tiers: bool = False) -> list[ProposalCard]:
    """Open more than one agent may have waiting, every second one of tier 2 if so asked."""
    tiers = [1 + n % 2 if both_tiers else 1 for n in range(count)]
    return [
        opened(cast, tier=tier, facts_=facts(tier, agent_id=f"refunds-{n % 7}"))
        for n, tier in enumerate(tiers)
    ]


def shown(card: ProposalCard, actor: Actor) -> ProposalCard:
    """Have somebody look at all of a proposal, as its page keeps it."""
    commands.serve_parts(
        actor=actor,
        proposal_id=card.id,
        revision_no=card.revision_no,
        parts=queries.parts_needed(actor=actor, proposal_id=card.id, revision_no=card.revision_no),
    )
    return card


def vote(card: ProposalCard, actor: Actor, choice: Choice, **other: Any) -> VoteReceipt:
    """Cast a vote on what was shown before."""
    why = {"reason_code": "not_asked_for", "note": "She asked for another order."}
    values: dict[str, Any] = {
        "proposal_id": card.id,
        "revision_no": card.revision_no,
        "seen_digest": card.digest,
        "choice": choice,
        **(why if choice is Choice.REJECT else {}),
    }
    return commands.cast_vote(actor=actor, **{**values, **other})


def approve(card: ProposalCard, actor: Actor, **other: Any) -> VoteReceipt:
    """Look at a proposal and approve it."""
    return vote(shown(card, actor), actor, Choice.APPROVE, **other)


def reject(card: ProposalCard, actor: Actor, **other: Any) -> VoteReceipt:
    """Look at a proposal and reject it."""
    return vote(shown(card, actor), actor, Choice.REJECT, **other)


def approved(cast: Cast, *, tier: int = 1) -> ProposalCard:
    card = opened(cast, tier=tier)
    approve(card, cast.ruth)
    if tier == 2:
        approve(card, cast.ines)
    return card


def claim(cast: Cast, card: ProposalCard, *, key: UUID | None = None, **other: Any) -> Any:
    return commands.claim_dispatch(
        actor=agent(cast), proposal_id=card.id, call_key=key or uuid7(), content=content(**other)
    )


def now(cast: Cast, card: ProposalCard, reader: Actor | None = None) -> ProposalDetail:
    return queries.proposal(actor=reader or cast.system, proposal_id=card.id)
