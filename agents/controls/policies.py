"""The rules of the switches: what matches, what it forbids, and who may release; no Django."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from agents.controls.cards import (
    Answer,
    Confirmation,
    Engaged,
    Fields,
    ReleaseOffer,
    Scope,
    SwitchCard,
    WorkerCard,
)
from agents.controls.errors import (
    AlreadyReleased,
    BadScope,
    PeopleOnly,
    ReasonNeeded,
    SecondPersonNeeded,
)
from agents.controls.states import (
    CONFIRM_WITHIN_S,
    DECLARED,
    FORGOTTEN_AFTER_S,
    REASON_LENGTH,
    STREAM_DRAIN_S,
    STRICTNESS,
    VALUE_LENGTH,
    Category,
    Point,
    Progress,
    ScopeKind,
)
from console.kernel.actors import Actor, ActorKind

# What a quarantine still lets through: reads and thoughts, but no effect and no unreviewed answer.
_QUARANTINED: Final = frozenset({Point.PROPOSAL_DISPATCH, Point.MESSAGE_SEND})


def answer(
    point: Point, fields: Fields, switches: Iterable[Engaged], *, epoch: int, read_s: int = 0
) -> Answer:
    """Say whether `point` may be passed; every match counts and the strictest wins.

    Args:
        read_s: whole seconds since `switches` were read, added to their ages.
    """
    if missing := incomplete(point, fields):
        return Answer(
            allowed=False,
            code="stop.subject_incomplete",
            epoch=epoch,
            sentence=f"Nothing was started: {missing} is not known, so no stop could be looked up.",
        )
    matching = [switch for switch in switches if matches(point, fields, switch.scope)]
    if not matching:
        return Answer(allowed=True, epoch=epoch)
    switch = max(matching, key=lambda match: (STRICTNESS.index(match.category), match.epoch))
    allowed = allows(point, switch.category, tier=fields.tier, age_s=switch.age_s + read_s)
    return Answer(
        allowed=allowed,
        code="" if allowed else "stop.active",
        switch_id=switch.id,
        category=switch.category,
        reason=switch.reason,
        epoch=epoch,
        sentence="" if allowed else sentence(switch),
    )


def sentence(switch: Engaged) -> str:
    what = "This organisation" if switch.scope.kind is ScopeKind.TENANT else _named(switch.scope)
    return f"{what} is stopped by an operator: “{switch.reason}”. Try again once it is released."


def _named(scope: Scope) -> str:
    return f"The {scope.kind.value} {scope.value}"


def incomplete(point: Point, fields: Fields) -> str:
    """Return the first declared field that was left empty, or ""."""
    values = {ScopeKind.AGENT: fields.agent, ScopeKind.TOOL: fields.tool, ScopeKind.RUN: fields.run}
    for kind, value in values.items():
        if kind in DECLARED[point] and not value:
            return kind.value
    return ""


def matches(point: Point, fields: Fields, scope: Scope) -> bool:
    if scope.kind not in DECLARED[point]:
        return False
    match scope.kind:
        case ScopeKind.TENANT:
            return True
        case ScopeKind.AGENT:
            return scope.value == fields.agent
        case ScopeKind.TOOL:
            return scope.value == fields.tool
        case ScopeKind.RUN:
            return scope.value == str(fields.run)


def allows(point: Point, category: Category, *, tier: int | None, age_s: int) -> bool:
    """Say whether a matching switch of this category still lets `point` pass (operations.md, 3)."""
    if category is Category.QUARANTINE:
        if point is Point.TOOL_CALL:
            return tier == 0
        return point not in _QUARANTINED
    if point is Point.MODEL_STREAM:
        drains = category is Category.CONTROLLED and age_s < STREAM_DRAIN_S
        return category is Category.HOLD or drains
    return False


def require_scope(scope: Scope) -> None:
    """Refuse a scope that is empty, that says too much, or that no point could match."""
    value = scope.value
    if scope.kind is ScopeKind.TENANT:
        if value:
            raise BadScope("A stop of the whole organisation takes no target; leave it empty.")
        return
    if not value or value != value.strip() or len(value) > VALUE_LENGTH or not value.isprintable():
        raise BadScope(
            f"Nothing was stopped: name the {scope.kind.value} in 1 to {VALUE_LENGTH} "
            "visible characters."
        )
    if scope.kind is ScopeKind.RUN and not _is_run_id(value):
        raise BadScope(
            "Nothing was stopped: that is not the id of a run; copy it from the run's page."
        )


def _is_run_id(value: str) -> bool:
    try:
        return str(UUID(value)) == value
    except ValueError:
        return False


def require_reason(reason: str) -> str:
    """Return the reason without surrounding space."""
    text = reason.strip()
    if not text:
        raise ReasonNeeded("A reason is needed; write in a few words why.")
    if len(text) > REASON_LENGTH or "\x00" in text:
        raise ReasonNeeded(f"The reason is not usable; write at most {REASON_LENGTH} characters.")
    return text


def require_may_engage(actor: Actor) -> None:
    """Only people stop things, and the product itself, for instance `manage.py stop`."""
    if actor.kind not in {ActorKind.PERSON, ActorKind.SYSTEM}:
        raise PeopleOnly("Agents and service keys cannot stop anything; ask an operator.")


def require_may_release(actor: Actor) -> None:
    if not actor.is_person:
        raise PeopleOnly("Only a person can release a stop; open the switch board and sign in.")


def require_standing(released_at: datetime | None) -> None:
    if released_at is not None:
        raise AlreadyReleased("This stop was released already; reload the page.")


def require_second_person(actor: Actor, *, engaged_by_id: str, asked_by_id: str) -> None:
    """Refuse whoever engaged the stop or asked for its release."""
    if actor.id == asked_by_id:
        raise SecondPersonNeeded("You asked for this release; a second person has to confirm it.")
    if actor.id == engaged_by_id:
        raise SecondPersonNeeded(
            "You engaged this stop; somebody else than you and the person who asked has to confirm "
            "its release."
        )


def release_offer(card: SwitchCard, reader: Actor) -> ReleaseOffer | None:
    """Return what the release form says, or None where there is no form for this reader."""
    if not card.engaged or not reader.has("controls.release"):
        return None
    held = "What it held goes on: parked runs are queued again, frozen proposals thaw."
    if not card.needs_second_person:
        return ReleaseOffer(effect=held, button="Release")
    if not card.asked_by_id:
        return ReleaseOffer(
            effect="A stop of the whole organisation is released by two people: one asks, and "
            "another one, who did not stop it either, confirms.",
            button="Ask for release",
        )
    refusal = ""
    try:
        require_second_person(
            reader, engaged_by_id=card.engaged_by_id, asked_by_id=card.asked_by_id
        )
    except SecondPersonNeeded as error:
        refusal = error.message
    return ReleaseOffer(
        effect=f"{card.asked_by} asked for this release. {held}",
        button="Confirm release",
        refusal=refusal,
    )


def confirmation(
    *,
    epoch: int,
    barrier: bool,
    engaged_at: datetime,
    ended: Progress | None,
    workers: Sequence[WorkerCard],
    at: datetime,
) -> Confirmation:
    """Say how far a stop has got; with no process listening it is never confirmed.

    Args:
        ended: released, or confirmed for good: a later process begins with the newest epoch.
    """
    counted = [worker for worker in workers if worker.silent_s < FORGOTTEN_AFTER_S]
    missing = tuple(
        worker.name + (f", silent {worker.silent_s} s" if worker.silent else "")
        for worker in counted
        if worker.applied_epoch < epoch
    )
    complete = barrier and bool(counted) and not missing
    if ended is not None:
        progress = ended
    elif complete:
        progress = Progress.CONFIRMED
    elif at - engaged_at >= timedelta(seconds=CONFIRM_WITHIN_S):
        progress = Progress.PARTIAL
    else:
        progress = Progress.ORDERED
    return Confirmation(
        progress=progress,
        confirmed=len(counted) - len(missing),
        of=len(counted),
        missing=missing,
        barrier=barrier,
    )
