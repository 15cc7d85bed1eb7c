"""Whose word counts on one proposal, in which capacity it was given, and as how many people."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from approvals.cards import Voter
from approvals.models import Delegation, Proposal, Vote
from approvals.policies.matching import units
from approvals.queries.delegating import hold, with_delegations
from approvals.queries.people import entitled, tools_of
from console.kernel.actors import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Those who spoke on a proposal or are about to: what they may now, and whom they stand for.

    It is read once under the lock, for the one who votes and for the tally of all.
    """

    people: Mapping[UUID, Voter]  # who of them may vote, delegations aside
    rows: Sequence[Delegation]  # of theirs, into which a vote fell or would fall

    def now(self, *, at: datetime) -> Mapping[UUID, Voter]:
        """Return them with what they are lent and with whom they count as one at that moment."""
        return with_delegations([row for row in self.rows if row.covers(at)], self.people)

    def counting(self, votes: Iterable[Vote]) -> list[Voter]:
        """Return whose votes count.

        A vote in somebody's place counts while that person could fill it, and until the delegation
        is ended by a person; that its time merely ran out takes nothing back.
        """
        found = []
        for vote in votes:
            groups = self._groups(vote)
            if groups is not None:
                joined = _joined(self.rows, vote.person_id, vote.cast_at)
                found.append(replace(self.people[vote.person_id], groups=groups, one_with=joined))
        return found

    def count(self, votes: Iterable[Vote]) -> int:
        """Return how many people stand behind votes; who counted as one at the time is one."""
        return _count(_cast(votes), self.rows)

    def _groups(self, vote: Vote) -> frozenset[str] | None:
        """Return for which groups a vote counts, or None if it does not any more."""
        if vote.person_id not in self.people:
            return None
        if vote.delegation_id is None:
            return self.people[vote.person_id].groups
        row = next((one for one in self.rows if one.id == vote.delegation_id), None)
        if row is None or row.ended_at is not None:
            return None
        giver = self.people.get(row.from_person_id)
        if giver is None or row.group not in giver.groups:
            return None
        return frozenset({row.group})


def hear(
    *, actor: Actor, row: Proposal, votes: Sequence[Vote], also: Sequence[tuple[UUID, datetime]]
) -> Heard:
    """Return what counts of those who cast these votes; nobody ends a delegation of them meanwhile.

    Args:
        also: who is about to vote, and when.
    """
    used = {vote.delegation_id for vote in votes if vote.delegation_id}
    hold(used)
    cast = [*also, *_cast(votes)]
    rows = _around(cast)
    takers = {person for person, _at in also}
    givers = {one.from_person_id for one in rows if one.id in used or one.to_person_id in takers}
    who = {person for person, _at in cast}
    people = entitled(actor=actor, tools=tools_of(row), among=who | givers)
    return Heard(people=people, rows=rows)


def count_people(cast: Sequence[tuple[UUID, datetime]]) -> int:
    """Return how many people stand behind votes; who counted as one at the time is one.

    Args:
        cast: person and time of each vote.
    """
    return _count(cast, _around(cast) if len(cast) > 1 else ())


def _cast(votes: Iterable[Vote]) -> list[tuple[UUID, datetime]]:
    return [(vote.person_id, vote.cast_at) for vote in votes]


def _count(cast: Sequence[tuple[UUID, datetime]], rows: Sequence[Delegation]) -> int:
    voters = [
        Voter(
            person_id=person,
            name="",
            groups=frozenset(),
            active=True,
            may_vote=True,
            one_with=_joined(rows, person, at),
        )
        for person, at in cast
    ]
    return len(units(voters))


def _around(cast: Sequence[tuple[UUID, datetime]]) -> Sequence[Delegation]:
    """Return the delegations of these people, but for those that no vote of them fell into."""
    if not cast:
        return ()
    who, times = [person for person, _at in cast], [at for _person, at in cast]
    theirs = Q(from_person__in=who) | Q(to_person__in=who)
    return list(Delegation.objects.filter(theirs, made_at__lte=max(times), until__gt=min(times)))


def _joined(rows: Iterable[Delegation], person: UUID, at: datetime) -> frozenset[UUID]:
    """Return with whom a person counted as one at that moment."""
    return frozenset(other for row in rows if row.covers(at) for other in _others(row, person))


def _others(row: Delegation, person: UUID) -> tuple[UUID, ...]:
    if person == row.from_person_id:
        return (row.to_person_id,)
    return (row.from_person_id,) if person == row.to_person_id else ()
