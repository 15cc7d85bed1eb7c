"""Plans: several changes in a fixed order, decided as one."""

from dataclasses import dataclass

from approvals.cards.content import Content, ProposalFacts, Subject
from approvals.cards.lists import ProposalCard


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStep:
    """One change of a plan, as its agent asks for it."""

    subject: Subject
    content: Content
    facts: ProposalFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedPlan:
    """A plan and its changes, as they stand after its opening."""

    plan: ProposalCard
    steps: tuple[ProposalCard, ...]  # in their order
