"""Sessions: who is signed in from where, and the end of it."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from django.contrib.sessions.models import Session

from audit.commands import record
from console.accounts import events, policies, queries
from console.accounts.cards import Proof
from console.accounts.errors import NoMembership
from console.accounts.models import Membership, SessionRecord, SignInAttempt
from console.accounts.states import Permission, Strength
from console.kernel import clock, tenancy
from console.kernel.actors import Actor, ActorKind
from console.kernel.errors import NotFound, SignedOut
from console.kernel.transactions import command

BROWSER_LENGTH = 200


@command
def open_session(
    *,
    actor: Actor,
    person_id: UUID,
    session_key: str,
    address: str,
    user_agent: str,
    proof: Proof | None = None,
) -> UUID:
    """Start a session of a person who has proved who they are; return its id.

    Args:
        actor: the part of the product that checked the proof, in the tenant that was chosen.
        proof: when and how they did, if not by a password just now: a session that only changes
            over to another tenant is no fresher than the one before.

    Raises:
        NoMembership: the person is not, or no longer, active in this tenant.
    """
    member = (
        Membership.objects.filter(
            tenant_id=actor.tenant_id, person_id=person_id, active=True, person__is_active=True
        )
        .select_related("person")
        .first()
    )
    if member is None:
        raise NoMembership("You are not a member there; ask its administrator to add you.")
    row = SessionRecord.objects.create(
        digest=queries.digest_of(session_key),
        person_id=person_id,
        tenant_id=actor.tenant_id,
        address=address or None,
        user_agent=user_agent[:BROWSER_LENGTH],
        expires_at=clock.now() + timedelta(seconds=policies.SESSION_LIFE_S),
        **({"proved_at": proof.at, "proved_by": proof.by.value} if proof else {}),
    )
    strength = proof.by if proof else Strength.PASSWORD
    person = Actor(
        tenant_id=actor.tenant_id,
        kind=ActorKind.PERSON,
        id=str(person_id),
        label=member.person.name,
        session=row.digest,
        strength=strength.value,
        address=address,
        request=actor.request,
    )
    record(events.SessionStarted(session_id=row.id, person_id=person_id), actor=person)
    return row.id


@command
def note_seen(*, actor: Actor) -> None:
    """Note that a session is in use, at most once a minute; no event, it is no change of rights."""
    now = clock.now()
    SessionRecord.objects.filter(
        digest=actor.session, seen_at__lt=now - timedelta(seconds=policies.SEEN_EVERY_S)
    ).update(seen_at=now)


@command
def sign_out(*, actor: Actor) -> None:
    """End the session that asks."""
    _end(actor, cause="signed_out", digest=actor.session)


@command
def end_own_session(*, actor: Actor, session_id: UUID) -> None:
    """End one session of the person who asks, for instance on a lost laptop.

    Raises:
        NotFound: no such open session of this person in this tenant.
    """
    _require_person(actor)
    if not _end(actor, cause="elsewhere", pk=session_id, person_id=UUID(actor.id)):
        raise NotFound("There is no such open session of yours; look at the list.")


@command
def end_sessions(*, actor: Actor, person_id: UUID, cause: str, keep: str = "") -> int:
    """End every open session of a person in this tenant, except the one with the digest `keep`."""
    return _end(actor, cause=cause, but=keep, person_id=person_id)


@command
def end_sessions_of(*, actor: Actor, person_id: UUID) -> int:
    """End every open session of somebody else in this tenant.

    Raises:
        NotFound: no such person here.
    """
    queries.require(actor, Permission.ACCOUNTS_MANAGE)
    queries.person_card(actor=actor, person_id=person_id)
    return _end(actor, cause="everywhere", person_id=person_id)


def sign_out_everywhere(*, actor: Actor, keep: str = "", cause: str = "everywhere") -> int:
    """End every session of the person who asks, in every tenant, one transaction for each.

    A session is looked up by its digest on every request, so each end counts at once, one by one.
    """
    _require_person(actor)
    person_id = UUID(actor.id)
    with tenancy.unscoped():
        tenants = list(
            SessionRecord.objects.filter(person_id=person_id, ended_at__isnull=True)
            .order_by("tenant_id")
            .values_list("tenant_id", flat=True)
            .distinct()
        )
    return sum(
        end_sessions(
            actor=replace(actor, tenant_id=tenant_id), person_id=person_id, cause=cause, keep=keep
        )
        for tenant_id in tenants
    )


def sweep(*, limit: int = 500) -> int:
    """Delete what no longer means anything: expired browser sessions and lapsed attempt counts."""
    with tenancy.unscoped():
        now = clock.now()
        keys = Session.objects.filter(expire_date__lt=now).values_list("pk", flat=True)[:limit]
        gone, _rows = Session.objects.filter(pk__in=list(keys)).delete()
        buckets = SignInAttempt.objects.filter(window_ends_at__lt=now).values_list("pk", flat=True)
        lapsed, _more = SignInAttempt.objects.filter(
            pk__in=list(buckets[:limit]), window_ends_at__lt=now
        ).delete()
    return gone + lapsed


def _end(actor: Actor, *, cause: str, but: str = "", **which: object) -> int:
    """End the open sessions of this tenant that `which` selects; one event for each."""
    rows = list(
        SessionRecord.objects.select_for_update()
        .filter(tenant_id=actor.tenant_id, ended_at__isnull=True, **which)
        .exclude(digest=but)
        .order_by("id")
    )
    SessionRecord.objects.filter(pk__in=[row.pk for row in rows]).update(ended_at=clock.now())
    for row in rows:
        record(
            events.SessionEnded(
                session_id=row.id, person_id=row.person_id, digest=row.digest, cause=cause
            ),
            actor=actor,
        )
    return len(rows)


def _require_person(actor: Actor) -> None:
    if not actor.is_person:
        raise SignedOut("Only a person has sessions; sign in first.")
