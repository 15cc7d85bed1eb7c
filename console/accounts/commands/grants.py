"""Rights of one person on one agent or one tool (django-guardian)."""

from dataclasses import replace
from uuid import UUID

from django.contrib.auth.models import Permission as RightRow
from django.contrib.contenttypes.models import ContentType

from audit.commands import record
from console.accounts import consent, events, policies, queries
from console.accounts.commands.consequences import people_changed
from console.accounts.commands.locking import lock_people
from console.accounts.models import ObjectGrant
from console.accounts.states import OBJECT_RIGHTS, ObjectKind, Permission
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from console.kernel.transactions import command


@command
def give_grant(
    *,
    actor: Actor,
    person_id: UUID,
    kind: ObjectKind | str,
    object_id: UUID,
    agreed_by: UUID | None = None,
) -> bool:
    """Give a member the right on one agent or tool; say whether they did not have it yet.

    Args:
        agreed_by: the proposal that is carried out by this, for the trail.

    Raises:
        NotFound: no such member, or no such agent or tool, in this tenant.
        NeedsAgreement: a person gives the right to review a tool; `give_right` asks for it.
    """
    queries.require(actor, Permission.ACCOUNTS_MANAGE)
    right, content_type = _right(ObjectKind(kind))
    lock_people(actor)
    standing = queries.standing(actor=actor, person_id=person_id)
    require_object(kind, object_id)
    if ObjectKind(kind) is ObjectKind.TOOL:
        after = replace(standing, tools=standing.tools | {object_id})
        consent.require(actor, policies.gain(standing, after))
    row = ObjectGrant(
        tenant_id=actor.tenant_id,
        user_id=person_id,
        permission=right,
        content_type=content_type,
        object_pk=str(object_id),
    )
    ObjectGrant.objects.bulk_create([row], ignore_conflicts=True)
    if not ObjectGrant.objects.filter(pk=row.pk).exists():
        return False
    record(
        events.GrantGiven(
            person_id=person_id,
            object_kind=ObjectKind(kind).value,
            object_id=object_id,
            right=right.codename,
            proposal_id=agreed_by,
        ),
        actor=actor,
    )
    people_changed(actor=actor)
    return True


@command
def take_grant(*, actor: Actor, person_id: UUID, kind: ObjectKind | str, object_id: UUID) -> bool:
    """Take the right on one agent or tool from a person; say whether they had it."""
    queries.require(actor, Permission.ACCOUNTS_MANAGE)
    right, content_type = _right(ObjectKind(kind))
    lock_people(actor)
    count, _by_model = ObjectGrant.objects.filter(
        tenant_id=actor.tenant_id,
        user_id=person_id,
        permission=right,
        content_type=content_type,
        object_pk=str(object_id),
    ).delete()
    if not count:
        return False
    record(
        events.GrantTaken(
            person_id=person_id,
            object_kind=ObjectKind(kind).value,
            object_id=object_id,
            right=right.codename,
        ),
        actor=actor,
    )
    people_changed(actor=actor)
    return True


def _right(kind: ObjectKind) -> tuple[RightRow, ContentType]:
    codename, _given = OBJECT_RIGHTS[kind]
    content_type = _type_of(kind)
    return RightRow.objects.get(content_type=content_type, codename=codename), content_type


def _type_of(kind: ObjectKind) -> ContentType:
    return ContentType.objects.get_by_natural_key("agents", kind.value)


def require_object(kind: ObjectKind | str, object_id: UUID) -> None:
    """Raise `NotFound` unless the tenant has such an agent or tool."""
    content_type = _type_of(ObjectKind(kind))
    model = content_type.model_class()
    # Row-level security hides other tenants' rows, so a foreign id is a missing one.
    if model is None or not model._default_manager.filter(pk=object_id).exists():  # noqa: SLF001
        raise NotFound(f"There is no such {content_type.model} here; look at the list.")
