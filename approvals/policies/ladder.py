"""What happens while nobody decides: rungs of the ladder, and the fallback at its end."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from approvals.cards import Block, Requirement, Rung, Slot
from approvals.policies.requirement import ANYBODY
from approvals.policies.timing import Window
from approvals.states import DECIDABLE, OnExpiry, ProposalState, TimerKind

Moments = Mapping[tuple[TimerKind, int], datetime | None]

# What the agent is told; nobody rejected anything, and nothing will happen later.
NOBODY_DECIDED: Final[Mapping[OnExpiry, str]] = {
    OnExpiry.REFUSE: "Nobody decided in time, so the change was not made.",
    OnExpiry.RETURN: "Nobody decided in time, so the change was not made; something else may be "
    "proposed.",
    OnExpiry.PARK: "Nobody decided in time, so the change was not made; the run waits for an "
    "operator.",
}
NOT_RUN_IN_TIME: Final = "The approval ran out before the change could be made; it was not made."

_RUNGS: Final = {"remind": TimerKind.REMIND, "widen": TimerKind.WIDEN}


def moments(
    state: ProposalState,
    window: Window,
    ladder: Iterable[Rung],
    execute_by: datetime | None,
) -> Moments:
    """Return what has to be looked at when, by (kind, step); None where a stop holds it back.

    Whoever asks while the proposal is stale is told nothing new, so the ladder waits for its
    refresh; the time to execute runs on under a stop.
    """
    if state is ProposalState.APPROVED:
        return {(TimerKind.EXECUTE, 0): execute_by}
    if state not in DECIDABLE:
        return {}
    found: dict[tuple[TimerKind, int], datetime | None] = {(TimerKind.DECIDE, 0): window.moment()}
    if state is ProposalState.OPEN:
        for (kind, step), rung in rungs(ladder).items():
            found[kind, step] = window.moment(Decimal(rung.at))
    return found


def rungs(ladder: Iterable[Rung]) -> Mapping[tuple[TimerKind, int], Rung]:
    """Return the rungs by (kind, step): a number that stays when a rung is put in between.

    The step is the share in hundredths of a percent; two at the same share follow each other.
    """
    found: dict[tuple[TimerKind, int], Rung] = {}
    for rung in ladder:
        step = int(Decimal(rung.at) * 10_000)
        while (_RUNGS[rung.act], step) in found:
            step += 1
        found[_RUNGS[rung.act], step] = rung
    return found


def widened(requirement: Requirement, groups: Iterable[str]) -> Requirement:
    """Return the requirement with these groups asked as well, in every place that names groups.

    As many people as before have to agree. Where anybody may, nobody can be added.
    """
    more = tuple(groups)
    return replace(requirement, blocks=tuple(_widened(block, more) for block in requirement.blocks))


def escalated(requirement: Requirement) -> Requirement:
    """Return what is asked in the one further window: all that the ladder names, then refuse."""
    groups = [group for rung in requirement.ladder for group in rung.groups]
    return replace(widened(requirement, groups), on_expiry=OnExpiry.REFUSE.value)


def fallback(requirement: Requirement, *, tier: int, state: ProposalState) -> OnExpiry:
    """Return what nobody's decision leads to now.

    Only an open proposal of tier 1 is ever approved by its timeout: what is stale is not what
    anybody proposed any more.
    """
    said = OnExpiry(requirement.on_expiry)
    if said is OnExpiry.APPROVE and (tier != 1 or state is not ProposalState.OPEN):
        return OnExpiry.REFUSE
    return said


def _widened(block: Block, groups: tuple[str, ...]) -> Block:
    return replace(
        block,
        slots=tuple(_with(slot, groups) for slot in block.slots),
        any_of=tuple(tuple(_with(slot, groups) for slot in slots) for slots in block.any_of),
    )


def _with(slot: Slot, groups: tuple[str, ...]) -> Slot:
    if ANYBODY in slot.groups:
        return slot
    return replace(slot, groups=tuple(dict.fromkeys([*slot.groups, *groups])))
