"""Naming who may decide in one's place for a time, and ending that."""

from datetime import datetime
from uuid import UUID

from django.db import connection, models

from approvals import policies
from approvals.cards import May
from approvals.cards.delegating import DelegationCard
from approvals.commands.laddering import check_dead_ends
from approvals.commands.remarks import needed_text
from approvals.errors.delegating import (
    DelegationByMachine,
    DelegationOver,
    DelegationRefused,
    DelegationTaken,
    DelegationToOneself,
)
from approvals.events.delegating import DelegationEnded, DelegationMade
from approvals.models import LABEL_LENGTH, REASON_LENGTH, Delegation
from approvals.policies.delegating import LONGEST, MOST_DAYS, STEPUP_S
from approvals.queries.delegating import require_ender
from audit.commands import record
from console.accounts import queries as people
from console.accounts.cards import Reviewer
from console.accounts.states import Permission
from console.kernel import clock
from console.kernel.actors import Actor, system
from console.kernel.errors import BadInput, NotFound
from console.kernel.transactions import command


@command
def delegate(
    *, actor: Actor, person_id: UUID, group: str, until: datetime, reason: str
) -> DelegationCard:
    """Let another reviewer fill the actor's place in one group until a moment, from now on.

    Two people do not have to agree to it, as they do to a new member of a group: while it lasts the
    two count as one person, so nobody gains a say that was not there.

    Args:
        until: at most 14 days from now.

    Raises:
        DelegationByMachine, NotAllowed: the actor is no reviewer in a session of their own.
        DelegationToOneself: nobody stands in for themselves.
        DelegationRefused: the actor is not in that group, or the other is no reviewer.
        DelegationTaken: one of the two gave or took a delegation that still lasts.
        StepUpRequired: the actor proved too long ago who they are.
        BadInput: no reason, or a moment out of bounds.
    """
    if not policies.is_interactive(actor):
        raise _machine()
    people.require(actor, Permission.APPROVALS_VOTE)
    said = needed_text(reason, "reason", "Say why you need it.", most=REASON_LENGTH)
    if str(person_id) == actor.id:
        raise DelegationToOneself("Nobody stands in for themselves; name another reviewer.")
    giver, taker = _pair(actor, person_id, group)
    people.require_fresh(actor=actor, within_s=STEPUP_S)
    _lock_people(actor.tenant_id, giver.id, taker.id)
    at = clock.now()  # after the locks: of two at once the second sees the first
    if not at < until <= at + LONGEST:
        bounds = f"Choose a moment from now on, {MOST_DAYS} days from now at most."
        raise BadInput(f"Until: {bounds}", fields={"until": bounds})
    _require_free(giver, taker, at=at)
    row = Delegation.objects.create(
        tenant_id=actor.tenant_id,
        from_person_id=giver.id,
        from_label=giver.name[:LABEL_LENGTH],
        to_person_id=taker.id,
        to_label=taker.name[:LABEL_LENGTH],
        group=group,
        reason=said,
        made_at=at,
        until=until,
    )
    record(
        DelegationMade(
            delegation_id=row.id,
            from_person=giver.id,
            to_person=taker.id,
            group=group,
            until=until.isoformat(),
            reason=said,
        ),
        actor=actor,
    )
    _look_for_dead_ends(actor)
    return row.card(at=at, may_end=May())


@command
def end_delegation(*, actor: Actor, delegation_id: UUID) -> DelegationCard:
    """End one before its time; what was approved by it and has not run goes back to people.

    Raises:
        DelegationByMachine: only people who are signed in do.
        DelegationNotYours: the actor is neither of the two, nor leads the reviewers.
        NotFound: there is no such delegation.
        DelegationOver: it has ended already.
    """
    if not policies.is_interactive(actor):
        raise _machine()
    mine = Delegation.objects.filter(tenant_id=actor.tenant_id, pk=delegation_id)
    row = mine.first()
    if row is None:
        raise NotFound("There is no such delegation here; look at the list.")
    require_ender(row, actor)
    at = clock.now()
    # Waits for a vote by it that is under way; that one is asked again at its dispatch.
    ended = mine.filter(ended_at__isnull=True, until__gt=at).update(
        ended_at=at, ended_by_id=UUID(actor.id), ended_by_label=actor.label[:LABEL_LENGTH]
    )
    if not ended:
        raise DelegationOver("This delegation has ended already; there is nothing to end.")
    row.refresh_from_db()
    _tell_end(actor, row, cause="ended")
    _look_for_dead_ends(actor)
    return row.card(at=at)


@command
def lapse_delegations(*, actor: Actor) -> int:
    """Put on record which ended by themselves; nothing waits for it. Returns how many."""
    at = clock.now()
    open_ = Delegation.objects.filter(tenant_id=actor.tenant_id, ended_at__isnull=True)
    over = open_.filter(lapsed_at__isnull=True, until__lte=at)
    rows = list(over.order_by("id").select_for_update(skip_locked=True, no_key=True))
    for row in rows:
        row.lapsed_at = at
        row.save(update_fields=["lapsed_at"])
        _tell_end(actor, row, cause="time")
    if rows:
        _look_for_dead_ends(actor)
    return len(rows)


def _pair(actor: Actor, person_id: UUID, group: str) -> tuple[Reviewer, Reviewer]:
    """Return the two people as they are now, or raise why one cannot stand in for the other."""
    mine = UUID(actor.id)
    both = {one.id: one for one in people.reviewers(actor=actor, among={mine, person_id})}
    giver, taker = both.get(mine), both.get(person_id)
    if giver is None or group not in giver.groups:
        raise DelegationRefused(
            "You can only lend your place in a review group that you are in; choose one of those."
        )
    if taker is None:
        raise DelegationRefused(
            "That person may not review, so they cannot stand in for you; name a reviewer."
        )
    return giver, taker


def _require_free(giver: Reviewer, taker: Reviewer, *, at: datetime) -> None:
    """Raise if one of the two has a delegation; trigger `delegation_one_level` repeats it."""
    both = (giver.id, taker.id)
    taken = Delegation.objects.filter(
        models.Q(from_person__in=both) | models.Q(to_person__in=both),
        ended_at__isnull=True,
        until__gt=at,
    ).first()
    if taken is not None:
        raise DelegationTaken(
            f"{taken.to_label} stands in for {taken.from_label} until "
            f"{taken.until:%Y-%m-%d %H:%M} UTC; a person has one delegation at a time, given or "
            "taken. End that one first, or name somebody else.",
            delegation=str(taken.id),
        )


def _look_for_dead_ends(actor: Actor) -> None:
    """Two people who become one, or two again, change what others can complete."""
    check_dead_ends(actor=system("approvals.people", actor.tenant_id))


def _tell_end(actor: Actor, row: Delegation, *, cause: str) -> None:
    record(
        DelegationEnded(
            delegation_id=row.id,
            from_person=row.from_person_id,
            to_person=row.to_person_id,
            cause=cause,
        ),
        actor=actor,
    )


def _machine() -> DelegationByMachine:
    return DelegationByMachine(
        "Only people who are signed in say who stands in for them; ask a reviewer to do it."
    )


def _lock_people(tenant_id: UUID, *who: UUID) -> None:
    """Let one delegation of a person follow the other; the trigger takes the same locks."""
    with connection.cursor() as cursor:
        for person in sorted(who):
            words = f"{tenant_id}/{person}/delegation"
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [words])
