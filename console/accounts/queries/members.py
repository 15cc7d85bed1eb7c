"""The people of a tenant and what they may do: groups, rights on objects, service keys."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, Exists, Model, OuterRef, Q, QuerySet

from console.accounts import policies
from console.accounts.cards import (
    GrantCard,
    GroupCard,
    KeyCard,
    ObjectCard,
    PasswordSet,
    PersonCard,
    Standing,
)
from console.accounts.models import Membership, ObjectGrant, ReviewGroup, ServiceKey
from console.accounts.queries.sessions import (
    live_keys,
    open_sessions,
    roles_of,
    show_memberships_of,
    slugs_of,
)
from console.accounts.states import OBJECT_RIGHTS, ObjectKind, Permission, Role
from console.kernel import clock
from console.kernel.actors import Actor, ActorKind
from console.kernel.errors import NotAllowed, NotFound
from console.kernel.transactions import query


def require(actor: Actor, permission: Permission) -> None:
    """Raise when the actor lacks a tenant-wide permission; parts of the product need none."""
    if actor.kind is not ActorKind.SYSTEM and not actor.has(permission):
        raise NotAllowed(
            f"This needs the permission {permission}; ask an administrator.", permission=permission
        )


@query
def person_card(*, actor: Actor, person_id: UUID) -> PersonCard:
    """Return one person of the actor's tenant, active or not."""
    row = _members(actor.tenant_id).filter(person_id=person_id).first()
    if row is None:
        raise NotFound("There is no such person here; look at the list of people.")
    return _person_card(row)


@query
def standing(*, actor: Actor, person_id: UUID) -> Standing:
    """Return what a member is, as far as it says what they may decide."""
    card = person_card(actor=actor, person_id=person_id)
    rights = grants(actor=actor, person_id=person_id)
    return Standing(
        roles=frozenset(card.roles),
        groups=frozenset(card.groups),
        tools=frozenset(right.object_id for right in rights if right.kind is ObjectKind.TOOL),
        active=card.active,
    )


@query
def member_by_email(*, actor: Actor, email: str) -> UUID | None:
    """Return the id of the member of an address in lower case, active or not."""
    rows = Membership.objects.filter(tenant_id=actor.tenant_id, person__email=email)
    return rows.values_list("person_id", flat=True).first()


@query
def administrators(*, actor: Actor) -> tuple[PersonCard, ...]:
    """Return the active people who administer the tenant, by name."""
    rows = _members(actor.tenant_id).filter(
        active=True, person__is_active=True, roles__contains=[Role.ADMIN.value]
    )
    return tuple(_person_card(row) for row in rows.order_by("person__name", "person_id"))


@query
def password_of_another(*, actor: Actor, person_id: UUID) -> PasswordSet | None:
    """Return who else last set the password of a member, and when; None if nobody did."""
    mine = Membership.objects.filter(tenant_id=actor.tenant_id, person_id=person_id)
    row = mine.select_related("person").first()
    if row is None or row.person.password_set_at is None:
        return None
    return PasswordSet(by=row.person.password_set_by, at=row.person.password_set_at)


@query
def belongs_elsewhere(*, actor: Actor, person_id: UUID) -> bool:
    """Say whether a person is a member, even an inactive one, of another tenant too."""
    show_memberships_of(person_id)
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
def active_among(*, actor: Actor, people: Collection[UUID]) -> frozenset[UUID]:
    """Return which of these people are active in the tenant."""
    rows = Membership.objects.filter(
        tenant_id=actor.tenant_id, person_id__in=people, active=True, person__is_active=True
    )
    return frozenset(rows.values_list("person_id", flat=True))


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
    return live_keys().filter(tenant_id=actor.tenant_id, issued_by_id=person_id).count()


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
        .annotate(group_slugs=slugs_of("person_id", tenant_id), session_count=sessions)
        .select_related("person")
    )


def _person_card(row: Any) -> PersonCard:
    return PersonCard(
        id=row.person_id,
        name=row.person.name,
        email=row.person.email,
        roles=roles_of(row.roles),
        groups=tuple(row.group_slugs),
        active=row.active and row.person.is_active,
        sessions=row.session_count or 0,
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
