"""Writes of the switches: stop, release, and what pulse does until a stop is confirmed."""

from typing import Final
from uuid import UUID

from django.db import OperationalError, connection
from django.db.models import QuerySet

from agents.controls import policies, queries, targets
from agents.controls.cards import Scope, SwitchCard
from agents.controls.errors import AlreadyStopped
from agents.controls.events import (
    SwitchBarrierSet,
    SwitchConfirmed,
    SwitchEngaged,
    SwitchReleaseAsked,
    SwitchReleased,
    SwitchUnconfirmed,
)
from agents.controls.models import Switch
from agents.controls.states import (
    CONFIRM_WITHIN_S,
    EPOCH_ROW,
    STOP_LOCK,
    Category,
    Progress,
    RunsThen,
    ScopeKind,
)
from audit.commands import record
from console.accounts.queries import may
from console.kernel import clock
from console.kernel.actors import Actor, ActorKind
from console.kernel.errors import NotAllowed, NotFound
from console.kernel.transactions import command

LOCK_WAIT_MS: Final = 500  # a stop is never held up for longer by somebody's open transaction
HELD_TOO_LONG_S: Final = 2  # then pulse ends the database session that still holds the lock
LOCK_NOT_AVAILABLE: Final = "55P03"


@command
def engage(
    *, actor: Actor, scope: Scope, reason: str, category: Category = Category.CONTROLLED
) -> SwitchCard:
    """Stop a scope: when this has committed, no new guarded effect in it is admitted.

    Needs PostgreSQL and nothing else. A guarded transaction that stays open delays it by half a
    second at most; the stop then commits without a barrier, and pulse sets the barrier.

    Raises:
        NotAllowed: the actor may not stop things.
        BadScope, ReasonNeeded: it does not say what to stop, or why.
        AlreadyStopped: a stop of this scope stands; `details["switch_id"]` names it.
    """
    policies.require_may_engage(actor)
    policies.require_scope(scope)
    _require_may_engage(actor, scope)
    text = policies.require_reason(reason)
    barrier = _take_stop_lock()
    epoch = _next_epoch()
    now = clock.now()
    _require_free(actor, scope)
    row = Switch.objects.create(
        tenant_id=actor.tenant_id,
        epoch=epoch,
        scope_kind=scope.kind,
        scope_value=scope.value,
        category=category,
        runs=RunsThen.PARK,
        reason=text,
        engaged_by_id=actor.id,
        engaged_by=actor.label,
        engaged_at=now,
        barrier_at=now if barrier else None,
    )
    event = SwitchEngaged(
        switch_id=row.pk,
        scope=scope.kind,
        value=scope.value,
        category=category,
        runs=RunsThen.PARK,
        epoch=epoch,
        barrier=barrier,
        reason=text,
    )
    record(event, actor=actor)
    return queries.cards([row])[0]


@command
def release(*, actor: Actor, switch_id: UUID, reason: str) -> SwitchCard:
    """Lift a stop, or ask for it where a second person has to; the card says which it was.

    Raises:
        PeopleOnly, NotAllowed: the actor may not release.
        SecondPersonNeeded: the actor engaged the stop or asked for this release.
        AlreadyReleased: somebody was first.
    """
    policies.require_may_release(actor)
    _require_right(actor, "controls.release")
    text = policies.require_reason(reason)
    _take_stop_lock()
    row = _locked(actor, switch_id)
    policies.require_standing(row.released_at)
    if row.scope.kind is ScopeKind.TENANT and not row.asked_by_id:
        _ask(row, actor, text)
    else:
        _lift(row, actor, text)
    return queries.cards([row])[0]


def _ask(row: Switch, actor: Actor, reason: str) -> None:
    row.asked_by_id, row.asked_by, row.asked_at = actor.id, actor.label, clock.now()
    row.release_reason = reason
    row.save(update_fields=["asked_by_id", "asked_by", "asked_at", "release_reason"])
    record(SwitchReleaseAsked(switch_id=row.pk, reason=reason), actor=actor)


def _lift(row: Switch, actor: Actor, reason: str) -> None:
    if row.scope.kind is ScopeKind.TENANT:
        policies.require_second_person(
            actor, engaged_by_id=row.engaged_by_id, asked_by_id=row.asked_by_id
        )
    row.release_epoch = _next_epoch()
    row.released_by_id, row.released_by, row.released_at = actor.id, actor.label, clock.now()
    row.release_reason = reason
    row.save(
        update_fields=[
            "release_epoch",
            "released_by_id",
            "released_by",
            "released_at",
            "release_reason",
        ]
    )
    event = SwitchReleased(
        switch_id=row.pk,
        scope=row.scope_kind,
        value=row.scope_value,
        epoch=row.release_epoch,
        asked_by=row.asked_by_id,
        reason=reason,
    )
    record(event, actor=actor)


@command
def confirm_stops(*, actor: Actor) -> int:
    """Carry standing stops on from ordered to confirmed; return how many still are not.

    Pulse calls it each second while there are some. It sets a barrier that the stop itself could
    not get, ends sessions that held it up, and notes once who has not confirmed after five
    seconds.
    """
    waiting = Switch.objects.filter(
        tenant_id=actor.tenant_id, released_at__isnull=True, confirmed_at__isnull=True
    )
    if not waiting.exists():
        return 0
    if waiting.filter(barrier_at__isnull=True).exists():
        _raise_barriers(waiting, actor)
    rows = waiting.order_by("id").select_for_update()
    return sum(_follow_up(row, actor) for row in rows)


def _raise_barriers(waiting: QuerySet[Switch], actor: Actor) -> None:
    """Try again for the lock that a stop did not get; end sessions that hold it for too long."""
    locked = _take_stop_lock()
    ended = 0 if locked else _end_holders()
    if not locked and not (ended and _take_stop_lock()):
        return
    for row in waiting.filter(barrier_at__isnull=True).order_by("id").select_for_update():
        row.barrier_at = clock.now()
        row.save(update_fields=["barrier_at"])
        record(SwitchBarrierSet(switch_id=row.pk, ended_backends=ended), actor=actor)


def _follow_up(row: Switch, actor: Actor) -> int:
    """Note that a stop is confirmed, or once that it is late; return 1 until it is."""
    reached = queries.cards([row])[0].confirmation
    if reached.progress is Progress.CONFIRMED:
        row.confirmed_at = clock.now()
        row.save(update_fields=["confirmed_at"])
        record(SwitchConfirmed(switch_id=row.pk, workers=reached.of), actor=actor)
        return 0
    if reached.progress is Progress.PARTIAL and row.unconfirmed_at is None:
        row.unconfirmed_at = clock.now()
        row.save(update_fields=["unconfirmed_at"])
        event = SwitchUnconfirmed(
            switch_id=row.pk,
            confirmed=reached.confirmed,
            of=reached.of,
            missing=reached.missing,
            reason=f"not confirmed within {CONFIRM_WITHIN_S} s",
        )
        record(event, actor=actor)
    return 1


def _require_may_engage(actor: Actor, scope: Scope) -> None:
    """Ask for the permission, or for the right to operate the one agent that is stopped."""
    if scope.kind is ScopeKind.AGENT and not actor.has("controls.engage"):
        agent_id = targets.agent_id(actor.tenant_id, scope.value)
        if agent_id and may(
            actor=actor, permission="controls.engage", obj_kind="agent", obj_id=agent_id
        ):
            return
    _require_right(actor, "controls.engage")


def _require_right(actor: Actor, permission: str) -> None:
    if actor.kind is ActorKind.PERSON and not actor.has(permission):
        raise NotAllowed(
            f"This needs the permission {permission}; ask an admin of your organisation for it.",
            permission=permission,
        )


def _require_free(actor: Actor, scope: Scope) -> None:
    standing = queries.standing_for(actor=actor, scope=scope)
    if standing is not None:
        raise AlreadyStopped(
            f"This is stopped already, since {standing.engaged_at:%H:%M} UTC by "
            f"{standing.engaged_by}; look at the switch board.",
            switch_id=str(standing.id),
        )


def _locked(actor: Actor, switch_id: UUID) -> Switch:
    row = Switch.objects.select_for_update().filter(tenant_id=actor.tenant_id, pk=switch_id).first()
    if row is None:
        raise NotFound("There is no such switch; go back to the board.")
    return row


def _take_stop_lock() -> bool:
    """Wait at most half a second for open guarded transactions; say whether none is left."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT_MS}ms'; SAVEPOINT stop_lock")
        try:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [STOP_LOCK])
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") != LOCK_NOT_AVAILABLE:
                raise
            cursor.execute("ROLLBACK TO SAVEPOINT stop_lock")
            taken = False
        else:
            taken = True
        cursor.execute("SET LOCAL lock_timeout = 0")
    return taken


def _next_epoch() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE controls_epoch SET epoch = epoch + 1 WHERE id = %s RETURNING epoch", [EPOCH_ROW]
        )
        row: tuple[int] = cursor.fetchone()
    return row[0]


def _end_holders() -> int:
    """End sessions of ours that have held the stop lock for too long; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT count(pg_terminate_backend(pid)) FROM (
              SELECT DISTINCT lock.pid FROM pg_locks lock JOIN pg_stat_activity act USING (pid)
              WHERE lock.locktype = 'advisory' AND lock.granted AND lock.pid <> pg_backend_pid()
                AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND lock.classid = ((%(key)s::bigint >> 32) & 4294967295)::oid
                AND lock.objid = (%(key)s::bigint & 4294967295)::oid AND lock.objsubid = 1
                AND act.usename = current_user
                AND act.xact_start < clock_timestamp() - make_interval(secs => %(limit)s)
            ) AS held""",
            {"key": STOP_LOCK, "limit": HELD_TOO_LONG_S},
        )
        row: tuple[int] = cursor.fetchone()
    return row[0]
