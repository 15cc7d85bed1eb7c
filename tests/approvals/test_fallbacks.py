"""What nobody's decision leads to: each fallback at its deadline, and none is a rejection."""

from datetime import timedelta

import pytest

from approvals import commands, policies, queries
from approvals.cards import Claimed
from approvals.errors import AlreadyDecided, ProposalExpired
from approvals.states import Basis, OnExpiry, ProposalState
from approvals.views.clocks import ENDED, LAPSED, THEN
from console.kernel import clock
from console.kernel.ids import uuid7
from tests.approvals.clocks import due, happened, ruled, sweep
from tests.approvals.desk import approve, approved, claim, content, now, opened, reject
from tests.approvals.policies.rules import body, call, rule
from tests.approvals.sql import refused, run
from tests.cast import Cast

MINUTE = timedelta(minutes=1)
LADDER = [{"at": "0.5", "widen": ["finance"]}]
PROMISES = ("will be", "later", "soon", "as soon", "once ", "shortly", "when it is")


class TestRefuse:
    @pytest.mark.parametrize("said", ["refuse", "return", "park"])
    def test_ends_without_a_decision(self, cast: Cast, said: str) -> None:
        ruled(cast, said)
        card = opened(cast)
        with clock.frozen(card.decide_by), pytest.raises(ProposalExpired):
            approve(card, cast.ruth)
        ending = queries.ending_of(actor=cast.system, proposal_id=card.id)
        assert (ending.state, ending.cause) == (ProposalState.EXPIRED, "decide_by")
        assert (ending.fallback, ending.basis) == (OnExpiry(said), None)
        assert happened(cast, card)[1:] == ["proposal.decided", "vote.refused"]

    @pytest.mark.parametrize("said", ["refuse", "return", "park"])
    def test_is_nobodys_rejection(self, cast: Cast, said: str) -> None:
        ruled(cast, said)
        card = opened(cast)
        sweep(cast, card.decide_by)
        assert now(cast, card).decision is None
        rows = run(
            cast,
            "SELECT (SELECT count(*) FROM approvals_decision WHERE proposal_id = %(id)s), "
            "(SELECT count(*) FROM approvals_vote WHERE proposal_id = %(id)s)",
            id=card.id,
        )
        assert rows == [(0, 0)]


class TestEscalate:
    def escalating(self, cast: Cast, n: int = 1) -> None:
        care = {"all": [{"slots": [{"groups": ["care"], "n": n}]}]}
        ruled(cast, "escalate", require=care, ladder=LADDER)

    def test_runs_on_the_word_of_whom_the_ladder_asked_besides(self, cast: Cast) -> None:
        """The rule still asks for care at the dispatch; finance stays asked in its place."""
        self.escalating(cast)
        card = opened(cast)
        sweep(cast, card.decide_by)
        with clock.frozen(card.decide_by + MINUTE):
            approve(card, cast.ines)
            assert isinstance(claim(cast, card), Claimed)

    def test_does_not_speak_for_what_a_later_rule_asks(self, cast: Cast) -> None:
        self.escalating(cast)
        card = opened(cast)
        sweep(cast, card.decide_by)
        with clock.frozen(card.decide_by + MINUTE):
            approve(card, cast.ines)
        for groups, n in ((["care"], 2), (["leads"], 1)):
            more = {"all": [{"slots": [{"groups": groups, "n": n}]}]}
            asked = policies.parse(body(rule("more", "hold", require=more)))
            held = now(cast, card).requirement
            wanted = policies.evaluate(call(), [policies.Active(version=uuid7(), policy=asked)], {})
            assert wanted.requirement is not None
            grown = policies.added(held, wanted.requirement, widened_by=["finance"])
            assert len(grown.blocks) == len(held.blocks) + 1

    def test_gives_one_new_window_to_more_people_and_then_refuses(self, cast: Cast) -> None:
        self.escalating(cast)
        card = opened(cast)
        sweep(cast, card.decide_by)
        detail = now(cast, card, cast.ines)
        assert (detail.card.state, detail.refusal) == (ProposalState.OPEN, "")
        assert detail.card.decide_by == card.decide_by + 60 * MINUTE
        assert due(cast, card)["decide"] == detail.card.decide_by
        sweep(cast, detail.card.decide_by)
        ending = queries.ending_of(actor=cast.system, proposal_id=card.id)
        assert (ending.state, ending.fallback) == (ProposalState.EXPIRED, OnExpiry.REFUSE)
        (widening,) = queries.clock_of(actor=cast.ines, proposal_id=card.id).widenings
        assert (widening.escalated, widening.groups) == (True, ("finance",))

    def test_is_noticed_by_whoever_comes_first(self, cast: Cast) -> None:
        self.escalating(cast)
        card = opened(cast)
        with clock.frozen(card.decide_by + 5 * MINUTE):
            # Pulse is dead; the vote of somebody who was not asked before opens the window.
            assert approve(card, cast.ines).state is ProposalState.APPROVED

    def test_keeps_the_votes_there_are(self, cast: Cast) -> None:
        self.escalating(cast, n=2)
        cast.add("peer", roles=("reviewer",), groups=("care",))
        card = opened(cast)
        approve(card, cast.ruth)
        sweep(cast, card.decide_by)
        with clock.frozen(card.decide_by + MINUTE):
            assert approve(card, cast.ines).state is ProposalState.APPROVED

    def test_says_whose_turn_it_is_and_why(self, cast: Cast) -> None:
        self.escalating(cast)
        card = opened(cast)
        with clock.frozen(card.decide_by):
            commands.settle(actor=cast.system, proposal_id=card.id)
            page = cast.client("ines").get(f"/reviews/{card.id}/").content.decode()
        assert "You are asked because the time was over and finance was asked as well." in page


class TestApprove:
    def test_approves_by_its_rule_and_not_by_a_person(self, cast: Cast) -> None:
        ruled(cast, "approve")
        card = opened(cast)
        sweep(cast, card.decide_by)
        detail = now(cast, card)
        assert detail.card.state is ProposalState.APPROVED
        assert detail.decision is not None
        assert (detail.decision.basis, detail.decision.people) == (Basis.TIMEOUT_RULE, ())
        assert happened(cast, card)[-1] == "proposal.decided"
        with clock.frozen(card.decide_by + MINUTE):
            assert claim(cast, card).args

    def test_leaves_a_rejection_what_it_is(self, cast: Cast) -> None:
        ruled(cast, "approve")
        card = opened(cast)
        reject(card, cast.ruth)
        sweep(cast, card.decide_by)
        assert now(cast, card).card.state is ProposalState.REJECTED

    def test_counts_no_late_vote(self, cast: Cast) -> None:
        ruled(cast, "approve")
        card = opened(cast)
        with clock.frozen(card.decide_by), pytest.raises(AlreadyDecided) as late:
            reject(card, cast.ruth)
        assert "a rule" in late.value.message
        assert now(cast, card).card.state is ProposalState.APPROVED

    def test_never_runs_what_nobody_proposed_any_more(self, cast: Cast) -> None:
        ruled(cast, "approve")
        card = approved(cast)
        claim(cast, card, before={"orders": {"#W1": {"status": "delivered"}}})
        assert now(cast, card).card.state is ProposalState.STALE
        sweep(cast, now(cast, card).card.decide_by)
        assert now(cast, card).card.state is ProposalState.EXPIRED

    def test_is_held_to_tier_1_and_to_its_time_by_the_database(self, cast: Cast) -> None:
        insert = (
            "INSERT INTO approvals_decision (id, tenant_id, proposal_id, revision_id, digest, "
            "outcome, basis, assignment, decided_at, decide_by) "
            "SELECT gen_random_uuid(), r.tenant_id, r.proposal_id, r.id, r.digest, 'approved', "
            "'timeout_rule', '[]', %(at)s, p.decide_by FROM approvals_revision r "
            "JOIN approvals_proposal p ON p.id = r.proposal_id WHERE p.id = %(id)s"
        )
        refusing = opened(cast)
        with refused("decision_timeout_was_asked_for"):
            run(cast, insert, id=refusing.id, at=refusing.decide_by)
        ruled(cast, "approve")
        early = opened(cast)
        with refused("decision_timeout_was_asked_for"):
            run(cast, insert, id=early.id, at=early.opened_at)
        two = opened(cast, tier=2)
        with refused("requirement_approves_tier_1"):
            run(
                cast,
                "INSERT INTO approvals_requirement SELECT (r).* FROM (SELECT jsonb_populate_record("
                "r, jsonb_build_object('id', gen_random_uuid(), 'no', 2, 'on_expiry', 'approve')) "
                "AS r FROM approvals_requirement r WHERE proposal_id = %(id)s) AS one",
                id=two.id,
            )


class TestLapse:
    def test_of_an_approval_is_another_ending(self, cast: Cast) -> None:
        card = approved(cast)
        execute_by = now(cast, card).card.execute_by
        assert execute_by is not None
        sweep(cast, execute_by)
        ending = queries.ending_of(actor=cast.system, proposal_id=card.id)
        assert (ending.cause, ending.fallback) == ("execute_by", None)
        with clock.frozen(execute_by):
            assert claim(cast, card, args=content().args).code == "proposal.expired"


class TestWords:
    def test_each_fallback_and_ending_has_its_own(self) -> None:
        assert set(THEN) == set(OnExpiry)
        ended = {OnExpiry.REFUSE, OnExpiry.RETURN, OnExpiry.PARK}  # the others end nothing
        assert set(ENDED) == set(policies.NOBODY_DECIDED) == ended
        for table in (
            list(THEN.values()),
            [*ENDED.values(), LAPSED],
            [*policies.NOBODY_DECIDED.values(), policies.NOT_RUN_IN_TIME],
        ):
            assert len(set(table)) == len(table)

    def test_promise_nothing(self) -> None:
        said = [*ENDED.values(), LAPSED, *policies.NOBODY_DECIDED.values()]
        for sentence in [*said, policies.NOT_RUN_IN_TIME]:
            assert not [word for word in PROMISES if word in sentence.lower()], sentence

    @pytest.mark.parametrize("said", ["refuse", "return", "park"])
    def test_are_on_the_page(self, cast: Cast, said: str) -> None:
        ruled(cast, said)
        card = opened(cast)
        sweep(cast, card.decide_by)
        page = cast.client("ruth").get(f"/reviews/{card.id}/").content.decode()
        assert ENDED[OnExpiry(said)] in page
