"""Who is at work on a proposal, as one reader sees it; nothing here depends on other votes."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Count

from approvals import policies
from approvals.cards import ClaimCard, ClaimsCard, May, Requirement, SavedViewCard
from approvals.models import Claim, PrincipalRow, Proposal, RequirementRow, SavedView, Snooze, Vote
from approvals.policies import claiming
from approvals.queries.people import seen_by, voters_on
from approvals.queries.seeing import row_for
from approvals.queries.turns import NOBODY
from approvals.states import DECIDABLE, ProposalState
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from console.kernel.transactions import query

_HOUR: Final = timedelta(hours=1)
_NOBODY_AT_WORK: Final = ClaimsCard(
    mine=None,
    others=(),
    may_claim=False,
    may_take_over=None,
    refusal="",
    by_itself=False,
    snoozed_until=None,
    may_snooze=False,
)


@query
def claims_of(*, actor: Actor, proposal_id: UUID) -> ClaimsCard:
    """Return who is at work on a proposal, and what this reader can do about it.

    Raises:
        NotFound: there is none in the reader's tenant, or of no tool that the reader may see.
    """
    return read_claims(actor, _seen(actor, proposal_id))


@query
def claim_on(*, actor: Actor, proposal_id: UUID) -> ClaimCard | None:
    """Return the claim for which this reader cannot approve a proposal now, or None.

    Raises:
        NotFound: as for `claims_of`.
    """
    row = _seen(actor, proposal_id)
    return _Reading(actor, row).way if ProposalState(row.state) in DECIDABLE else None


@query
def saved_views(*, actor: Actor) -> tuple[SavedViewCard, ...]:
    """Return the lists that this person keeps, by name."""
    if not actor.is_person:
        return ()
    rows = SavedView.objects.filter(tenant_id=actor.tenant_id, person_id=UUID(actor.id))
    return tuple(row.card() for row in rows.order_by("name", "id"))


def decisions_of(actor: Actor, *, since: datetime) -> int:
    """Return how many votes a person cast since then."""
    mine = {"tenant_id": actor.tenant_id, "person_id": _person(actor)}
    return Vote.objects.filter(**mine, cast_at__gt=since).count()


def busy_people(actor: Actor, *, at: datetime) -> frozenset[UUID]:
    """Return who decided more than `DECISIONS_AN_HOUR` in the hour before."""
    votes = Vote.objects.filter(tenant_id=actor.tenant_id, cast_at__gt=at - _HOUR)
    many = votes.values("person_id").annotate(cast=Count("pk"))
    busy = many.filter(cast__gt=policies.DECISIONS_AN_HOUR)
    return frozenset(busy.values_list("person_id", flat=True))


def read_claims(actor: Actor, row: Proposal) -> ClaimsCard:
    """Return what `claims_of` does of a row that was read already."""
    if ProposalState(row.state) not in DECIDABLE:
        return _NOBODY_AT_WORK
    read = _Reading(actor, row)
    way = read.way
    return ClaimsCard(
        mine=read.mine if read.may_decide else None,
        others=read.others,
        may_claim=read.may_decide,
        may_take_over=May.after(lambda: claiming.require_lead(actor)) if read.others else None,
        refusal=policies.claimed_by(way) if way else "",
        by_itself=read.may_decide and way is None,
        snoozed_until=read.snoozed_until if read.may_decide else None,
        may_snooze=read.may_decide,
    )


class _Reading:
    """What was read of one proposal for one reader."""

    def __init__(self, actor: Actor, row: Proposal) -> None:
        self.at = clock.now()
        self.person = _person(actor)
        self.row = row
        self.requirement: Requirement = RequirementRow.newest(row).card()
        self.principals = [one.card() for one in PrincipalRow.objects.filter(proposal=row)]
        live = Claim.objects.filter(proposal=row, lease_until__gt=self.at)
        self.claims = [one.card() for one in live.order_by("since", "id")]
        self.mine = next((one for one in self.claims if one.person_id == self.person), None)
        self.others = tuple(one for one in self.claims if one.person_id != self.person)
        people = {self.person, *(one.person_id for one in self.claims)}
        self.voters = voters_on(actor=actor, row=row, among=people)
        self.may_decide = self._may_decide()

    @property
    def way(self) -> ClaimCard | None:
        """Return the claim that keeps the reader from approving."""
        if not self.may_decide:
            return None
        return policies.in_the_way(
            self.person,
            self.claims,
            requirement=self.requirement,
            principals=self.principals,
            voters=self.voters,
        )

    @property
    def snoozed_until(self) -> datetime | None:
        found = Snooze.objects.filter(
            proposal=self.row,
            person_id=self.person,
            until__gt=self.at,
            row_version=self.row.row_version,
        ).first()
        return found.until if found else None

    def _may_decide(self) -> bool:
        """Say whether the reader may decide this and has not voted."""
        voter = self.voters.get(self.person)
        if voter is None:
            return False
        if policies.who_refusal(voter, self.requirement, self.principals) is not None:
            return False
        mine = Vote.objects.filter(proposal=self.row, person_id=self.person, voided_at__isnull=True)
        return not mine.exists()


def _seen(actor: Actor, proposal_id: UUID) -> Proposal:
    row = row_for(actor, proposal_id)
    if row is None or not seen_by(actor).covers(row):
        raise NotFound("There is no such proposal here; look at the list of reviews.")
    return row


def _person(actor: Actor) -> UUID:
    return UUID(actor.id) if actor.is_person else NOBODY
