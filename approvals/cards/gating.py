"""What became of a wish to change the gate."""

from dataclasses import dataclass

from approvals.cards.external import ExternalToolCard
from approvals.cards.lists import ProposalCard


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolChange:
    """A tool that was changed, or the proposal that asks two people whether it may be."""

    tool: ExternalToolCard | None = None
    waiting: ProposalCard | None = None
    withdrawn: int = 0  # proposals that waited for people
