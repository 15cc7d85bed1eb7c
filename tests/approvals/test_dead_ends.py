"""An open proposal can be completed or is flagged (I11), in the transaction that changes people."""

from typing import Any

import pytest

from approvals import commands, queries
from approvals.cards import Block, ProposalCard, Rung, Slot
from approvals.commands import laddering
from approvals.errors import VoteNotEligible
from approvals.states import ProposalState
from console.accounts import commands as accounts
from console.kernel import relay
from console.kernel.transactions import in_tenant
from tests.approvals.clocks import asking, happened, sweep
from tests.approvals.desk import approve, approved, claim, now, opened
from tests.approvals.policies.rules import rule, spoken
from tests.approvals.sql import run
from tests.cast import Cast


def flagged(cast: Cast, card: ProposalCard) -> bool:
    sql = "SELECT unfillable_since IS NOT NULL FROM approvals_proposal WHERE id = %(id)s"
    ((since,),) = run(cast, sql, id=card.id)
    return bool(since)


def member(cast: Cast, name: str, **other: Any) -> None:
    values: dict[str, Any] = {"roles": ["reviewer"], "groups": [], "active": True, **other}
    # As what people agreed to is carried out: a person alone would be refused.
    accounts.set_membership(actor=cast.system, person_id=cast.members[name].id, **values)


def slots(*groups: str, n: int = 1) -> tuple[Block, ...]:
    return (Block(slots=(Slot(groups=groups, n=n),)),)


def _undone(cast: Cast, card: ProposalCard, seen: list[bool]) -> None:
    with in_tenant(cast.tenant_id):
        member(cast, "ines", groups=[])
        seen.append(flagged(cast, card))
        raise RuntimeError("on second thought")


class TestOpenProposal:
    def test_flags_what_nobody_can_complete_from_the_start(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asking(monkeypatch, blocks=slots("nobody"), ladder=())
        card = opened(cast)
        assert flagged(cast, card)
        assert happened(cast, card) == ["proposal.opened", "proposal.unfillable"]

    def test_holds_what_a_rule_gives_to_a_group_of_nobody(self, cast: Cast) -> None:
        nobody = {"all": [{"slots": [{"groups": ["legal"], "n": 1}]}]}
        spoken(cast, rule("by-legal", "hold", match={"tier": 1}, require=nobody))
        card = opened(cast)
        assert (card.state, flagged(cast, card)) == (ProposalState.OPEN, True)
        for person in (cast.ruth, cast.ines):
            with pytest.raises(VoteNotEligible, match="You are in no review group that this needs"):
                approve(card, person)
        assert claim(cast, card).code == "proposal.open"
        page = cast.client("ruth").get(f"/reviews/{card.id}/").content.decode()
        assert "Nobody can complete this" in page

    def test_asks_more_people_at_once_where_the_ladder_names_them(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rung = Rung(at="0.8", act="widen", groups=("finance",))
        asking(monkeypatch, blocks=slots("nobody"), ladder=(rung,))
        card = opened(cast)
        assert not flagged(cast, card)
        assert now(cast, card, cast.ines).refusal == ""
        assert "proposal.widened" in happened(cast, card)


class TestReopened:
    def test_asks_more_people_at_once_where_a_rule_asks_whom_nobody_is(self, cast: Cast) -> None:
        card = approved(cast)
        nobody = {"all": [{"slots": [{"groups": ["legal"], "n": 1}]}]}
        ladder = [{"at": "0.8", "widen": ["finance"]}]
        spoken(cast, rule("later", "hold", match={"tier": 1}, require=nobody, ladder=ladder))
        assert claim(cast, card).code == "proposal.reopened"
        assert not flagged(cast, card)
        assert happened(cast, card)[-1] == "proposal.widened"
        assert now(cast, card, cast.ines).refusal == ""

    def test_flags_what_nobody_is_left_to_complete(self, cast: Cast) -> None:
        card = approved(cast, tier=2)
        member(cast, "ines", groups=["care"])
        assert not flagged(cast, card)
        assert claim(cast, card).code == "proposal.reopened"
        assert flagged(cast, card)

    def test_flags_it_when_a_vote_is_taken_back(self, cast: Cast) -> None:
        card = approved(cast, tier=2)
        member(cast, "ines", groups=["care"])
        commands.withdraw_vote(actor=cast.ruth, proposal_id=card.id)
        assert flagged(cast, card)


class TestPeopleRemovedOneByOne:
    def test_every_open_proposal_can_be_completed_or_is_flagged(self, cast: Cast) -> None:
        cast.add("peer", roles=("reviewer",), groups=("care", "finance"))
        cards = [opened(cast), opened(cast, tier=2)]
        for name in ("ines", "ruth", "peer"):
            member(cast, name, active=False)
            for card in cards:
                assert flagged(cast, card) == now(cast, card).unfillable
        assert [flagged(cast, card) for card in cards] == [True, True]
        for name, groups in (("ruth", ["care"]), ("ines", ["finance"])):
            member(cast, name, groups=groups)
            for card in cards:
                assert flagged(cast, card) == now(cast, card).unfillable
        assert [flagged(cast, card) for card in cards] == [False, False]
        assert happened(cast, cards[0]).count("proposal.unfillable") == 1
        assert happened(cast, cards[0]).count("proposal.fillable") == 1

    def test_leaves_a_group(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        member(cast, "ines", groups=["care"])
        assert flagged(cast, card)
        member(cast, "ines", groups=["finance"])
        assert not flagged(cast, card)

    def test_is_undone_with_the_change_that_caused_it(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        seen: list[bool] = []
        with pytest.raises(RuntimeError, match="on second thought"):
            _undone(cast, card, seen)
        assert seen == [True]
        assert not flagged(cast, card)

    def test_leaves_other_tenants_alone(self, cast: Cast) -> None:
        card = opened(cast)
        accounts.set_membership(
            actor=cast.mallory,
            person_id=cast.members["mallory"].id,
            roles=["admin"],
            groups=[],
            active=True,
        )
        assert happened(cast, card) == ["proposal.opened"]

    def test_a_locked_one_is_found_after_the_commit(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        card = opened(cast, tier=2)
        with monkeypatch.context() as held:
            held.setattr(laddering, "lock", lambda **_: None)
            member(cast, "ines", groups=[])
        assert not flagged(cast, card)
        relay.relay_all(tenant_id=cast.tenant_id)
        assert flagged(cast, card)

    def test_many_are_flagged_in_several_transactions(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cards = [opened(cast, tier=2) for _ in range(3)]
        for place in (laddering, commands):
            monkeypatch.setattr(place, "MOST_DEAD_ENDS", 1)
        member(cast, "ines", groups=[])
        assert [flagged(cast, card) for card in cards].count(True) == 1
        relay.relay_all(tenant_id=cast.tenant_id)
        assert all(flagged(cast, card) for card in cards)
        sql = "SELECT count(DISTINCT xmin::text) FROM approvals_proposal WHERE id = ANY(%(ids)s)"
        assert run(cast, sql, ids=[card.id for card in cards]) == [(3,)]

    def test_says_so_on_the_page(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        member(cast, "ines", groups=[])
        page = cast.client("ruth").get(f"/reviews/{card.id}/").content.decode()
        assert "Nobody can complete this" in page
        found = queries.clock_of(actor=cast.ruth, proposal_id=card.id)
        assert found.unfillable_since is not None

    def test_expires_all_the_same(self, cast: Cast) -> None:
        card = opened(cast)
        member(cast, "ines", active=False)
        member(cast, "ruth", active=False)
        sweep(cast, card.decide_by)
        assert now(cast, card).card.state.value == "expired"
        assert commands.check_dead_ends(actor=cast.system) == 0
