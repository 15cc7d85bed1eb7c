"""Who must agree, and who may."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """`n` places for people of one of the groups; "*" means any reviewer."""

    groups: tuple[str, ...]
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Places that must all be filled by different people.

    Exactly one of three: listed as slots; `spread` people who can be told apart by group as well;
    or `any_of` several lists of slots, of which one has to be filled.
    """

    slots: tuple[Slot, ...] = ()
    spread: int = 0
    any_of: tuple[tuple[Slot, ...], ...] = ()

    @property
    def people(self) -> int:
        """Return how many different people fill it at least."""
        return self.spread or min(sum(slot.n for slot in slots) for slots in self.lists)

    @property
    def lists(self) -> tuple[tuple[Slot, ...], ...]:
        """Return the lists of slots of which one has to be filled; none for `spread`."""
        return () if self.spread else self.any_of or (self.slots,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """What happens when a share of the time to decide has passed."""

    at: str  # share of the window as a decimal, "0.5"
    act: str  # "remind" or "widen"
    groups: tuple[str, ...] = ()  # to which a "widen" asks as well


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """Who must agree and how long that may take; what was asked once is never taken back."""

    blocks: tuple[Block, ...]
    blind: bool
    decide_s: int
    execute_s: int
    explanation: str
    on_expiry: str = "refuse"  # refuse, return, park, escalate; approve in tier 1 only
    stepup_s: int = 0  # how old the proof of who votes may be; 0: any age
    deny_threshold: int = 1  # rejections that settle it
    ladder: tuple[Rung, ...] = ()  # in the order of `at`
    batch_most: int = 0  # how many may be decided in one act; 0: never in a batch
    standing: bool = False  # whether a standing approval may be made of it
    sample: str = "0"  # share of the automatic approvals that people look at later
    policy_version: UUID | None = None  # that asked for this; None: the tier alone

    @property
    def people(self) -> int:
        """Return how many different people are needed at least."""
        return max(block.people for block in self.blocks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent:
    """A place that somebody lent to a voter, who may fill it as that person could themselves."""

    delegation_id: UUID
    person_id: UUID  # whose place it is
    name: str
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Voter:
    """A person as the rules see them at one moment."""

    person_id: UUID
    name: str
    groups: frozenset[str]
    active: bool
    may_vote: bool  # holds the right, for the tenant or for this tool
    lent: Lent | None = None  # besides the groups of their own; one vote fills one of the two
    one_with: frozenset[UUID] = frozenset()  # who counts as one person with them

    @property
    def reach(self) -> frozenset[str]:
        """Return the groups whose places the person could fill, in one capacity or the other."""
        return self.groups | {self.lent.group} if self.lent else self.groups


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One filled place of an assignment."""

    block: int
    person_id: UUID
    group: str
