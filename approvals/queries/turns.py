"""Whose turn it is: what one reader can decide, has a part in, or has put off.

Nothing here depends on votes of other people, so no list, count or order tells of a hidden one.
"""

from collections.abc import Collection
from datetime import datetime
from functools import cached_property
from typing import Final
from uuid import UUID

from django.db.models import Case, Q, QuerySet, Value, When

from approvals import policies
from approvals.models import Claim, Freeze, PrincipalRow, Proposal, Snooze, Vote
from approvals.queries import values
from approvals.queries.delegating import Joined, joined_to
from approvals.queries.having import Has
from approvals.queries.people import decided_by
from approvals.queries.seeing import rows_for
from approvals.states import DECIDABLE, ProposalState
from console.kernel.actors import Actor

NOBODY: Final = UUID(int=0)
WAITS: Final = Q(state__in=sorted(state.value for state in DECIDABLE))
_OPEN: Final = Q(state=ProposalState.OPEN.value)
_STALE: Final = Q(state=ProposalState.STALE.value)


def of_tenant(actor: Actor) -> QuerySet[Proposal]:
    """Return what the lists of a reader are made of: a check among them looks like any other."""
    # Row-level security says the same; said here as well, the planner finds the index.
    return rows_for(actor).filter(tenant_id=actor.tenant_id)


def in_lists(actor: Actor) -> QuerySet[Proposal]:
    """Return what lists hold: a plan and not the changes of it."""
    return of_tenant(actor).filter(plan__isnull=True)


class Reader:
    """One person, key or part of the system, and how proposals stand to them at one moment.

    The conditions are built once and used in several queries: building them costs more than asking.
    """

    def __init__(self, actor: Actor, at: datetime) -> None:
        self.actor = actor
        self.at = at
        self.person = UUID(actor.id) if actor.is_person else NOBODY
        self.reach = decided_by(actor)
        self.decides = self.reach.rows

    @cached_property
    def names(self) -> frozenset[str]:
        """Return every name under which the reader is asked, by themselves or in a lent place."""
        lent = self.joined.lent
        groups = self.actor.groups | ({lent.group} if lent else frozenset())
        return policies.answers_to(groups)

    @cached_property
    def joined(self) -> Joined:
        return joined_to(self.actor)

    def in_place_of(self, asked: Collection[str]) -> str:
        """Return in whose place alone the reader can decide what asks for these groups, or ""."""
        lent = self.joined.lent
        if lent is None or not policies.answers_to(self.actor.groups).isdisjoint(asked):
            return ""
        return lent.name

    @cached_property
    def covered(self) -> Case | Value:
        """Say of a row whether the reader's role or rights let them decide about its tools."""
        if not self.decides:
            return Value(value=True)
        return Case(When(self.decides, then=Value(value=True)), default=Value(value=False))

    @cached_property
    def entitled(self) -> Q:
        """Select what asks for people of the reader's groups and not for others only."""
        return self.decides & Q(asked_groups__overlap=sorted(self.names)) & ~self.in_chain

    @cached_property
    def asked(self) -> Q:
        """Select the same among what waits, for which an index answers."""
        return self.decides & values.asked_of(self.actor, self.names) & ~self.in_chain

    @cached_property
    def decidable(self) -> Q:
        """Select what the reader can approve or reject now and has not voted on."""
        return _OPEN & self.asked & ~self.voted & ~held()

    @cached_property
    def turn(self) -> Q:
        """Select what is the reader's turn: all they can decide, but for what they put off."""
        return self.decidable & ~self.snoozed

    @cached_property
    def in_chain(self) -> Q:
        one = [self.person, *sorted(self.joined.people)]  # who counts as one person with them
        return Q(Has(PrincipalRow, "has.person_id = ANY (%s)", one))

    @cached_property
    def voted(self) -> Q:
        return Q(Has(Vote, "has.person_id = %s AND has.voided_at IS NULL", self.person))

    @cached_property
    def snoozed(self) -> Q:
        """Select what the reader put off and what is still as it was then."""
        fits = "has.person_id = %s AND has.until > %s AND has.row_version = %s"
        return Q(Has(Snooze, fits, self.person, self.at, columns=("row_version",)))

    @cached_property
    def claimed(self) -> Q:
        return Q(Has(Claim, "has.lease_until > %s", self.at))

    @cached_property
    def concerned(self) -> Q:
        """Select what waits for others though it concerns the reader.

        They have a part in it, they voted, or they could decide it but for a stop or a target that
        changed. It starts from these few and not from all that waits.
        """
        mine = {"tenant_id": self.actor.tenant_id, "person_id": self.person}
        part = PrincipalRow.objects.filter(**mine).values("proposal_id")
        cast = Vote.objects.filter(**mine, voided_at__isnull=True).values("proposal_id")
        stopped = Freeze.objects.filter(tenant_id=self.actor.tenant_id, until__isnull=True)
        stale = of_tenant(self.actor).filter(_STALE, self.asked).values("id")
        halted = of_tenant(self.actor).filter(
            _OPEN, self.asked, id__in=stopped.values("proposal_id")
        )
        return Q(id__in=part.union(cast, stale, halted.values("id")))


def held() -> Q:
    return Q(Has(Freeze, "has.until IS NULL"))
