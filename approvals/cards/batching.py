"""Several proposals of one tool that one person decides in one act."""

from dataclasses import dataclass
from uuid import UUID

from approvals.cards.answers import VoteReceipt
from approvals.cards.lists import ProposalCard
from approvals.cards.people import Lent


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One item of a batch, bound to what was on screen."""

    proposal_id: UUID
    revision_no: int
    digest: str  # hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What one item does to one field."""

    before: str | None
    after: str | None
    outlier: str = ""  # why it stands out among the others


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One field that the items change; `cells` are in the order of the items."""

    name: str
    cells: tuple[Cell, ...]
    same: bool  # every item does the same


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """One item with what its column cells say."""

    card: ProposalCard
    records: tuple[str, ...]  # "kind id" of what it touches
    parts: tuple[str, ...]  # names of the parts that the table shows whole
    own: bool  # the reader can vote on it for themselves
    instead: bool  # or in the place that was lent to them


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A selected proposal that cannot be part of a batch, and why."""

    card: ProposalCard
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCard:
    """Proposals of one tool, contract and policy version, as one table."""

    tool: str
    most: int
    rows: tuple[BatchRow, ...]
    columns: tuple[Column, ...]
    left_out: tuple[LeftOut, ...]
    lent: Lent | None  # to the reader, where it fits one of the rows


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """What became of one item: a receipt, or a refusal of its own."""

    proposal_id: UUID
    title: str
    receipt: VoteReceipt | None
    code: str = ""
    message: str = ""
