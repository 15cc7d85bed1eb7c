"""Fifty people vote on two hundred proposals at once; each proposal gets one decision."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from uuid import UUID

from django.db import connection, connections

from approvals import queries
from approvals.cards import ProposalCard
from approvals.errors import AlreadyDecided
from approvals.models import Decision, Vote
from approvals.states import Choice, Outcome, ProposalState
from console.kernel.actors import Actor
from console.kernel.transactions import in_tenant
from tests.approvals.desk import opened_many, vote
from tests.cast import Cast
from tests.races.test_votes import crowd

PEOPLE: Final = 50
PROPOSALS: Final = 200


_SHOW: Final = """
    INSERT INTO approvals_served
        (id, tenant_id, proposal_id, revision_id, person_id, session, view, parts, served_at)
    SELECT gen_random_uuid(), r.tenant_id, r.proposal_id, r.id, p.id, p.session, 'fields',
           %(parts)s::varchar[], clock_timestamp()
    FROM approvals_revision r, unnest(%(ids)s::uuid[], %(sessions)s::text[]) AS p (id, session)
    WHERE r.proposal_id = ANY (%(cards)s::uuid[])
"""


def show_all(cast: Cast, cards: list[ProposalCard], people: list[Actor]) -> None:
    """Keep that everybody was shown everything, in one write instead of ten thousand."""
    parts = queries.parts_needed(
        actor=people[0], proposal_id=cards[0].id, revision_no=cards[0].revision_no
    )
    values: dict[str, Any] = {
        "parts": list(parts),
        "ids": [UUID(person.id) for person in people],
        "sessions": [person.session for person in people],
        "cards": [card.id for card in cards],
    }
    with in_tenant(cast.tenant_id), connection.cursor() as cursor:
        cursor.execute(_SHOW, values)
        assert cursor.rowcount == len(cards) * len(people)


class Days:
    """What every one of the crowd does: all proposals, four apart from one's neighbours."""

    def __init__(self, people: list[Actor], cards: list[ProposalCard]) -> None:
        self.people = people
        self.cards = cards
        self.together = threading.Barrier(len(people))

    def run(self) -> Counter[str]:
        with ThreadPoolExecutor(len(self.people)) as pool:
            return sum(pool.map(self._day_of, range(len(self.people))), Counter())

    def _day_of(self, number: int) -> Counter[str]:
        self.together.wait()
        try:
            return Counter(self._vote(number, step) for step in range(len(self.cards)))
        finally:
            connections.close_all()

    def _vote(self, number: int, step: int) -> str:
        """Vote; every third is a no. Returns "counted", or whether the refusal names somebody."""
        card = self.cards[(4 * number + step) % len(self.cards)]
        choice = Choice.REJECT if (number + step) % 3 == 0 else Choice.APPROVE
        try:
            vote(card, self.people[number], choice)
        except AlreadyDecided as refusal:
            return "named" if " by " in refusal.message else refusal.message
        return "counted"


def test_two_hundred_proposals_get_one_decision_each(cast: Cast) -> None:
    people = crowd(cast, PEOPLE)
    cards = opened_many(cast, PROPOSALS, both_tiers=True)
    show_all(cast, cards, people)

    said = Days(people, cards).run()

    assert said["counted"] + said["named"] == PEOPLE * PROPOSALS
    with in_tenant(cast.tenant_id):
        decisions = list(Decision.objects.select_related("proposal"))
        assert len(decisions) == PROPOSALS
        assert len({decision.proposal_id for decision in decisions}) == PROPOSALS
        assert Vote.objects.filter(voided_at__isnull=True).count() == said["counted"]
        for decision in decisions:
            agrees_with_its_votes(decision)


def agrees_with_its_votes(decision: Decision) -> None:
    approved = decision.outcome == Outcome.APPROVED.value
    state = ProposalState.APPROVED if approved else ProposalState.REJECTED
    assert decision.proposal.state == state.value
    choices = Counter(
        Vote.objects.filter(proposal=decision.proposal).values_list("choice", flat=True)
    )
    assert choices["reject"] == (0 if approved else 1)
    assert choices["approve"] >= (decision.proposal.tier if approved else 0)
