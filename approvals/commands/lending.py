"""Lending one person the right to break glass, for an hour at most, and taking it away again."""

from datetime import timedelta
from uuid import UUID

from django.db import connection, models

from approvals import policies
from approvals.cards.reviewing import GrantCard
from approvals.commands.remarks import needed_text
from approvals.errors.breaking import BreakGlassByMachine, GrantOver, GrantRunning, GrantToOneself
from approvals.events.reviewing import BreakGlassGranted, BreakGlassRevoked
from approvals.models import LABEL_LENGTH, REASON_LENGTH, BreakGlassGrant
from approvals.policies.breaking import MOST_GRANT_MINUTES, STEPUP_S
from audit.commands import record
from console.accounts import queries as people
from console.accounts.states import Permission
from console.kernel import canonical, clock
from console.kernel.actors import Actor
from console.kernel.errors import BadInput, NotFound
from console.kernel.transactions import command


@command
def lend_break_glass(*, actor: Actor, person_id: UUID, minutes: int, reason: str) -> GrantCard:
    """Let somebody else decide in place of the people who are asked, for a while.

    Args:
        minutes: 1 to 60.

    Raises:
        BreakGlassByMachine, NotAllowed: the actor is no administrator in a session of their own.
        StepUpRequired: they proved too long ago who they are.
        GrantToOneself: nobody lends it to themselves.
        GrantRunning: the person holds it already; it is never lengthened.
        NotFound: there is no such active person.
        BadInput: no reason, or minutes out of bounds.
    """
    _require_administrator(actor)
    said = needed_text(reason, "reason", "Say why they need it.", most=REASON_LENGTH)
    if not 1 <= minutes <= MOST_GRANT_MINUTES:
        bounds = f"1 to {MOST_GRANT_MINUTES} minutes."
        raise BadInput(f"Minutes: {bounds}", fields={"minutes": bounds})
    if str(person_id) == actor.id:
        raise GrantToOneself(
            "Nobody lends this right to themselves; ask another administrator to lend it to you."
        )
    person = people.person_card(actor=actor, person_id=person_id)
    if not person.active:
        raise NotFound("There is no such active person here; look at the list of people.")
    people.require_fresh(actor=actor, within_s=STEPUP_S)
    _lock_grants_of(actor.tenant_id, person_id)
    at = clock.now()  # after the lock: of two who lend it at once the second sees the first
    running = _live(person_id).filter(expires_at__gt=at).first()
    if running is not None:
        raise GrantRunning(
            f"{running.person_label} holds it until {running.expires_at:%H:%M} UTC; take that away "
            "first, or wait.",
            grant=str(running.id),
        )
    row = BreakGlassGrant.objects.create(
        tenant_id=actor.tenant_id,
        person_id=person_id,
        person_label=person.name[:LABEL_LENGTH],
        reason=said,
        granted_by_id=UUID(actor.id),
        granted_by_label=actor.label[:LABEL_LENGTH],
        granted_at=at,
        expires_at=at + timedelta(minutes=minutes),
    )
    record(
        BreakGlassGranted(
            grant_id=row.id, person=person_id, expires_at=row.expires_at.isoformat(), reason=said
        ),
        actor=actor,
    )
    return row.card(at=at)


@command
def revoke_break_glass(*, actor: Actor, grant_id: UUID) -> GrantCard:
    """Take the right away before its time; what it decided and did not run goes back to people.

    Raises:
        BreakGlassByMachine, NotAllowed: the actor is no administrator in a session of their own.
        NotFound: there is no such grant.
        GrantOver: it has ended already.
    """
    _require_administrator(actor)
    at = clock.now()
    mine = BreakGlassGrant.objects.filter(tenant_id=actor.tenant_id, pk=grant_id)
    # Waits for a use of it that is under way; that one counts until it is dispatched.
    taken = mine.filter(revoked_at__isnull=True, expires_at__gt=at).update(
        revoked_at=at, revoked_by_label=actor.label[:LABEL_LENGTH]
    )
    row = mine.first()
    if row is None:
        raise NotFound("There is no such grant here; look at the list.")
    if not taken:
        raise GrantOver("This right has ended already; there is nothing to take away.")
    record(BreakGlassRevoked(grant_id=row.id, person=row.person_id), actor=actor)
    return row.card(at=at)


def locked_grant(actor: Actor) -> BreakGlassGrant | None:
    """Return the newest grant of a person that was not taken away, locked: uses come one by one."""
    return _live(UUID(actor.id)).order_by("-expires_at").select_for_update(no_key=True).first()


def _live(person_id: UUID) -> models.QuerySet[BreakGlassGrant]:
    return BreakGlassGrant.objects.filter(person_id=person_id, revoked_at__isnull=True)


def _require_administrator(actor: Actor) -> None:
    if not policies.is_interactive(actor):
        raise BreakGlassByMachine("Only administrators who are signed in lend this right.")
    people.require(actor, Permission.ACCOUNTS_MANAGE)


def _lock_grants_of(tenant_id: UUID, person_id: UUID) -> None:
    words = [str(tenant_id), str(person_id), "break-glass"]
    key = int.from_bytes(canonical.digest(words)[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])
