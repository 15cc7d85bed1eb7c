"""Delegations: which there are, what they let people do now, and what votes cast under them count.

Whether one lets anybody decide follows from rights and groups of now and is never stored. That its
two people count as one follows from the row alone, for as long as it lasted.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from approvals.cards import Lent, Voter
from approvals.cards.delegating import DelegationCard
from approvals.models import Delegation, Vote
from approvals.policies.matching import units
from console.accounts import queries as accounts
from console.accounts.cards import PersonCard
from console.accounts.queries import require
from console.accounts.states import Permission
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.transactions import query

_MOST: Final = 200
_HOLD: Final = "SELECT 1 FROM approvals_delegation WHERE id = ANY (%s) ORDER BY id FOR SHARE"


@query
def delegations(*, actor: Actor) -> tuple[DelegationCard, ...]:
    """Return who stands in for whom, the live ones first, then the newest.

    Raises:
        NotAllowed: the actor may see no proposal of every tool.
    """
    require(actor, Permission.APPROVALS_VIEW)
    at = clock.now()
    rows = list(_of_tenant(actor).order_by("-made_at", "-id")[:_MOST])
    people = {person.id: person for person in accounts.reviewers(actor=actor)} if rows else {}
    cards = [
        row.card(at=at, why_silent=why_silent(row, people), may_end=may_end(row, actor))
        for row in rows
    ]
    return tuple(sorted(cards, key=lambda card: not card.live))


@query
def possible_stand_ins(*, actor: Actor) -> tuple[PersonCard, ...]:
    """Return whom the actor could name to stand in: everybody else with the review right."""
    require(actor, Permission.APPROVALS_VOTE)
    return tuple(one for one in accounts.reviewers(actor=actor) if str(one.id) != actor.id)


# -- shared with commands and other queries ------------------------------------------------------


def may_end(row: Delegation, actor: Actor) -> bool:
    """Say whether the actor is one of the two people, or leads the reviewers."""
    if not actor.is_person:
        return False
    mine = actor.id in {str(row.from_person_id), str(row.to_person_id)}
    return mine or actor.has(Permission.APPROVALS_LEAD)


def why_silent(row: Delegation, people: Mapping[UUID, PersonCard]) -> str:
    """Return why nobody may decide by it now, or "".

    Args:
        people: who holds the review right now, by id.
    """
    giver = people.get(row.from_person_id)
    if giver is None:
        return f"{row.from_label} may not review any more."
    if row.group not in giver.groups:
        return f"{row.from_label} is not in {row.group} any more."
    if row.to_person_id not in people:
        return f"{row.to_label} may not review any more."
    return ""


def live(actor: Actor) -> list[Delegation]:
    """Return the delegations of the tenant that last now."""
    rows = list(_of_tenant(actor).filter(ended_at__isnull=True, lapsed_at__isnull=True))
    if not rows:
        return []  # nearly always so, and then nobody asks for the time
    at = clock.now()
    return [row for row in rows if row.covers(at)]


def with_delegations(actor: Actor, voters: Mapping[UUID, Voter]) -> dict[UUID, Voter]:
    """Return the voters with what they were lent and with whom they count as one now."""
    found = dict(voters)
    for row in live(actor):
        giver, taker = found.get(row.from_person_id), found.get(row.to_person_id)
        if giver is not None:
            found[giver.person_id] = _one(giver, row.to_person_id)
        if taker is None:
            continue
        lends = giver is not None and giver.active and row.group in giver.groups
        lent = lent_by(row) if lends else None
        found[taker.person_id] = _one(replace(taker, lent=lent), row.from_person_id)
    return found


def lent_by(row: Delegation) -> Lent:
    return Lent(
        delegation_id=row.id,
        person_id=row.from_person_id,
        name=row.from_label,
        group=row.group,
    )


def speakers(votes: Sequence[Vote], voters: Mapping[UUID, Voter]) -> list[Voter]:
    """Return whose votes count at this moment, each in the capacity in which it was cast.

    A vote in somebody's place counts while that person could fill it, and until the delegation is
    ended by a person; that its time merely ran out takes nothing back.

    Args:
        voters: everybody who may vote, as they are at this moment.
    """
    hold([vote.delegation_id for vote in votes if vote.delegation_id])
    rows = _around([(vote.person_id, vote.cast_at) for vote in votes])
    found = []
    for vote in votes:
        voter = voters.get(vote.person_id)
        if voter is None:
            continue
        joining = frozenset(
            other
            for row in rows
            if row.covers(vote.cast_at)
            for other in _others(row, vote.person_id)
        )
        groups = voter.groups if vote.delegation_id is None else _lent_groups(vote, rows, voters)
        if groups is not None:
            found.append(replace(voter, groups=groups, lent=None, one_with=joining))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """With whom one reader counts as one now, and what they were lent."""

    people: frozenset[UUID] = frozenset()
    lent: Lent | None = None


def joined_to(actor: Actor) -> Joined:
    """Return how delegations stand to one reader of lists; one question where there is none."""
    if not actor.is_person:
        return Joined()
    mine = UUID(actor.id)
    rows = [row for row in live(actor) if mine in {row.from_person_id, row.to_person_id}]
    taken = next((row for row in rows if row.to_person_id == mine), None)
    lent = None
    if taken is not None:
        people = {person.id: person for person in accounts.reviewers(actor=actor)}
        lent = None if why_silent(taken, people) else lent_by(taken)
    pair = {person for row in rows for person in (row.from_person_id, row.to_person_id)}
    return Joined(people=frozenset(pair - {mine}), lent=lent)


def hold(delegations: Collection[UUID]) -> None:
    """Keep these from being ended until the transaction is over; others may still vote by them.

    A share lock: whoever ends one waits for votes and dispatches, and none of these for another.
    """
    if delegations:
        with connection.cursor() as cursor:
            cursor.execute(_HOLD, [list(delegations)])


def hold_lent(actor: Actor, giver: UUID) -> None:
    """Hold what one person lent to the actor, if there is any."""
    mine = _of_tenant(actor).filter(to_person=UUID(actor.id), from_person=giver)
    hold(list(mine.filter(ended_at__isnull=True).values_list("id", flat=True)))


def count_people(cast: Sequence[tuple[UUID, datetime]]) -> int:
    """Return how many people stand behind votes; who counted as one at the time is one.

    Args:
        cast: person and time of each vote.
    """
    rows = _around(cast) if len(cast) > 1 else []
    voters = [
        Voter(
            person_id=person,
            name="",
            groups=frozenset(),
            active=True,
            may_vote=True,
            one_with=frozenset(
                other for row in rows if row.covers(at) for other in _others(row, person)
            ),
        )
        for person, at in cast
    ]
    return len(units(voters))


def _of_tenant(actor: Actor) -> QuerySet[Delegation]:
    return Delegation.objects.filter(tenant_id=actor.tenant_id)


def _around(cast: Sequence[tuple[UUID, datetime]]) -> list[Delegation]:
    """Return the delegations of these people, but for those that no vote of them fell into."""
    if not cast:
        return []
    who, times = [person for person, _at in cast], [at for _person, at in cast]
    theirs = Q(from_person__in=who) | Q(to_person__in=who)
    return list(Delegation.objects.filter(theirs, made_at__lte=max(times), until__gt=min(times)))


def _others(row: Delegation, person: UUID) -> tuple[UUID, ...]:
    if person == row.from_person_id:
        return (row.to_person_id,)
    return (row.from_person_id,) if person == row.to_person_id else ()


def _lent_groups(
    vote: Vote, rows: Iterable[Delegation], voters: Mapping[UUID, Voter]
) -> frozenset[str] | None:
    """Return for which group a vote in somebody's place counts, or None if it does not any more."""
    row = next((one for one in rows if one.id == vote.delegation_id), None)
    if row is None or row.ended_at is not None:
        return None
    giver = voters.get(row.from_person_id)
    if giver is None or not giver.active or row.group not in giver.groups:
        return None
    return frozenset({row.group})


def _one(voter: Voter, other: UUID) -> Voter:
    return replace(voter, one_with=voter.one_with | {other})
