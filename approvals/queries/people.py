"""Who may vote and who may look: people of accounts, as the rules of this room see them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from approvals.cards import Voter
from approvals.models import Proposal
from approvals.queries.delegating import live, with_delegations
from approvals.states import PLAN
from console.accounts import queries as accounts
from console.accounts.cards import Reviewer
from console.accounts.states import ObjectKind, Permission
from console.kernel.actors import Actor, ActorKind
from console.kernel.errors import NotAllowed
from console.kernel.transactions import query


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Of which tools somebody may see proposals; None means of all.

    A plan shows what each of its changes does, so it takes a right on the tool of every one.
    """

    tools: frozenset[UUID] | None

    def covers(self, row: Proposal) -> bool:
        if self.tools is None:
            return True
        asked = tools_of(row)
        return bool(asked) and asked <= self.tools

    @property
    def rows(self) -> Q:
        """Select the proposals that it covers, among rows of proposals."""
        if self.tools is None:
            return Q()
        beyond = Proposal.objects.filter(plan=OuterRef("pk")).exclude(tool_id__in=self.tools)
        return Q(tool_id__in=self.tools) | Q(~Exists(beyond), subject_kind=PLAN)


def tools_of(row: Proposal) -> frozenset[UUID | None]:
    """Return the tools on which rights count for a proposal; None is one without such rights."""
    if row.subject_kind != PLAN:
        return frozenset({row.tool_id})
    return frozenset(Proposal.objects.filter(plan=row).values_list("tool_id", flat=True))


def voters_on(
    *, actor: Actor, row: Proposal, among: Collection[UUID] | None = None
) -> Mapping[UUID, Voter]:
    """Return who may vote on a proposal now; `among` as for `voters_of`."""
    return voters_of(actor=actor, tools=tools_of(row), among=among)


def voters_of(
    *, actor: Actor, tools: Collection[UUID | None], among: Collection[UUID] | None = None
) -> Mapping[UUID, Voter]:
    """Return who may vote on all of these tools now, what they were lent and who is one with them.

    Args:
        among: nobody but these; None asks for everybody.
    """
    rows = live(actor)
    if among is None:
        return with_delegations(rows, entitled(actor=actor, tools=tools))
    givers = {row.from_person_id for row in rows if row.to_person_id in among}
    found = entitled(actor=actor, tools=tools, among={*among, *givers})
    voters = with_delegations(rows, found)
    return {person: voters[person] for person in among if person in voters}


def entitled(
    *, actor: Actor, tools: Collection[UUID | None], among: Collection[UUID] | None = None
) -> Mapping[UUID, Voter]:
    """Return who may vote on all of these tools now: by role, or by rights; delegations aside."""
    known = [tool for tool in tools if tool is not None]
    with_rights = known if len(known) == len(tools) else ()  # on one of them nobody has a right
    people = accounts.reviewers(actor=actor, tools=with_rights, among=among)
    return {person.id: _voter(person) for person in sorted(people, key=_by_name)}


class Voters:
    """Who may vote, by tools, read once for a look at many proposals; no decision rests on it."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._of: dict[frozenset[UUID | None], Mapping[UUID, Voter]] = {}

    def of(self, tools: Collection[UUID | None]) -> Mapping[UUID, Voter]:
        key = frozenset(tools)
        if key not in self._of:
            self._of[key] = voters_of(actor=self._actor, tools=key)
        return self._of[key]


def oneself(actor: Actor) -> frozenset[UUID]:
    """Return the person who asks, where it depends on nobody else; nothing of a machine."""
    return frozenset({UUID(actor.id)}) if actor.is_person else frozenset()


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


def _voter(person: Reviewer) -> Voter:
    return Voter(
        person_id=person.id, name=person.name, groups=person.groups, active=True, may_vote=True
    )


def _by_name(person: Reviewer) -> tuple[str, str]:
    return person.name, str(person.id)
