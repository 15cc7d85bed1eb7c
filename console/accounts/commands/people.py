"""Tenants, people, their roles and their review groups."""

import secrets
from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from django.contrib.auth.hashers import make_password

from audit.commands import record
from audit.events import Change
from console.accounts import consent, events, policies, queries
from console.accounts.cards import GroupCard, NewPerson, PersonCard, Standing, TenantCard
from console.accounts.commands.consequences import people_changed
from console.accounts.commands.keys import revoke_keys_of
from console.accounts.commands.locking import lock_people
from console.accounts.commands.sessions import end_sessions
from console.accounts.errors import AlreadyThere
from console.accounts.models import (
    NAME_LENGTH,
    GroupMember,
    Membership,
    Person,
    ReviewGroup,
    Tenant,
)
from console.accounts.states import Permission, Role
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import BadInput, NotFound
from console.kernel.lines import require_plain_line
from console.kernel.transactions import command


def new_password() -> str:
    """Return an initial password of 80 random bits, in groups that can be read aloud."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(4))


@command
def create_tenant(*, actor: Actor, slug: str, name: str) -> TenantCard:
    """Make the organisation whose id the actor carries already; see `actors.system`.

    Raises:
        AlreadyThere: the short name is taken.
    """
    require_plain_line("name", name)
    made = Tenant.objects.bulk_create(
        [Tenant(id=actor.tenant_id, slug=slug, name=name)], ignore_conflicts=True
    )
    row = Tenant.objects.filter(slug=slug).first()
    if row is None or row.id != made[0].id:
        raise AlreadyThere(f"There is a tenant {slug} already; choose another short name.")
    record(events.TenantCreated(tenant_id=row.id, slug=slug), actor=actor)
    return TenantCard(id=row.id, slug=row.slug, name=row.name)


@command
def create_group(*, actor: Actor, slug: str, title: str) -> GroupCard:
    """Make a review group.

    Raises:
        AlreadyThere: the tenant has a group with this short name.
    """
    queries.require(actor, Permission.ACCOUNTS_MANAGE)
    require_plain_line("title", title)
    row = ReviewGroup(tenant_id=actor.tenant_id, slug=slug, title=title)
    ReviewGroup.objects.bulk_create([row], ignore_conflicts=True)
    if not ReviewGroup.objects.filter(pk=row.pk).exists():
        raise AlreadyThere(f"There is a group {slug} already; use it, or choose another name.")
    record(events.GroupCreated(group_id=row.id, slug=slug), actor=actor)
    return GroupCard(id=row.id, slug=slug, title=title, people=0)


@command
def add_person(
    *,
    actor: Actor,
    email: str,
    name: str,
    roles: Iterable[Role | str],
    groups: Iterable[str] = (),
    password_hash: str = "",
) -> NewPerson:
    """Make somebody a member; who has no account yet gets one, with a password that is shown once.

    An account is a person's own: if the address has one, its name and password stay as they are.

    Args:
        password_hash: an encoded hash in Django's form; then no password is made or shown.

    Raises:
        AlreadyThere: they are a member already, perhaps an inactive one.
        NeedsAgreement: a person gives a say to somebody; `admit_person` asks for it.
    """
    queries.require(actor, Permission.ACCOUNTS_MANAGE)
    require_plain_line("name", name)
    words = sorted({Role(role) for role in roles})
    lock_people(actor)
    after = Standing(roles=frozenset(words), groups=frozenset(groups))
    consent.require(actor, policies.gain(Standing(), after))
    password = "" if password_hash else new_password()
    person, is_new = _person(email.strip().lower(), name, password_hash or make_password(password))
    if is_new and password:
        Person.objects.filter(pk=person.pk).update(
            password_set_by=actor.label[:NAME_LENGTH], password_set_at=clock.now()
        )

    row = Membership(tenant_id=actor.tenant_id, person=person, roles=[role.value for role in words])
    Membership.objects.bulk_create([row], ignore_conflicts=True)
    if not Membership.objects.filter(pk=row.pk).exists():
        raise AlreadyThere("This person belongs to the tenant already; change their roles instead.")
    slugs = tuple(sorted(after.groups))
    _join(actor, person.id, require_groups(actor, slugs))
    record(
        events.PersonAdded(person_id=person.id, roles=tuple(row.roles), groups=slugs), actor=actor
    )
    people_changed(actor=actor)
    card = PersonCard(
        id=person.id,
        name=person.name,
        email=person.email,
        roles=tuple(words),
        groups=slugs,
        active=person.is_active,
        sessions=0,
    )
    return NewPerson(person=card, password=password if is_new else "")


@command
def set_membership(
    *,
    actor: Actor,
    person_id: UUID,
    roles: Iterable[Role | str],
    groups: Iterable[str],
    active: bool,
    agreed_by: UUID | None = None,
) -> PersonCard:
    """Give a person exactly these roles and groups; inactive, they lose sessions and keys.

    Args:
        agreed_by: the proposal that is carried out by this, for the trail.

    Raises:
        NotFound: no such person in this tenant.
        LastAdmin: nobody would be left who can undo it.
        NeedsAgreement: a person gives somebody a say; `change_person` asks for it.
    """
    queries.require(actor, Permission.ACCOUNTS_MANAGE)
    lock_people(actor)
    admins = _lock_admins(actor, person_id)
    row = Membership.objects.filter(tenant_id=actor.tenant_id, person_id=person_id).first()
    if row is None:
        raise NotFound("There is no such person here; look at the list of people.")
    before = queries.person_card(actor=actor, person_id=person_id)
    words = [role.value for role in sorted({Role(role) for role in roles})]
    groups = sorted(set(groups))
    standing = queries.standing(actor=actor, person_id=person_id)
    after = replace(
        standing, roles=frozenset(map(Role, words)), groups=frozenset(groups), active=active
    )
    consent.require(actor, policies.gain(standing, after))
    stays_admin = active and Role.ADMIN.value in words
    if row.active and Role.ADMIN.value in row.roles and not stays_admin:
        policies.require_an_admin_left(admins - 1)

    changes = tuple(
        change
        for change in (
            Change(path="/roles", before=sorted(row.roles), after=words),
            Change(path="/groups", before=sorted(before.groups), after=groups),
            Change(path="/active", before=row.active, after=active),
        )
        if change.before != change.after
    )
    if not changes:
        return before
    was_active = row.active
    Membership.objects.filter(pk=row.pk).update(roles=words, active=active)
    _set_groups(actor, person_id, set(groups))
    record(
        events.MembershipChanged(person_id=person_id, changes=changes, proposal_id=agreed_by),
        actor=actor,
    )
    if was_active and not active:
        end_sessions(actor=actor, person_id=person_id, cause="deactivated")
        revoke_keys_of(actor=actor, person_id=person_id)
    people_changed(actor=actor)
    return queries.person_card(actor=actor, person_id=person_id)


def _person(email: str, name: str, password_hash: str) -> tuple[Person, bool]:
    """Return the account of an address, and whether it was made now."""
    row = Person(email=email, name=name, password=password_hash)
    Person.objects.bulk_create([row], ignore_conflicts=True)
    found = Person.objects.get(email=email)
    return found, found.pk == row.pk


def _lock_admins(actor: Actor, person_id: UUID) -> int:
    """Lock every active administrator and the person, in one order; return how many there are.

    Two administrators who remove each other at the same time wait here, and the second one sees it.
    """
    rows = Membership.objects.select_for_update().filter(tenant_id=actor.tenant_id).order_by("id")
    locked = [
        row
        for row in rows.filter(person__is_active=True)
        if row.person_id == person_id or (row.active and Role.ADMIN.value in row.roles)
    ]
    return sum(1 for row in locked if row.active and Role.ADMIN.value in row.roles)


def require_groups(actor: Actor, groups: Iterable[str]) -> dict[str, ReviewGroup]:
    """Return the groups by their short names.

    Raises:
        BadInput: there is no group of a name.
    """
    wanted = set(groups)
    known = {
        row.slug: row
        for row in ReviewGroup.objects.filter(tenant_id=actor.tenant_id, slug__in=wanted)
    }
    unknown = sorted(wanted - set(known))
    if unknown:
        raise BadInput(
            f"There is no group {unknown[0]}; make it first or leave it out.",
            fields={"groups": f"There is no group {unknown[0]}."},
        )
    return known


def _set_groups(actor: Actor, person_id: UUID, wanted: set[str]) -> None:
    """Put the person into exactly these groups, named by slug."""
    known = require_groups(actor, wanted)
    mine = GroupMember.objects.filter(tenant_id=actor.tenant_id, person_id=person_id)
    mine.exclude(group__slug__in=wanted).delete()
    have = set(mine.values_list("group__slug", flat=True))
    _join(actor, person_id, {slug: known[slug] for slug in wanted - have})


def _join(actor: Actor, person_id: UUID, groups: dict[str, ReviewGroup]) -> None:
    GroupMember.objects.bulk_create(
        GroupMember(tenant_id=actor.tenant_id, group=groups[slug], person_id=person_id)
        for slug in sorted(groups)
    )
