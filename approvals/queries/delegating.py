"""Delegations: which there are, and what they let people do now.

Whether one lets anybody decide follows from rights and groups of now and is never stored. That its
two people count as one follows from the row alone, for as long as it lasted.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from approvals.cards import Lent, May, Voter
from approvals.cards.delegating import DelegationCard
from approvals.errors.delegating import DelegationNotYours
from approvals.models import Delegation
from console.accounts import queries as accounts
from console.accounts.cards import Reviewer
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
    people = _reviewers(actor, rows)
    cards = [
        row.card(
            at=at,
            why_silent=why_silent(row, people),
            may_end=May.after(partial(require_ender, row, actor)),
        )
        for row in rows
    ]
    return tuple(sorted(cards, key=lambda card: not card.live))


@query
def possible_stand_ins(*, actor: Actor) -> tuple[Reviewer, ...]:
    """Return whom the actor could name to stand in: everybody else with the review right."""
    require(actor, Permission.APPROVALS_VOTE)
    return tuple(one for one in accounts.reviewers(actor=actor) if str(one.id) != actor.id)


# -- shared with commands and other queries ------------------------------------------------------


def require_ender(row: Delegation, actor: Actor) -> None:
    """Raise unless the actor is one of the two people, or leads the reviewers."""
    mine = actor.id in {str(row.from_person_id), str(row.to_person_id)}
    if not (actor.is_person and (mine or actor.has(Permission.APPROVALS_LEAD))):
        raise DelegationNotYours(
            "Only the two people end a delegation, or whoever leads the reviewers; ask one of them."
        )


def why_silent(row: Delegation, people: Mapping[UUID, Reviewer]) -> str:
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


def with_delegations(
    rows: Iterable[Delegation], voters: Mapping[UUID, Voter]
) -> Mapping[UUID, Voter]:
    """Return the voters with what they were lent and with whom they count as one.

    Args:
        rows: the delegations that last now.
        voters: with everybody who lent one of the others something, as far as they may vote.
    """
    found = dict(voters)
    for row in rows:
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
        people = _reviewers(actor, [taken])
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


def _of_tenant(actor: Actor) -> QuerySet[Delegation]:
    return Delegation.objects.filter(tenant_id=actor.tenant_id)


def _reviewers(actor: Actor, rows: Iterable[Delegation]) -> Mapping[UUID, Reviewer]:
    """Return those of the people of some delegations who hold the review right now."""
    both = {person for row in rows for person in (row.from_person_id, row.to_person_id)}
    return {person.id: person for person in accounts.reviewers(actor=actor, among=both)}


def _one(voter: Voter, other: UUID) -> Voter:
    return replace(voter, one_with=voter.one_with | {other})
