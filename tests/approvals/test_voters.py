"""Who may vote, asked of all or of some: the same answer, and as few questions as it takes."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from approvals.cards import ProposalCard, Voter
from approvals.errors import AlreadyDecided
from approvals.models import PrincipalRow, Proposal, RequirementRow, Revision, Vote
from approvals.queries.people import voters_of
from approvals.states import Choice, ProposalState
from console.accounts import commands as accounts
from console.accounts.queries import reviewers
from console.kernel import prepared
from console.kernel.actors import Actor
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant
from tests.approvals.desk import approve, opened, shown, vote
from tests.approvals.lent import lend, reviewer
from tests.approvals.test_object_rights import tool_id, vera
from tests.cast import Cast

__all__ = ["vera"]  # a fixture

# BEGIN, tenant, revision | lock, requirement, chain, stops, votes | time | delegations, people,
# what was shown, claims, sign-in | event, vote, COMMIT. Such a vote is hidden and sends no hint.
OF_A_VOTE = 17
OF_A_DECISION = 7  # the decision, the proposal, three of its timers, the event, the outbox


def asked(act: Callable[[], Any]) -> list[str]:
    with CaptureQueriesContext(connection) as seen:
        act()
    return [one["sql"] for one in seen.captured_queries]


def reads(statements: list[str], table: str) -> int:
    return sum(sql.lstrip().startswith("SELECT") and table in sql for sql in statements)


def voting(cast: Cast, who: Actor, card: ProposalCard | None = None) -> Callable[[], Any]:
    card = card or opened(cast, tier=2)
    return partial(vote, shown(card, who), who, Choice.APPROVE)


def voters(cast: Cast, **other: Any) -> Mapping[UUID, Voter]:
    with in_tenant(cast.tenant_id, read_only=True):
        return voters_of(actor=cast.system, **{"tools": (), **other})


class TestVotersOf:
    def test_says_the_same_of_one_as_of_everybody(self, cast: Cast, vera: Actor) -> None:
        third = reviewer(cast, "third", "finance")
        lend(cast.ines, cast.ruth)
        people = [UUID(who.id) for who in (cast.ruth, cast.ines, cast.omar, cast.noor, third, vera)]
        tool = tool_id(cast)
        for tools in ((), (tool,), (tool, None), (tool, uuid7())):
            of = partial(voters, cast, tools=tools)
            everybody = of()
            assert all(of(among={one}).get(one) == everybody.get(one) for one in people)
            assert of(among=people) == everybody
            assert (UUID(vera.id) in everybody) == (tools == (tool,))

    def test_knows_what_one_was_lent(self, cast: Cast) -> None:
        lend(cast.ines, cast.ruth)
        mine = UUID(cast.ruth.id)
        found = voters(cast, among={mine})
        lent = found[mine].lent
        assert lent is not None
        assert (lent.name, list(found[mine].one_with)) == ("Ines", [UUID(cast.ines.id)])
        assert list(found) == [mine]

    def test_says_nothing_of_nobody_and_of_people_elsewhere(self, cast: Cast) -> None:
        elsewhere = {UUID(cast.mallory.id), uuid7()}
        assert voters(cast, among=elsewhere) == voters(cast, among=()) == {}


class TestReviewers:
    def test_are_active_people_with_role_or_right(self, cast: Cast, vera: Actor) -> None:
        off = cast.add("off", roles=("reviewer",), groups=("care",))
        accounts.set_membership(
            actor=cast.system,
            person_id=UUID(off.id),
            roles=("reviewer",),
            groups=("care",),
            active=False,
        )
        found = reviewers(actor=cast.noor, tools=[tool_id(cast)])
        assert {one.name: one.groups for one in found} == {
            "Ines": {"finance"},
            "Ruth": {"care"},
            "Vera": {"care"},
        }
        assert [one.name for one in reviewers(actor=cast.noor)] == ["Ines", "Ruth"]
        beyond = reviewers(actor=cast.noor, tools=[tool_id(cast), uuid7()])
        assert [one.name for one in beyond] == ["Ines", "Ruth"]
        both = {UUID(who.id) for who in (cast.ruth, off, cast.omar, cast.mallory)}
        assert [one.name for one in reviewers(actor=cast.noor, among=both)] == ["Ruth"]


def values(row: Model) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if name != "_state"}


class TestLock:
    def test_reads_rows_as_the_orm_does(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        approve(card, cast.ruth)
        of = {"proposal": card.id}
        models: list[Any] = [RequirementRow, PrincipalRow, Revision, Vote]
        with in_tenant(cast.tenant_id, read_only=True):
            for model in models:
                theirs = list(model.objects.filter(proposal_id=card.id).order_by("id"))
                ours = prepared.rows(model, "WHERE proposal_id = %(proposal)s ORDER BY id", of)
                assert [values(row) for row in ours] == [values(row) for row in theirs] != []
            [row] = prepared.rows(Proposal, "WHERE id = %(proposal)s", of)
            assert values(row) == values(Proposal.objects.get(pk=card.id))


class TestAVote:
    def test_asks_as_often_among_many_people_as_among_few(self, cast: Cast) -> None:
        few = asked(voting(cast, cast.ruth))
        for n in range(5):
            reviewer(cast, f"more-{n}", "care", "finance")
        many = asked(voting(cast, cast.ruth))
        assert len(few) == len(many) == OF_A_VOTE
        assert reads(many, "approvals_revision") == reads(many, "accounts_membership") == 1

    def test_asks_no_more_after_others_have_voted(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        for n in range(4):
            assert approve(card, reviewer(cast, f"care-{n}", "care")).state is ProposalState.OPEN
        assert len(asked(voting(cast, cast.ruth, card))) == OF_A_VOTE
        said = asked(voting(cast, cast.ines, card))
        assert len(said) == OF_A_VOTE + OF_A_DECISION

    def test_of_somebody_who_comes_too_late_asks_less(self, cast: Cast) -> None:
        card = opened(cast)
        late = voting(cast, cast.ines, card)
        approve(card, cast.ruth)

        def refused() -> None:
            with pytest.raises(AlreadyDecided):
                late()

        said = asked(refused)
        assert len(said) < OF_A_VOTE
        assert not reads(said, "approvals_served") + reads(said, "accounts_sessionrecord")
