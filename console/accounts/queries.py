"""Reads of accounts: who somebody is in a tenant, and what they may do there."""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import check_password
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import Case, Count, Exists, Model, OuterRef, Q, QuerySet, When

from console.accounts import policies
from console.accounts.cards import (
    DemoPerson,
    GrantCard,
    GroupCard,
    KeyCard,
    ObjectCard,
    PersonCard,
    Presence,
    SessionCard,
    TenantCard,
)
from console.accounts.models import (
    GroupMember,
    Membership,
    ObjectGrant,
    Person,
    ReviewGroup,
    ServiceKey,
    SessionRecord,
    Tenant,
)
from console.accounts.states import OBJECT_RIGHTS, ObjectKind, Permission, Role
from console.kernel import clock, tenancy
from console.kernel.actors import Actor, ActorKind, Link, system
from console.kernel.errors import NotAllowed, NotFound
from console.kernel.models import DatabaseNow
from console.kernel.transactions import query

NOBODY = UUID(int=0)  # no tenant has this id, so row-level security shows no tenant's rows
DOOR = system("accounts.door", NOBODY)  # acts while it is not yet known who asks
_SEEN_EVERY = timedelta(seconds=policies.SEEN_EVERY_S)
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


def require(actor: Actor, permission: Permission) -> None:
    """Raise when the actor lacks a tenant-wide permission; parts of the product need none."""
    if actor.kind is not ActorKind.SYSTEM and not actor.has(permission):
        raise NotAllowed(
            f"This needs the permission {permission}; ask an administrator.", permission=permission
        )


# -- before it is known who asks ---------------------------------------------------------------


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
    _show_memberships_of(person_id)
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
        _show_memberships_of(person.id)
        found.extend(
            DemoPerson(
                id=person.id,
                name=person.name,
                email=person.email,
                tenant_id=row.tenant_id,
                tenant=names[row.tenant_id],
                roles=_roles(row.roles),
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
    with tenancy.scope(tenant_id, read_only=True):
        row = _sessions_with_membership(tenant_id).filter(digest=digest_of(session_key)).first()
    if row is None:
        return None
    return Presence(actor=_actor_of(row, address=address, request=request), seen_long_ago=row.old)


def actor_of_key(*, secret: str, address: str = "", request: str = "") -> Actor | None:
    """Return the actor of a live service key, or None.

    The policy `named_by_hash` shows the one row whose hash is named in `signalbox.key_hash`:
    whoever knows the secret may learn the tenant it belongs to, and nobody else can.
    """
    key_hash = sha256(secret.encode()).digest()
    with tenancy.scope(NOBODY, read_only=True):
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('signalbox.key_hash', %s, true)", [key_hash.hex()])
        row = _live_keys().filter(key_hash=key_hash).select_related("issued_by").first()
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


# -- people --------------------------------------------------------------------------------------


@query
def person_card(*, actor: Actor, person_id: UUID) -> PersonCard:
    """Return one person of the actor's tenant, active or not."""
    row = _members(actor.tenant_id).filter(person_id=person_id).first()
    if row is None:
        raise NotFound("There is no such person here; look at the list of people.")
    return _person_card(row)


@query
def belongs_elsewhere(*, actor: Actor, person_id: UUID) -> bool:
    """Say whether a person is a member, even an inactive one, of another tenant too."""
    _show_memberships_of(person_id)
    return (
        Membership.objects.filter(person_id=person_id).exclude(tenant_id=actor.tenant_id).exists()
    )


@query
def people(
    *, actor: Actor, after: tuple[str, UUID] | None = None, limit: int = 200
) -> tuple[PersonCard, ...]:
    """Return the tenant's people by name, inactive ones too; `after` is a (name, id)."""
    rows = _members(actor.tenant_id).order_by("person__name", "person_id")
    if after is not None:
        name, last = after
        rows = rows.filter(Q(person__name__gt=name) | Q(person__name=name, person_id__gt=last))
    return tuple(_person_card(row) for row in rows[:limit])


@query
def reviewers(*, actor: Actor) -> tuple[PersonCard, ...]:
    """Return the active people who hold the reviewer role, by name."""
    rows = _members(actor.tenant_id).filter(
        active=True, person__is_active=True, roles__contains=[Role.REVIEWER.value]
    )
    return tuple(_person_card(row) for row in rows.order_by("person__name", "person_id"))


@query
def reviewers_of_tool(*, actor: Actor, tool_id: UUID) -> tuple[PersonCard, ...]:
    """Return the active people who may review this one tool by a right on it, by name."""
    granted = ObjectGrant.objects.filter(
        _on_object(ObjectKind.TOOL, tool_id), user_id=OuterRef("person_id")
    )
    rows = _members(actor.tenant_id).filter(Exists(granted), active=True, person__is_active=True)
    return tuple(_person_card(row) for row in rows.order_by("person__name", "person_id"))


@query
def groups(*, actor: Actor) -> tuple[GroupCard, ...]:
    """Return the tenant's review groups by slug."""
    active = Membership.objects.filter(
        tenant_id=OuterRef("members__tenant_id"),
        person_id=OuterRef("members__person_id"),
        active=True,
    )
    rows = (
        ReviewGroup.objects.filter(tenant_id=actor.tenant_id)
        .annotate(people=Count("members", filter=Exists(active)))
        .order_by("slug")
    )
    return tuple(
        GroupCard(id=row.id, slug=row.slug, title=row.title, people=row.people) for row in rows
    )


# -- rights on single objects --------------------------------------------------------------------


@query
def may(*, actor: Actor, permission: str, obj_kind: str, obj_id: UUID) -> bool:
    """Say whether the actor may do this to this one agent or tool.

    Either a role gives the permission for the whole tenant, or a right on the object stands for
    it. Only people have rights on objects.
    """
    if actor.has(permission):
        return True
    if not actor.is_person:
        return False
    kind = ObjectKind(obj_kind)
    rights = ObjectGrant.objects.filter(
        _on_object(kind, obj_id), user_id=UUID(actor.id), user__is_active=True
    ).values_list("permission__codename", flat=True)
    return policies.may_on_object(permission, kind, rights)


@query
def grants(*, actor: Actor, person_id: UUID | None = None) -> tuple[GrantCard, ...]:
    """Return the rights on single objects in the tenant, newest first, of one person or of all."""
    rows = ObjectGrant.objects.filter(tenant_id=actor.tenant_id).select_related(
        "permission", "content_type"
    )
    if person_id is not None:
        rows = rows.filter(user_id=person_id)
    return tuple(
        GrantCard(
            person_id=row.user_id,
            kind=ObjectKind(row.content_type.model),
            object_id=UUID(row.object_pk),
            codename=row.permission.codename,
            granted_at=row.created_at,
        )
        for row in rows.order_by("-created_at", "id")[:500]
    )


@query
def objects_of(*, actor: Actor, kind: ObjectKind) -> tuple[ObjectCard, ...]:
    """Return the agents or tools of the tenant that a right can be given on, by name.

    The rooms above own those tables; content types name them, so that nothing here imports upward.
    """
    model = _model_of(kind)
    if model is None:
        return ()
    fields = {field.name for field in model._meta.get_fields()}  # noqa: SLF001 - Django's own way
    label = next((name for name in ("slug", "name") if name in fields), "pk")
    mine = model._default_manager.filter(tenant_id=actor.tenant_id)  # noqa: SLF001
    rows = mine.order_by(label).values_list("pk", label)[:500]
    return tuple(ObjectCard(id=pk, kind=kind, label=str(name)) for pk, name in rows)


# -- keys and sessions ---------------------------------------------------------------------------


@query
def service_keys(
    *, actor: Actor, before: tuple[datetime, UUID] | None = None, limit: int = 200
) -> tuple[KeyCard, ...]:
    """Return the tenant's keys, newest first; `before` is (created_at, id) of the last seen."""
    require(actor, Permission.KEYS_MANAGE)
    rows = ServiceKey.objects.filter(tenant_id=actor.tenant_id).select_related("issued_by", "use")
    if before is not None:
        at, last = before
        rows = rows.filter(Q(created_at__lt=at) | Q(created_at=at, id__lt=last))
    now = clock.now()
    return tuple(key_card(row, at=now) for row in rows.order_by("-created_at", "-id")[:limit])


@query
def live_keys_by(*, actor: Actor, person_id: UUID) -> int:
    """Return how many live keys a person has made; they end when the person is deactivated."""
    return _live_keys().filter(tenant_id=actor.tenant_id, issued_by_id=person_id).count()


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


# -- shared with commands ------------------------------------------------------------------------


def open_sessions(tenant_id: UUID) -> QuerySet[SessionRecord]:
    return SessionRecord.objects.filter(
        tenant_id=tenant_id, ended_at__isnull=True, expires_at__gt=DatabaseNow()
    )


def key_card(row: ServiceKey, *, at: datetime) -> KeyCard:
    return KeyCard(
        id=row.id,
        name=row.name,
        prefix=row.prefix,
        scopes=tuple(row.scopes),
        issued_by_id=row.issued_by_id,
        issued_by=row.issued_by.name,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        used_at=row.use.used_at if hasattr(row, "use") else None,
        live=row.revoked_at is None and row.expires_at > at,
    )


def _show_memberships_of(person_id: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('signalbox.person_id', %s, true)", [str(person_id)])


def _live_keys() -> QuerySet[ServiceKey]:
    return ServiceKey.objects.filter(revoked_at__isnull=True, expires_at__gt=DatabaseNow())


def _slugs_of(person: str, tenant_id: UUID) -> ArraySubquery:
    return ArraySubquery(
        GroupMember.objects.filter(tenant_id=tenant_id, person_id=OuterRef(person))
        .order_by("group__slug")
        .values("group__slug")
    )


def _sessions_with_membership(tenant_id: UUID) -> QuerySet[Any]:
    membership = Membership.objects.filter(
        tenant_id=tenant_id, person_id=OuterRef("person_id"), active=True
    )
    return (
        open_sessions(tenant_id)
        .filter(Exists(membership), person__is_active=True)
        .annotate(
            roles=membership.values("roles")[:1],
            group_slugs=_slugs_of("person_id", tenant_id),
            old=Case(When(seen_at__lt=DatabaseNow() - _SEEN_EVERY, then=True), default=False),
        )
        .select_related("person")
    )


def _actor_of(row: Any, *, address: str, request: str) -> Actor:
    return Actor(
        tenant_id=row.tenant_id,
        kind=ActorKind.PERSON,
        id=str(row.person_id),
        label=row.person.name,
        session=row.digest,
        strength="password",
        permissions=policies.permissions_of(row.roles),
        groups=frozenset(row.group_slugs),
        address=address,
        request=request,
    )


def _members(tenant_id: UUID) -> QuerySet[Any]:
    sessions = (
        open_sessions(tenant_id)
        .filter(person_id=OuterRef("person_id"))
        .order_by()
        .values("person_id")
        .annotate(n=Count("id"))
        .values("n")
    )
    return (
        Membership.objects.filter(tenant_id=tenant_id)
        .annotate(group_slugs=_slugs_of("person_id", tenant_id), session_count=sessions)
        .select_related("person")
    )


def _person_card(row: Any) -> PersonCard:
    return PersonCard(
        id=row.person_id,
        name=row.person.name,
        email=row.person.email,
        roles=_roles(row.roles),
        groups=tuple(row.group_slugs),
        active=row.active and row.person.is_active,
        sessions=row.session_count or 0,
    )


def _roles(values: list[str]) -> tuple[Role, ...]:
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


def _model_of(kind: ObjectKind) -> type[Model] | None:
    try:
        return ContentType.objects.get_by_natural_key("agents", kind.value).model_class()
    except ContentType.DoesNotExist:
        return None


def _on_object(kind: ObjectKind, obj_id: UUID) -> Q:
    codename, _given = OBJECT_RIGHTS[kind]
    return Q(
        permission__codename=codename,
        content_type__app_label="agents",
        content_type__model=kind.value,
        object_pk=str(obj_id),
    )
