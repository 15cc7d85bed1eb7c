"""Who may vote and who may look: people of accounts, as the rules of this room see them."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from approvals.cards import Voter
from approvals.queries.delegating import with_delegations
from console.accounts import queries as accounts
from console.accounts.cards import PersonCard
from console.accounts.states import ObjectKind, Permission
from console.kernel.actors import Actor, ActorKind
from console.kernel.errors import NotAllowed
from console.kernel.transactions import query


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Of which tools somebody may see proposals; None means of all."""

    tools: frozenset[UUID] | None

    def covers(self, tool_id: UUID | None) -> bool:
        return self.tools is None or tool_id in self.tools

    @property
    def rows(self) -> Q:
        return Q() if self.tools is None else Q(tool_id__in=self.tools)


def voters_of(*, actor: Actor, tool_id: UUID | None) -> Mapping[UUID, Voter]:
    """Return everybody who may vote on a tool now: by role, or by a right on the tool."""
    people = {person.id: person for person in accounts.reviewers(actor=actor)}
    if tool_id is not None:
        granted = accounts.reviewers_of_tool(actor=actor, tool_id=tool_id)
        people.update({person.id: person for person in granted})
    found = {person.id: _voter(person) for person in sorted(people.values(), key=_by_name)}
    return with_delegations(actor, found)


def as_voter(actor: Actor, voters: Mapping[UUID, Voter]) -> Voter:
    """Return the person who asks as the rules see them; without rights if they are no reviewer."""
    person = UUID(actor.id)
    nobody = Voter(
        person_id=person, name=actor.label, groups=frozenset(), active=True, may_vote=False
    )
    return voters.get(person, nobody)


def tool_id_of(*, actor: Actor, tool: str) -> UUID | None:
    """Return the id under which rights on a tool are given, or None if it has none."""
    found = accounts.objects_of(actor=actor, kind=ObjectKind.TOOL)
    return next((one.id for one in found if one.label == tool), None)


def seen_by(actor: Actor) -> Reach:
    """Return what the actor may look at.

    Raises:
        NotAllowed: nothing at all.
    """
    if actor.kind is ActorKind.SYSTEM or actor.has(Permission.APPROVALS_VIEW):
        return Reach(tools=None)
    tools = _granted(actor)
    if not tools:
        raise NotAllowed(
            "This needs the permission approvals.view; ask an administrator for it.",
            permission=Permission.APPROVALS_VIEW.value,
        )
    return Reach(tools=tools)


@query
def reach(*, actor: Actor) -> Reach:
    """Return what the actor may look at, for a page that has nothing to look up yet.

    Raises:
        NotAllowed: nothing at all.
    """
    return seen_by(actor)


def decided_by(actor: Actor) -> Reach:
    """Return on what the actor may vote, as far as roles and rights go; maybe on nothing."""
    if actor.is_person and actor.has(Permission.APPROVALS_VOTE):
        return Reach(tools=None)
    return Reach(tools=_granted(actor))


def _granted(actor: Actor) -> frozenset[UUID]:
    if not actor.is_person:
        return frozenset()
    given = accounts.grants(actor=actor, person_id=UUID(actor.id))
    return frozenset(grant.object_id for grant in given if grant.kind is ObjectKind.TOOL)


def _voter(person: PersonCard) -> Voter:
    return Voter(
        person_id=person.id,
        name=person.name,
        groups=frozenset(person.groups),
        active=person.active,
        may_vote=True,
    )


def _by_name(person: PersonCard) -> tuple[str, str]:
    return person.name, str(person.id)
