"""Who somebody is: tenants, sessions and keys, asked before it is known who asks."""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.hashers import check_password
from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import OuterRef, Q, QuerySet

from console.accounts import policies
from console.accounts.cards import DemoPerson, Presence, SessionCard, TenantCard
from console.accounts.models import (
    GroupMember,
    Membership,
    Person,
    ServiceKey,
    SessionRecord,
    Tenant,
)
from console.accounts.states import Role
from console.kernel import prepared, tenancy
from console.kernel.actors import Actor, ActorKind, Link, system
from console.kernel.models import DatabaseNow
from console.kernel.transactions import query

NOBODY = UUID(int=0)  # no tenant has this id, so row-level security shows no tenant's rows
DOOR = system("accounts.door", NOBODY)  # acts while it is not yet known who asks
# Asked at every request, so it is prepared, and written out: the ORM takes longer to write it.
_PRESENCE: Final = """
    SELECT p.id, p.name, s.proved_by, m.roles,
           ARRAY(SELECT g.slug
                   FROM accounts_groupmember gm JOIN accounts_reviewgroup g ON g.id = gm.group_id
                  WHERE gm.tenant_id = s.tenant_id AND gm.person_id = s.person_id),
           s.seen_at < clock_timestamp() - %(seen_every)s
      FROM accounts_sessionrecord s
      JOIN accounts_person p ON p.id = s.person_id AND p.is_active
      JOIN accounts_membership m
        ON m.tenant_id = s.tenant_id AND m.person_id = s.person_id AND m.active
     WHERE s.tenant_id = %(tenant)s AND s.digest = %(digest)s
       AND s.ended_at IS NULL AND s.expires_at > clock_timestamp()
"""
DEMO_DOMAIN = ".example"  # RFC 2606: nobody real has such an address


def digest_of(secret: str) -> str:
    """Return the SHA-256 (64 hex characters) under which a session key is stored."""
    return sha256(secret.encode()).hexdigest()


def tenant_ids() -> list[UUID]:
    """Return every tenant's id, oldest first; the floor's directory for duties across tenants."""
    return list(Tenant.objects.order_by("created_at", "id").values_list("id", flat=True))


def tenant_directory() -> tuple[TenantCard, ...]:
    """Return every tenant, oldest first, for commands that the operator of the machine types."""
    rows = Tenant.objects.order_by("created_at", "id")
    return tuple(TenantCard(id=row.id, slug=row.slug, name=row.name) for row in rows)


@query
def tenants_of(  # the decorator reads the actor
    *,
    actor: Actor,  # noqa: ARG001
    person_id: UUID,
) -> tuple[TenantCard, ...]:
    """Return the tenants in which a person is active, by name.

    The policy `own_membership` shows the rows of exactly the person named in
    `signalbox.person_id`, in this transaction only. Ask it for somebody who has just proved who
    they are.
    """
    show_memberships_of(person_id)
    mine = Membership.objects.filter(person_id=person_id, active=True).values("tenant_id")
    rows = Tenant.objects.filter(id__in=mine).order_by("name", "id")
    return tuple(TenantCard(id=row.id, slug=row.slug, name=row.name) for row in rows)


@query
def tenants(*, actor: Actor) -> tuple[TenantCard, ...]:  # noqa: ARG001 - as above
    """Return every tenant by name; for commands of the installation, never for a page."""
    rows = Tenant.objects.order_by("name", "id")
    return tuple(TenantCard(id=row.id, slug=row.slug, name=row.name) for row in rows)


def password_fits(*, person_id: UUID, password: str) -> bool:
    """Say whether a printed demo password still is the person's; nobody is signed in by it."""
    with tenancy.unscoped():
        row = Person.objects.filter(pk=person_id, email__endswith=DEMO_DOMAIN).first()
    return row is not None and check_password(password, row.password)


@query
def demo_people(*, actor: Actor) -> tuple[DemoPerson, ...]:  # noqa: ARG001 - as above
    """Return the people of the demo, whose addresses end in the reserved `.example`."""
    found: list[DemoPerson] = []
    names = dict(Tenant.objects.values_list("id", "name"))
    for person in Person.objects.filter(email__endswith=DEMO_DOMAIN, is_active=True).order_by(
        "created_at", "id"
    )[:20]:
        show_memberships_of(person.id)
        found.extend(
            DemoPerson(
                id=person.id,
                name=person.name,
                email=person.email,
                tenant_id=row.tenant_id,
                tenant=names[row.tenant_id],
                roles=roles_of(row.roles),
            )
            for row in Membership.objects.filter(person=person, active=True)[:1]
        )
    return tuple(found)


def presence(
    *, tenant_id: UUID, session_key: str, address: str = "", request: str = ""
) -> Presence | None:
    """Return who a session stands for, or None once it has ended or its person has lost access.

    Rights and groups are read anew on every request: a change counts at once.
    """
    digest = digest_of(session_key)
    seen_every = timedelta(seconds=policies.SEEN_EVERY_S)
    values: dict[str, Any] = {"tenant": tenant_id, "digest": digest, "seen_every": seen_every}
    with tenancy.scope(tenant_id, read_only=True), prepared.cursor() as cursor:
        cursor.execute(_PRESENCE, values)
        found = cursor.fetchone()
    if found is None:
        return None
    person_id, name, proved_by, roles, groups, seen_long_ago = found
    actor = Actor(
        tenant_id=tenant_id,
        kind=ActorKind.PERSON,
        id=str(person_id),
        label=name,
        session=digest,
        strength=proved_by,
        permissions=policies.permissions_of(roles),
        groups=frozenset(groups),
        address=address,
        request=request,
    )
    return Presence(actor=actor, seen_long_ago=seen_long_ago)


def actor_of_key(*, secret: str, address: str = "", request: str = "") -> Actor | None:
    """Return the actor of a live service key, or None.

    The policy `named_by_hash` shows the one row whose hash is named in `signalbox.key_hash`:
    whoever knows the secret may learn the tenant it belongs to, and nobody else can.
    """
    key_hash = sha256(secret.encode()).digest()
    with tenancy.scope(NOBODY, read_only=True):
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('signalbox.key_hash', %s, true)", [key_hash.hex()])
        row = live_keys().filter(key_hash=key_hash).select_related("issued_by").first()
    if row is None:
        return None
    issuer = row.issued_by
    return Actor(
        tenant_id=row.tenant_id,
        kind=ActorKind.KEY,
        id=str(row.id),
        label=row.name,
        strength="key",
        permissions=frozenset(row.scopes),
        via=(Link(kind=ActorKind.PERSON, id=str(issuer.id), label=issuer.name),),
        address=address,
        request=request,
    )


@query
def own_sessions(
    *, actor: Actor, before: tuple[datetime, UUID] | None = None, limit: int = 200
) -> tuple[SessionCard, ...]:
    """Return the open sessions of the person who asks, in this tenant, newest first."""
    if not actor.is_person:
        return ()
    rows = open_sessions(actor.tenant_id).filter(person_id=UUID(actor.id))
    if before is not None:
        at, last = before
        rows = rows.filter(Q(created_at__lt=at) | Q(created_at=at, id__lt=last))
    rows = rows.select_related("person").order_by("-created_at", "-id")[:limit]
    return tuple(_session_card(row, here=actor.session) for row in rows)


def open_sessions(tenant_id: UUID) -> QuerySet[SessionRecord]:
    return SessionRecord.objects.filter(
        tenant_id=tenant_id, ended_at__isnull=True, expires_at__gt=DatabaseNow()
    )


def live_keys() -> QuerySet[ServiceKey]:
    return ServiceKey.objects.filter(revoked_at__isnull=True, expires_at__gt=DatabaseNow())


def show_memberships_of(person_id: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('signalbox.person_id', %s, true)", [str(person_id)])


def slugs_of(person: str, tenant_id: UUID) -> ArraySubquery:
    return ArraySubquery(
        GroupMember.objects.filter(tenant_id=tenant_id, person_id=OuterRef(person))
        .order_by("group__slug")
        .values("group__slug")
    )


def roles_of(values: list[str]) -> tuple[Role, ...]:
    return tuple(role for role in Role if role.value in values)


def _session_card(row: SessionRecord, *, here: str) -> SessionCard:
    return SessionCard(
        id=row.id,
        person_id=row.person_id,
        person=row.person.name,
        address=row.address or "",
        user_agent=row.user_agent,
        browser=policies.browser_name(row.user_agent),
        created_at=row.created_at,
        seen_at=row.seen_at,
        here=row.digest == here,
    )
