"""Who may vote, when it is enough, and until when: pure functions over values."""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from approvals.cards import Block, Place, Principal, Requirement, Slot, Voter
from approvals.errors import (
    AlreadyDecided,
    ProposalExpired,
    ProposalFrozen,
    ReasonRequired,
    VoteByPrincipal,
    VoteNotEligible,
)
from approvals.states import DECIDABLE, Choice, PrincipalRole, ProposalState
from console.kernel.errors import BadInput, ConsoleError

ANYBODY: Final = "*"  # in a slot: any reviewer
ANY_GROUP: Final = "+"  # among the groups asked: whoever is in a group at all
DENY_THRESHOLD: Final = 1
MOST_REFRESHES: Final = 3

_HOUR: Final = 3600
_MINUTE: Final = 60

_DEFAULTS: Final[Mapping[int, Requirement]] = {
    1: Requirement(
        blocks=(Block(slots=(Slot(groups=(ANYBODY,), n=1),)),),
        blind=False,
        decide_s=_HOUR,
        execute_s=15 * _MINUTE,
        explanation="Writes of tier 1 need one reviewer.",
    ),
    2: Requirement(
        blocks=(Block(spread=2),),
        blind=True,
        decide_s=4 * _HOUR,
        execute_s=10 * _MINUTE,
        explanation="Writes of tier 2 need two reviewers from two groups, each from a session "
        "of their own; neither sees the other's vote before casting one.",
    ),
}

_PART: Final[Mapping[PrincipalRole, str]] = {
    PrincipalRole.AGENT: "stand behind the agent",
    PrincipalRole.OWNER: "own the agent",
    PrincipalRole.STARTER: "started the run",
    PrincipalRole.EDITOR: "edited the proposal",
}


def requirement_for(tier: int) -> Requirement:
    """Return who must agree to a write of this tier.

    Raises:
        BadInput: the tier has no proposal (0) or is unknown.
    """
    found = _DEFAULTS.get(tier)
    if found is None:
        raise BadInput(
            f"Tier {tier} has no requirement; give the tool tier 1 or 2.", fields={"tier": "1 or 2"}
        )
    return found


# --- matching ---------------------------------------------------------------------------------


def largest_matching(edges: Sequence[Collection[Hashable]]) -> dict[int, Hashable]:
    """Pair as many left nodes as possible with one right node each, by augmenting paths.

    Args:
        edges: for each left node, in order of preference, the right nodes it may take.
    """
    taken: dict[Hashable, int] = {}

    def place(left: int, seen: set[Hashable]) -> bool:
        for right in edges[left]:
            if right in seen:
                continue
            seen.add(right)
            if right not in taken or place(taken[right], seen):
                taken[right] = left
                return True
        return False

    for left in range(len(edges)):
        place(left, set())
    return {left: right for right, left in taken.items()}


def assignment(requirement: Requirement, approvers: Sequence[Voter]) -> tuple[Place, ...] | None:
    """Return who fills which place, or None while some place stays empty.

    A person fills one place of a block however many groups they are in; blocks are matched
    separately.

    Args:
        approvers: people with an active approval, oldest vote first.
    """
    places: list[Place] = []
    for number, block in enumerate(requirement.blocks):
        filled = _spread(block, approvers) if block.spread else _slots(block, approvers)
        if len(filled) < block.people:
            return None
        places += [Place(block=number, person_id=who, group=group) for who, group in filled]
    return tuple(places)


def _slots(block: Block, approvers: Sequence[Voter]) -> list[tuple[UUID, str]]:
    singles = [slot for slot in block.slots for _ in range(slot.n)]
    edges = [
        [index for index, voter in enumerate(approvers) if _group_in(slot, voter) is not None]
        for slot in singles
    ]
    pairs = largest_matching(edges)
    filled: list[tuple[UUID, str]] = []
    for index, who in sorted(pairs.items()):
        voter = approvers[int(str(who))]
        filled.append((voter.person_id, _group_in(singles[index], voter) or ANYBODY))
    return filled


def _spread(block: Block, approvers: Sequence[Voter]) -> list[tuple[UUID, str]]:
    pairs = largest_matching([sorted(voter.groups) for voter in approvers])
    filled = [(approvers[index].person_id, str(group)) for index, group in sorted(pairs.items())]
    return filled[: block.spread]


def _group_in(slot: Slot, voter: Voter) -> str | None:
    if ANYBODY in slot.groups:
        return ANYBODY
    return min(voter.groups & frozenset(slot.groups), default=None)


def asked_groups(requirement: Requirement) -> frozenset[str]:
    """Return the groups whose members can fill a place; `ANYBODY` and `ANY_GROUP` are wildcards."""
    asked = {group for block in requirement.blocks for slot in block.slots for group in slot.groups}
    if any(block.spread for block in requirement.blocks):
        asked.add(ANY_GROUP)
    return frozenset(asked)


def answers_to(groups: Collection[str]) -> frozenset[str]:
    """Return every name under which a reviewer of these groups is asked."""
    return frozenset({ANYBODY, *groups} | ({ANY_GROUP} if groups else set()))


def can_be_filled(
    requirement: Requirement, reviewers: Iterable[Voter], principals: Collection[Principal]
) -> bool:
    """Say whether all who may vote could together satisfy the requirement."""
    free = [voter for voter in reviewers if who_refusal(voter, requirement, principals) is None]
    return assignment(requirement, free) is not None


# --- who --------------------------------------------------------------------------------------


def require_voter(voter: Voter, requirement: Requirement, principals: Iterable[Principal]) -> None:
    """Raise the first reason why this person may not decide this proposal."""
    for principal in principals:
        if principal.person_id == voter.person_id:
            raise VoteByPrincipal(
                f"You {_PART[principal.role]}; someone else has to decide this.",
                role=principal.role.value,
            )
    if not voter.active or not voter.may_vote:
        raise VoteNotEligible(
            "You do not have the right to vote on this tool; ask an administrator for the "
            "reviewer role.",
            permission="approvals.vote",
        )
    if not asked_groups(requirement) & answers_to(voter.groups):
        raise VoteNotEligible(
            "You are in no review group that this needs; ask an administrator to add you to one."
        )


def who_refusal(
    voter: Voter, requirement: Requirement, principals: Iterable[Principal]
) -> ConsoleError | None:
    """Return what `require_voter` would raise."""
    try:
        require_voter(voter, requirement, principals)
    except ConsoleError as refusal:
        return refusal
    return None


def about_somebody_else(refusal: ConsoleError, principals: Iterable[Principal], who: UUID) -> str:
    """Return the refusal as the people panel says it of another person."""
    for principal in principals:
        if principal.person_id == who:
            return f"has a part in the request ({principal.role.value})"
    if "group" in refusal.message:
        return "is in no review group that this needs"
    return "may not vote on this tool"


# --- when -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A time in which the decide clock stands still; `until` is None while it still does."""

    cause: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The time to decide: it runs from `opened_at`, except while frozen."""

    opened_at: datetime
    length_s: int
    freezes: tuple[Freeze, ...] = ()

    def frozen_for(self, *, at: datetime) -> timedelta:
        """Return the union of all freezes between the opening of the window and `at`."""
        total = timedelta()
        covered = self.opened_at
        for freeze in sorted(self.freezes, key=lambda freeze: freeze.since):
            start = max(freeze.since, covered)
            end = min(freeze.until or at, at)
            if end > start:
                total += end - start
                covered = end
        return total

    def deadline(self, *, at: datetime) -> datetime:
        """Return the decide-by time as far as it is known at `at`."""
        return self.opened_at + timedelta(seconds=self.length_s) + self.frozen_for(at=at)

    def is_over(self, *, at: datetime) -> bool:
        return at >= self.deadline(at=at)

    @property
    def causes(self) -> tuple[str, ...]:
        """Return why the clock stands still now."""
        return tuple(freeze.cause for freeze in self.freezes if freeze.until is None)


def require_in_time(window: Window, *, at: datetime) -> None:
    if window.is_over(at=at):
        raise ProposalExpired(
            "The time to decide is over and nothing ran; ask for a new proposal.",
            decide_by=window.deadline(at=at).isoformat(),
        )


# --- what -------------------------------------------------------------------------------------


def require_decidable(state: ProposalState, choice: Choice, *, settled_by: str) -> None:
    """Raise unless a vote of this kind can still count.

    Args:
        settled_by: who decided and when, as a sentence; "" if the state says it all.
    """
    if state is ProposalState.STALE and choice is Choice.APPROVE:
        raise AlreadyDecided(
            "The target changed after this was proposed; wait for the new revision, or reject.",
            state=state.value,
        )
    if state not in DECIDABLE:
        said = settled_by or f"This proposal is already {state.value}."
        raise AlreadyDecided(f"{said} Nothing is left to decide here.", state=state.value)


def require_not_frozen(window: Window, choice: Choice) -> None:
    if choice is Choice.APPROVE and window.causes:
        raise ProposalFrozen(
            f"This is held by {' and '.join(window.causes)}; reject it now, or approve it after "
            "the release.",
            causes=list(window.causes),
        )


def require_reason(choice: Choice, reason_code: str, note: str) -> None:
    if choice is Choice.REJECT and not (reason_code and note.strip()):
        missing = {
            name: "Required for a rejection."
            for name, value in (("reason_code", reason_code), ("note", note.strip()))
            if not value
        }
        raise ReasonRequired(
            "A rejection needs a reason and a note; choose a reason and say why.", fields=missing
        )


def requirement_as_dict(requirement: Requirement) -> list[dict[str, Any]]:
    """Return the blocks as JSON, the form in which they are frozen."""
    return [
        {"spread": block.spread}
        if block.spread
        else {"slots": [{"groups": list(slot.groups), "n": slot.n} for slot in block.slots]}
        for block in requirement.blocks
    ]


def blocks_from(values: Iterable[Mapping[str, Any]]) -> tuple[Block, ...]:
    """Read what `requirement_as_dict` wrote."""
    return tuple(
        Block(
            spread=int(value.get("spread", 0)),
            slots=tuple(
                Slot(groups=tuple(slot["groups"]), n=int(slot["n"]))
                for slot in value.get("slots", ())
            ),
        )
        for value in values
    )
