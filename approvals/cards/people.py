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

    Either listed as slots, or `spread` people who can be told apart by group as well.
    """

    slots: tuple[Slot, ...] = ()
    spread: int = 0

    @property
    def people(self) -> int:
        return self.spread or sum(slot.n for slot in self.slots)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """Who must agree and how long that may take; frozen when the proposal opens."""

    blocks: tuple[Block, ...]
    blind: bool
    decide_s: int
    execute_s: int
    explanation: str
    on_expiry: str = "refuse"

    @property
    def people(self) -> int:
        """Return how many different people are needed at least."""
        return max(block.people for block in self.blocks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Voter:
    """A person as the rules see them at one moment."""

    person_id: UUID
    name: str
    groups: frozenset[str]
    active: bool
    may_vote: bool  # holds the right, for the tenant or for this tool


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One filled place of an assignment."""

    block: int
    person_id: UUID
    group: str
