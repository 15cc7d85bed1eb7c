"""Deciding in the place of somebody else: it moves a say and never adds one."""

from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest

from approvals import commands, queries
from approvals.cards import (
    Claimed,
    NotClaimed,
    ProposalCard,
    StandingTerms,
    VoteReceipt,
)
from approvals.cards.delegating import DelegationCard
from approvals.models import Delegation, Proposal, Vote
from approvals.states import Choice, ProposalState
from console.accounts import commands as accounts
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.transactions import in_tenant
from tests.accounts.test_proofs import aged
from tests.approvals import glass
from tests.approvals.desk import (
    approve,
    claim,
    now,
    opened,
    principals,
    pulse,
    reject,
    shown,
    vote,
)
from tests.approvals.lent import (
    DAY,
    FINANCE_TWICE,
    finance,
    happened,
    instead,
    lend,
    reviewer,
    said_no,
    started,
    state,
)
from tests.approvals.policies.rules import FINANCE, rule, spoken
from tests.architecture.test_machines import machines
from tests.cast import Cast
from tests.races.test_votes import at_once


class TestDelegate:
    def test_is_for_reviewers_in_a_session_of_their_own(self, cast: Cast) -> None:
        for machine in machines(cast):
            said_no("delegation.machine", partial(lend, machine, cast.ruth, group="finance"))
        said_no("forbidden", partial(lend, cast.noor, cast.ruth, group="finance"))

    def test_names_somebody_else_who_may_review(self, cast: Cast) -> None:
        said_no("delegation.own", partial(lend, cast.ines, cast.ines))
        for other in (cast.omar, cast.mallory):
            said_no("delegation.not_eligible", partial(lend, cast.ines, other))

    def test_lends_only_a_place_that_one_has(self, cast: Cast) -> None:
        said_no("delegation.not_eligible", partial(lend, cast.ines, cast.ruth, group="care"))

    @pytest.mark.parametrize("away", [timedelta(0), -DAY, timedelta(days=14, minutes=1)])
    def test_is_for_fourteen_days_at_most(self, cast: Cast, away: timedelta) -> None:
        said_no("invalid", partial(lend, cast.ines, cast.ruth, until=clock.now() + away))

    def test_needs_a_reason_and_a_fresh_sign_in(self, cast: Cast) -> None:
        said_no("invalid", partial(lend, cast.ines, cast.ruth, reason=" \n"))
        aged(cast.ines, 301)
        said_no("stepup.required", partial(lend, cast.ines, cast.ruth))

    def test_is_one_level_and_one_at_a_time(self, cast: Cast) -> None:
        third = reviewer(cast, "third", "care")
        lend(cast.ines, cast.ruth)
        for giver, taker in (
            (cast.ruth, third),  # a chain
            (third, cast.ines),  # the same from the other end
            (cast.ines, third),  # to two people
            (third, cast.ruth),  # of two people
            (cast.ruth, cast.ines),  # back
        ):
            said_no("delegation.taken", partial(lend, giver, taker))

    def test_lets_one_of_two_at_once_through(self, cast: Cast) -> None:
        third, fourth = reviewer(cast, "third", "care"), reviewer(cast, "fourth", "care")
        pairs = [(cast.ines, cast.ruth), (cast.ruth, third), (third, cast.ines), (fourth, third)]

        found = at_once([partial(lend, *pair) for pair in pairs])
        made = [one for one in found if isinstance(one, DelegationCard)]
        assert len(made) in {1, 2}  # of four people
        assert {one.code for one in found if one not in made} == {"delegation.taken"}
        with in_tenant(cast.tenant_id, read_only=True):
            rows = Delegation.objects.values_list("from_person", "to_person")
            people = [person for pair in rows for person in pair]
        assert len(people) == len(set(people))

    def test_is_in_the_trail_with_both_people(self, cast: Cast) -> None:
        made = lend(cast.ines, cast.ruth)
        [event] = happened(cast, "delegation.made")
        assert event["actor"]["id"] == cast.ines.id
        assert event["reason"] == "I am away."
        assert (made.from_person, made.to_person, made.group) == ("Ines", "Ruth", "finance")

    def test_can_follow_one_that_has_ended(self, cast: Cast) -> None:
        made = lend(cast.ines, cast.ruth)
        commands.end_delegation(actor=cast.ines, delegation_id=made.id)
        assert lend(cast.ruth, cast.ines).live


class TestVoteInPlace:
    def test_fills_the_place_of_the_other(self, cast: Cast) -> None:
        card = finance(cast)
        made = lend(cast.ines, cast.ruth)
        receipt = instead(card, cast.ruth, cast.ines)
        assert (receipt.state, receipt.in_place_of) == (ProposalState.APPROVED, "Ines")
        found = now(cast, card)
        assert found.decision is not None
        assert found.decision.people == ("Ruth in place of Ines",)
        with in_tenant(cast.tenant_id, read_only=True):
            row = Vote.objects.get(proposal_id=card.id)
        assert (row.delegation_id, row.person_id) == (made.id, UUID(cast.ruth.id))
        assert isinstance(claim(cast, card), Claimed)

    def test_is_on_record_as_such(self, cast: Cast) -> None:
        card = finance(cast)
        made = lend(cast.ines, cast.ruth)
        instead(card, cast.ruth, cast.ines)
        event = happened(cast, "vote.cast")[-1]
        assert event["bind"]["delegation_id"] == str(made.id)
        assert event["bind"]["in_place_of"] == cast.ines.id
        assert event["actor"]["id"] == cast.ruth.id

    def test_can_reject_as_well(self, cast: Cast) -> None:
        card = finance(cast)
        lend(cast.ines, cast.ruth)
        reject(card, cast.ruth, in_place_of=UUID(cast.ines.id))
        assert state(cast, card) is ProposalState.REJECTED

    def test_is_said_and_never_guessed(self, cast: Cast) -> None:
        card = finance(cast)
        said_no("vote.not_eligible", partial(approve, card, cast.ruth))
        said_no("vote.not_eligible", partial(instead, card, cast.ruth, cast.ines))
        lend(cast.ines, cast.ruth)
        said_no("vote.not_in_place", partial(approve, card, cast.ruth))
        said_no("vote.not_in_place", partial(instead, card, cast.ruth, cast.noor))
        assert state(cast, card) is ProposalState.OPEN

    def test_lends_the_one_group_and_no_other(self, cast: Cast) -> None:
        both = reviewer(cast, "both", "finance", "leads")
        spoken(
            cast, rule("l", "hold", require={"all": [{"slots": [{"groups": ["leads"], "n": 1}]}]})
        )
        card = opened(cast)
        lend(both, cast.ruth, group="finance")
        said_no("vote.not_eligible", partial(instead, card, cast.ruth, both))

    def test_again_gets_the_first_receipt_and_not_as_somebody_else(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        lend(cast.ines, cast.ruth)
        first = instead(card, cast.ruth, cast.ines)
        again = instead(card, cast.ruth, cast.ines)
        assert (again.repeated, again.event_uid) == (True, first.event_uid)
        said_no("vote.duplicate", partial(approve, card, cast.ruth))

    def test_needs_all_that_a_vote_of_ones_own_needs(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        lend(cast.ines, cast.ruth)
        as_ines = {"in_place_of": UUID(cast.ines.id)}
        unseen = partial(vote, card, cast.ruth, Choice.APPROVE, **as_ines)
        said_no("vote.not_fully_shown", unseen)
        shown(card, cast.ruth)
        aged(cast.ruth, 301)
        said_no("stepup.required", unseen)

    def test_makes_no_standing_approval(self, cast: Cast) -> None:
        spoken(cast, rule("f", "hold", require=FINANCE, standing=True))
        card = opened(cast)
        lend(cast.ines, cast.ruth)
        instead(card, cast.ruth, cast.ines)
        terms = StandingTerms(
            conditions=({"path": "/args/order_id", "op": "eq", "value": "#W1"},),
            free=("/args/reason",),
            uses=1,
            days=1,
        )
        make = partial(commands.make_standing, actor=cast.ruth, proposal_id=card.id, revision_no=1)
        said_no(
            "vote.not_in_place",
            partial(make, seen_digest=card.digest, terms=terms, reason="Often."),
        )


class TestOnePerson:
    """While it lasts the two count as one, whoever of them acts and in which capacity."""

    def test_fills_one_place_of_a_group(self, cast: Cast) -> None:
        card = finance(cast, FINANCE_TWICE)
        lend(cast.ines, cast.ruth)
        approve(card, cast.ines)
        receipt = instead(card, cast.ruth, cast.ines)
        assert (receipt.state, receipt.given, receipt.needed) == (ProposalState.OPEN, 1, 2)
        third = reviewer(cast, "third", "finance")
        assert approve(card, third).state is ProposalState.APPROVED

    def test_fills_one_place_of_two_groups(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        lend(cast.ines, cast.ruth)
        approve(card, cast.ines)
        assert approve(card, cast.ruth).state is ProposalState.OPEN
        third = reviewer(cast, "third", "legal")
        assert approve(card, third).state is ProposalState.APPROVED

    def test_counts_them_as_two_for_votes_of_before(self, cast: Cast) -> None:
        card = finance(cast, FINANCE_TWICE)
        other = reviewer(cast, "other", "finance")
        approve(card, cast.ines)
        approve(card, other)
        lend(cast.ines, other)
        assert isinstance(claim(cast, card), Claimed)

    def test_stays_so_for_votes_after_it_ended(self, cast: Cast) -> None:
        """Who voted in somebody's place does not become a second person by the end of it."""
        card = opened(cast, tier=2)
        made = lend(cast.ines, cast.ruth)
        approve(card, cast.ruth)
        commands.end_delegation(actor=cast.ines, delegation_id=made.id)
        assert approve(card, cast.ines).state is ProposalState.OPEN

    @pytest.mark.parametrize("owner_gives", [True, False])
    def test_shares_what_bars_one_of_them(self, cast: Cast, *, owner_gives: bool) -> None:
        starter = reviewer(cast, "starter", "finance")
        chain = (*principals(cast)[:2], started(starter))
        card = opened(cast, tier=2, chain=chain)
        lend(starter, cast.ruth) if owner_gives else lend(cast.ruth, starter)
        refusal = said_no("vote.principal", partial(approve, card, cast.ruth))
        assert "count as one" in refusal.message
        said_no("vote.principal", partial(reject, card, cast.ruth))
        lines = {line.name: line.refusal for line in now(cast, card).reviewers}
        assert lines["Ruth"].startswith("counts as one person")
        assert not lines["Ines"]

    def test_shares_it_for_break_glass_as_well(self, cast: Cast) -> None:
        starter = reviewer(cast, "starter", "finance")
        card = opened(cast, tier=2, chain=(*principals(cast)[:2], started(starter)))
        glass.lend(cast, cast.ruth)
        made = lend(starter, cast.ruth)
        said_no("vote.principal", partial(glass.broken, card, cast.ruth))
        commands.end_delegation(actor=cast.ruth, delegation_id=made.id)
        assert glass.broken(card, cast.ruth).told

    def test_ends_at_once_when_either_ends_it(self, cast: Cast) -> None:
        starter = reviewer(cast, "starter", "finance")
        card = opened(cast, chain=(*principals(cast)[:2], started(starter)))
        made = lend(starter, cast.ruth)
        commands.end_delegation(actor=cast.ruth, delegation_id=made.id)
        assert approve(card, cast.ruth).state is ProposalState.APPROVED

    def test_flags_what_the_rest_cannot_complete(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        assert not now(cast, card).unfillable
        made = lend(cast.ines, cast.ruth)
        assert _flagged(cast, card)
        commands.end_delegation(actor=cast.ines, delegation_id=made.id)
        assert not _flagged(cast, card)


class TestEnd:
    def test_is_for_the_two_and_for_who_leads(self, cast: Cast) -> None:
        third = reviewer(cast, "third", "care")
        for ender in (cast.ines, cast.ruth, cast.noor):
            made = lend(cast.ines, cast.ruth)
            end = partial(commands.end_delegation, delegation_id=made.id)
            said_no("delegation.not_yours", partial(end, actor=third))
            for machine in machines(cast):
                said_no("delegation.machine", partial(end, actor=machine))
            assert not end(actor=ender).live
            said_no("delegation.over", partial(end, actor=ender))

    def test_takes_back_what_has_not_run(self, cast: Cast) -> None:
        card = finance(cast)
        made = lend(cast.ines, cast.ruth)
        instead(card, cast.ruth, cast.ines)
        commands.end_delegation(actor=cast.ines, delegation_id=made.id)
        answer = claim(cast, card)
        assert isinstance(answer, NotClaimed)
        assert answer.code == "proposal.reopened"
        assert state(cast, card) is ProposalState.OPEN
        assert approve(card, cast.ines).state is ProposalState.APPROVED

    def test_leaves_what_the_giver_agreed_to_as_well(self, cast: Cast) -> None:
        """The two filled one place, and the giver fills it alone; the other vote is void."""
        third = reviewer(cast, "third", "legal")
        card = opened(cast, tier=2)
        made = lend(cast.ines, cast.ruth)
        instead(card, cast.ruth, cast.ines)
        approve(card, cast.ines)
        assert approve(card, third).state is ProposalState.APPROVED
        commands.end_delegation(actor=cast.ines, delegation_id=made.id)
        assert isinstance(claim(cast, card), Claimed)
        with in_tenant(cast.tenant_id, read_only=True):
            void = Vote.objects.filter(voided_at__isnull=False)
            assert [(row.person_label, row.void_cause) for row in void] == [("Ruth", "authority")]

    def test_by_time_takes_nothing_back(self, cast: Cast) -> None:
        card = finance(cast)
        lend(cast.ines, cast.ruth, until=clock.now() + timedelta(minutes=5))
        instead(card, cast.ruth, cast.ines)
        with clock.frozen(clock.now() + timedelta(minutes=6)):
            assert commands.lapse_delegations(actor=pulse(cast)) == 1
            assert commands.lapse_delegations(actor=pulse(cast)) == 0
            assert isinstance(claim(cast, card), Claimed)

    def test_by_time_lets_nobody_decide(self, cast: Cast) -> None:
        card = finance(cast)
        lend(cast.ines, cast.ruth, until=clock.now() + timedelta(minutes=5))
        with clock.frozen(clock.now() + timedelta(minutes=5, seconds=1)):
            said_no("vote.not_eligible", partial(instead, card, cast.ruth, cast.ines))
            # Nothing waits for pulse, neither this nor the next one.
            assert lend(cast.ruth, cast.ines).live

    @pytest.mark.parametrize("loses", ["role", "group", "active"])
    def test_follows_from_what_the_giver_loses(self, cast: Cast, loses: str) -> None:
        card, later = finance(cast), opened(cast)
        lend(cast.ines, cast.ruth)
        instead(card, cast.ruth, cast.ines)
        _take_away(cast, cast.ines, loses)
        reviewer(cast, "third", "finance")
        said_no("vote.not_eligible", partial(instead, later, cast.ruth, cast.ines))
        assert isinstance(claim(cast, card), NotClaimed)
        [live] = queries.delegations(actor=cast.noor)
        assert live.why_silent

    def test_follows_from_what_the_taker_loses(self, cast: Cast) -> None:
        card = finance(cast)
        lend(cast.ines, cast.ruth)
        instead(card, cast.ruth, cast.ines)
        _take_away(cast, cast.ruth, "role")
        assert isinstance(claim(cast, card), NotClaimed)

    def test_races_a_vote_by_it(self, cast: Cast) -> None:
        """Whichever is first: no vote counts at a dispatch that a person took the ground from."""
        card = finance(cast)
        made = lend(cast.ines, cast.ruth)
        shown(card, cast.ruth)

        given, ended = at_once(
            [
                partial(vote, card, cast.ruth, Choice.APPROVE, in_place_of=UUID(cast.ines.id)),
                partial(commands.end_delegation, actor=cast.ines, delegation_id=made.id),
            ]
        )
        assert isinstance(ended, DelegationCard)
        assert isinstance(given, VoteReceipt) or given.code == "vote.not_eligible"
        assert isinstance(claim(cast, card), NotClaimed)


class TestQueue:
    def test_has_it_as_the_takers_turn_and_says_in_whose_place(self, cast: Cast) -> None:
        card = finance(cast)
        mine = partial(queries.awaiting_review, actor=cast.ruth, view=queries.View.MINE)
        assert not mine().rows
        made = lend(cast.ines, cast.ruth)
        [row] = mine().rows
        assert (row.card.id, row.in_place_of) == (card.id, "Ines")
        assert row.turn is not None
        page = cast.client("ruth").get("/reviews/").content.decode()
        assert "in place of Ines" in page
        commands.end_delegation(actor=cast.ruth, delegation_id=made.id)
        assert not mine().rows

    def test_leaves_out_what_either_has_a_part_in(self, cast: Cast) -> None:
        starter = reviewer(cast, "starter", "finance")
        opened(cast, chain=(*principals(cast)[:2], started(starter)))
        assert queries.turn_count(actor=cast.ruth) == 1
        lend(starter, cast.ruth)
        assert queries.turn_count(actor=cast.ruth) == 0


def _flagged(cast: Cast, card: ProposalCard) -> bool:
    with in_tenant(cast.tenant_id, read_only=True):
        return Proposal.objects.get(pk=card.id).unfillable_since is not None


def _take_away(cast: Cast, person: Actor, what: str) -> None:
    accounts.set_membership(
        actor=cast.system,
        person_id=UUID(person.id),
        roles=() if what == "role" else ("reviewer",),
        groups=() if what == "group" else tuple(person.groups),
        active=what != "active",
    )
