"""Changes of people as pages and programs send them: what loosens the gate waits for two people.

What takes a say away, or has nothing to do with one, counts at once. The rest becomes a proposal in
the same transaction, through the port `consent`; the commands below refuse a person who would give
a say without it.
"""

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from console.accounts import consent, policies, queries
from console.accounts.cards import Changed, Gain, NewPerson, PersonCard, Standing, Waiting
from console.accounts.commands.grants import give_grant, require_object, take_grant
from console.accounts.commands.locking import lock_people
from console.accounts.commands.people import add_person, require_groups, set_membership
from console.accounts.states import ObjectKind, Permission, Role
from console.kernel.actors import Actor
from console.kernel.transactions import command


@command
def admit_person(
    *,
    actor: Actor,
    email: str,
    name: str,
    roles: Iterable[Role | str],
    groups: Iterable[str] = (),
) -> NewPerson:
    """Make somebody a member, and ask people about what they may decide.

    Raises:
        AlreadyThere: they are a member already, perhaps an inactive one.
    """
    queries.require(actor, Permission.ACCOUNTS_MANAGE)
    lock_people(actor)
    wanted = Standing(roles=frozenset(map(Role, roles)), groups=frozenset(groups))
    require_groups(actor, wanted.groups)
    later = _later(actor, Standing(), wanted)
    now = policies.without(wanted, later)
    made = add_person(actor=actor, email=email, name=name, roles=now.roles, groups=now.groups)
    return replace(made, waiting=_asked(actor, made.person.id, later))


@command
def change_person(
    *,
    actor: Actor,
    person_id: UUID,
    roles: Iterable[Role | str],
    groups: Iterable[str],
    active: bool,
) -> Changed:
    """Give a person these roles and groups: at once, or after people agreed where it loosens.

    Raises:
        NotFound: no such person in this tenant.
        LastAdmin: nobody would be left who can undo it.
    """
    queries.require(actor, Permission.ACCOUNTS_MANAGE)
    lock_people(actor)
    before = queries.standing(actor=actor, person_id=person_id)
    wanted = replace(
        before,
        roles=frozenset(map(Role, roles)),
        groups=frozenset(groups),
        active=active,
    )
    require_groups(actor, wanted.groups)
    later = _later(actor, before, wanted)
    now = policies.without(wanted, later)
    card = set_membership(
        actor=actor, person_id=person_id, roles=now.roles, groups=now.groups, active=now.active
    )
    return Changed(person=card, waiting=_asked(actor, person_id, later))


@command
def give_right(
    *, actor: Actor, person_id: UUID, kind: ObjectKind | str, object_id: UUID
) -> Waiting | None:
    """Give a member the right on one agent at once, or on one tool after people agreed.

    Returns:
        What waits for people, or None if the right counts now.

    Raises:
        NotFound: no such member, or no such agent or tool, in this tenant.
    """
    queries.require(actor, Permission.ACCOUNTS_MANAGE)
    lock_people(actor)
    before = queries.standing(actor=actor, person_id=person_id)
    require_object(kind, object_id)
    is_tool = ObjectKind(kind) is ObjectKind.TOOL
    wanted = replace(before, tools=before.tools | {object_id}) if is_tool else before
    later = _later(actor, before, wanted)
    if not later:
        give_grant(actor=actor, person_id=person_id, kind=kind, object_id=object_id)
    return _asked(actor, person_id, later)


@command
def entrust(*, actor: Actor, person_id: UUID, groups: Iterable[str]) -> PersonCard:
    """Make a member a reviewer of further groups, for whoever keeps the installation.

    It is the way back when everybody who could agree has left; a person is refused as ever.
    """
    queries.require(actor, Permission.ACCOUNTS_MANAGE)
    lock_people(actor)
    before = queries.standing(actor=actor, person_id=person_id)
    return set_membership(
        actor=actor,
        person_id=person_id,
        roles=before.roles | {Role.REVIEWER},
        groups=before.groups | set(groups),
        active=True,
    )


@command
def take_say(*, actor: Actor, person_id: UUID) -> Gain:
    """Take away at once all that a person may decide, and return it; nothing while founding.

    Parts of the product take nothing: on the command line it is whoever keeps the installation.
    """
    queries.require(actor, Permission.ACCOUNTS_MANAGE)
    lock_people(actor)
    before = queries.standing(actor=actor, person_id=person_id)
    say = policies.gain(Standing(), before)
    if not say or not actor.is_person or consent.founding(actor=actor):
        return Gain()
    now = policies.without(before, say)
    set_membership(
        actor=actor, person_id=person_id, roles=now.roles, groups=now.groups, active=now.active
    )
    for tool in say.tools:
        take_grant(actor=actor, person_id=person_id, kind=ObjectKind.TOOL, object_id=tool)
    return say


def _later(actor: Actor, before: Standing, wanted: Standing) -> Gain:
    """Return what waits for people; nothing while the tenant's first people are put together."""
    gained = policies.gain(before, wanted)
    return Gain() if gained and consent.founding(actor=actor) else gained


def _asked(actor: Actor, person_id: UUID, later: Gain) -> Waiting | None:
    return consent.ask(actor=actor, person_id=person_id, gain=later) if later else None
