from dataclasses import replace
from datetime import timedelta

import pytest

from approvals import commands
from approvals.errors import (
    AlreadyDecided,
    AlreadyVoted,
    NoVote,
    ProposalExpired,
    ProposalFrozen,
    ReasonRequired,
    SameSession,
    StaleRevision,
    VoteByMachine,
    VoteByPrincipal,
    VoteNotEligible,
)
from approvals.states import Outcome, ProposalState
from console.accounts.errors import StepUpRequired
from console.kernel import clock
from console.kernel.errors import BadInput, NotFound
from tests.approvals.desk import agent, approve, claim, content, now, opened, pulse, reject
from tests.cast import Cast


class TestCastVote:
    def test_settles_tier_1_with_one_approval(self, cast: Cast) -> None:
        card = opened(cast)
        receipt = approve(card, cast.ruth)

        assert (receipt.state, receipt.needed, receipt.given) == (ProposalState.APPROVED, 1, 1)
        detail = now(cast, card)
        assert detail.decision is not None
        assert detail.decision.outcome is Outcome.APPROVED
        assert detail.decision.people == ("Ruth",)
        assert detail.card.execute_by == detail.decision.decided_at + timedelta(minutes=15)
        assert [line.action for line in detail.history] == [
            "proposal.opened",
            "vote.cast",
            "proposal.decided",
        ]

    def test_settles_tier_2_with_two_people_of_two_groups(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        assert approve(card, cast.ruth).state is ProposalState.OPEN
        assert approve(card, cast.ines).state is ProposalState.APPROVED

    def test_keeps_tier_2_open_with_two_people_of_one_group(self, cast: Cast) -> None:
        peer = cast.add("peer", roles=("reviewer",), groups=("care",))
        card = opened(cast, tier=2)
        approve(card, cast.ruth)
        assert approve(card, peer).state is ProposalState.OPEN
        assert approve(card, cast.ines).state is ProposalState.APPROVED

    def test_counts_a_person_of_two_groups_once(self, cast: Cast) -> None:
        both = cast.add("both", roles=("reviewer",), groups=("care", "finance"))
        card = opened(cast, tier=2)
        assert approve(card, both).state is ProposalState.OPEN
        assert approve(card, cast.ruth).state is ProposalState.APPROVED

    def test_rejects_with_one_vote_and_tells_the_agent(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        approve(card, cast.ruth)
        assert reject(card, cast.ines).state is ProposalState.REJECTED
        detail = now(cast, card)
        assert detail.close_cause == "not_asked_for"

    def test_answers_the_same_vote_with_the_first_receipt(self, cast: Cast) -> None:
        card = opened(cast)
        first = approve(card, cast.ruth)
        again = approve(card, cast.ruth)
        assert again.repeated
        assert again.event_uid == first.event_uid
        assert len(now(cast, card).history) == 3

    def test_refuses_another_vote_of_the_same_person(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        approve(card, cast.ruth)
        with pytest.raises(AlreadyVoted):
            reject(card, cast.ruth)

    def test_refuses_a_second_person_in_the_same_session(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        approve(card, cast.ruth)
        other = replace(cast.ines, session=cast.ruth.session)
        with pytest.raises(StepUpRequired):  # what Ruth proved there, Ines did not
            approve(card, other)
        with pytest.raises(SameSession):
            reject(card, other)

    def test_names_who_decided_and_when(self, cast: Cast) -> None:
        card = opened(cast)
        approve(card, cast.ruth)
        with pytest.raises(AlreadyDecided, match=r"approved by Ruth at 20\d\d-.* UTC"):
            approve(card, cast.ines)

    @pytest.mark.parametrize("part", ["noor", "omar"])
    def test_refuses_whoever_had_a_part_in_the_request(self, cast: Cast, part: str) -> None:
        cast.add("chief", roles=("reviewer", "admin"), groups=("care",))
        card = opened(cast)
        with pytest.raises((VoteByPrincipal, VoteNotEligible)):
            approve(card, getattr(cast, part))
        assert now(cast, card).history[-1].action == "vote.refused"

    def test_refuses_the_person_behind_the_request_even_as_reviewer(self, cast: Cast) -> None:
        # Ruth asked through the agent; the gate forgot to name her.
        card = commands.open_proposal(
            actor=replace(
                agent(cast), via=(replace(agent(cast).via[0], id=cast.ruth.id, label="Ruth"),)
            ),
            subject=opened(cast).subject,
            content=content(args={"order_id": "#W2"}),
            facts=now(cast, opened(cast)).facts,
            principals=(),
        )
        with pytest.raises(VoteByPrincipal, match="You started this"):
            approve(card, cast.ruth)

    def test_refuses_whoever_is_no_reviewer(self, cast: Cast) -> None:
        viewer = cast.add("viewer", roles=("operator",))
        with pytest.raises(VoteNotEligible):
            approve(opened(cast), viewer)

    def test_refuses_a_reviewer_without_a_group_where_groups_matter(self, cast: Cast) -> None:
        loose = cast.add("loose", roles=("reviewer",))
        with pytest.raises(VoteNotEligible, match="review group"):
            approve(opened(cast, tier=2), loose)

    def test_refuses_machines(self, cast: Cast) -> None:
        card = opened(cast)
        for actor in (agent(cast), pulse(cast), replace(cast.ruth, session="")):
            with pytest.raises(VoteByMachine):
                approve(card, actor)
        assert now(cast, card).card.state is ProposalState.OPEN

    def test_hides_the_proposal_from_another_tenant(self, cast: Cast) -> None:
        with pytest.raises(NotFound):
            approve(opened(cast), cast.mallory)

    def test_refuses_another_digest_or_revision(self, cast: Cast) -> None:
        card = opened(cast)
        for other in ({"seen_digest": "0" * 64}, {"revision_no": 2}):
            with pytest.raises(StaleRevision) as refused:
                approve(card, cast.ruth, **other)
            assert refused.value.details["digest"] == card.digest

    def test_needs_code_and_note_for_a_rejection(self, cast: Cast) -> None:
        card = opened(cast)
        for missing in ({"reason_code": ""}, {"note": "  \n "}):
            with pytest.raises(ReasonRequired):
                reject(card, cast.ruth, **missing)

    @pytest.mark.parametrize(
        "bad",
        [{"reason_code": "because"}, {"note": "x" * 2001}, {"note": "a\x00b"}],
    )
    def test_refuses_values_of_the_wrong_shape(self, cast: Cast, bad: dict[str, str]) -> None:
        with pytest.raises(BadInput):
            reject(opened(cast), cast.ruth, **bad)

    def test_is_too_late_with_pulse_stopped_and_keeps_the_expiry(self, cast: Cast) -> None:
        card = opened(cast)
        with clock.frozen(card.decide_by), pytest.raises(ProposalExpired):
            approve(card, cast.ruth)
        detail = now(cast, card)
        assert detail.card.state is ProposalState.EXPIRED
        assert [line.action for line in detail.history][-2:] == ["proposal.decided", "vote.refused"]

    def test_counts_one_microsecond_before_the_deadline(self, cast: Cast) -> None:
        card = opened(cast)
        with clock.frozen(card.decide_by - timedelta(microseconds=1)):
            assert approve(card, cast.ruth).state is ProposalState.APPROVED

    def test_lets_a_held_proposal_be_rejected_but_not_approved(self, cast: Cast) -> None:
        card = opened(cast)
        commands.freeze(
            actor=cast.omar, proposal_ids=[card.id], cause="stop of refunds", since=card.opened_at
        )
        with pytest.raises(ProposalFrozen, match="stop of refunds"):
            approve(card, cast.ruth)
        assert reject(card, cast.ruth).state is ProposalState.REJECTED

    def test_lets_a_stale_proposal_be_rejected_but_not_approved(self, cast: Cast) -> None:
        card = opened(cast)
        approve(card, cast.ruth)
        claim(cast, card, before={"orders": {"#W1": {"status": "shipped"}}})
        with pytest.raises(AlreadyDecided, match="target changed"):
            approve(card, cast.ines)
        assert reject(card, cast.ines).state is ProposalState.REJECTED


class TestWithdrawVote:
    def test_takes_back_a_vote_that_decided_nothing(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        approve(card, cast.ruth)
        receipt = commands.withdraw_vote(actor=cast.ruth, proposal_id=card.id)
        assert (receipt.state, receipt.given) == (ProposalState.OPEN, 0)
        approve(card, cast.ines)
        assert approve(card, cast.ruth).state is ProposalState.APPROVED

    def test_takes_an_approval_back_to_people(self, cast: Cast) -> None:
        card = opened(cast)
        approve(card, cast.ruth)
        receipt = commands.withdraw_vote(actor=cast.ruth, proposal_id=card.id)
        assert receipt.state is ProposalState.OPEN
        assert claim(cast, card).code == "proposal.open"
        assert "proposal.reopened" in [line.action for line in now(cast, card).history]

    def test_keeps_an_approval_that_others_carry(self, cast: Cast) -> None:
        third = cast.add("third", roles=("reviewer",), groups=("care",))
        card = opened(cast, tier=2)
        approve(card, cast.ruth)
        approve(card, third)
        approve(card, cast.ines)
        receipt = commands.withdraw_vote(actor=cast.ruth, proposal_id=card.id)
        assert receipt.state is ProposalState.APPROVED

    def test_is_too_late_after_dispatch(self, cast: Cast) -> None:
        card = opened(cast)
        approve(card, cast.ruth)
        claim(cast, card)
        with pytest.raises(AlreadyDecided):
            commands.withdraw_vote(actor=cast.ruth, proposal_id=card.id)

    def test_refuses_without_a_vote_and_machines_and_strangers(self, cast: Cast) -> None:
        card = opened(cast)
        with pytest.raises(NoVote):
            commands.withdraw_vote(actor=cast.ruth, proposal_id=card.id)
        with pytest.raises(VoteByMachine):
            commands.withdraw_vote(actor=pulse(cast), proposal_id=card.id)
        with pytest.raises(NotFound):
            commands.withdraw_vote(actor=cast.mallory, proposal_id=card.id)

    def test_wins_nobody_time(self, cast: Cast) -> None:
        card = opened(cast)
        with clock.frozen(card.decide_by - timedelta(seconds=1)):
            approve(card, cast.ruth)
        with clock.frozen(card.decide_by + timedelta(seconds=1)):
            receipt = commands.withdraw_vote(actor=cast.ruth, proposal_id=card.id)
        assert receipt.state is ProposalState.EXPIRED
