"""Random histories and a written one, played on real PostgreSQL against the oracle."""

from itertools import count
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from approvals.states import Choice
from tests.approvals.lenders import Lenders
from tests.approvals.machine import GROUPS
from tests.approvals.oracle import LONGEST_LOAN
from tests.cast import Cast

HISTORIES: Final = 25  # of one seed
ACTS: Final = 52  # in one history, at most
PARTS: Final = 2  # for two processes to play at the same time
LEAST: Final = 10_000 // PARTS  # acts of a part, from as many seeds as that takes
# A machine that never gets anywhere agrees with every oracle.
STATES: Final = {
    "state open", "state approved", "state stale", "state expired", "state rejected",
    "state dispatched", "state withdrawn", "lent", "ran out", "voted for another", "two are one",
}  # fmt: skip
REACHED: Final = STATES | {
    "ok", "same", "proposal.expired", "proposal.decided", "proposal.frozen", "proposal.stale",
    "proposal.not_stale", "proposal.reopened", "vote.none", "vote.principal", "vote.not_eligible",
    "vote.duplicate", "edit.unchanged", "dispatch.duplicate", "dispatch.late", "crashed",
    "vote.not_in_place", "delegation.own", "delegation.not_eligible", "delegation.taken",
    "delegation.not_yours", "delegation.over", "invalid",
}  # fmt: skip


@pytest.fixture
def histories(cast: Cast) -> type[Lenders]:
    """Return the machine with people to act in it, and nothing counted yet."""
    for who in ("peer", "both"):
        cast.add(who, roles=("reviewer",), groups=tuple(sorted(GROUPS[who])))
    Lenders.prepare(cast)
    return Lenders


class TestRandomHistories:
    @pytest.mark.parametrize("part", range(PARTS))
    def test_agree_with_the_oracle(self, histories: type[Lenders], part: int) -> None:
        played = settings(
            max_examples=HISTORIES,
            stateful_step_count=ACTS,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        seeds = count(part, PARTS)
        while histories.outcomes["acts"] < LEAST:
            # The same seeds in every run, so that a failure is found again.
            run_state_machine_as_test(seed(next(seeds))(histories), settings=played)

        assert STATES - set(histories.outcomes) == set()


class TestWrittenHistory:
    def test_comes_everywhere(self, histories: type[Lenders]) -> None:
        """Random histories may miss a rare refusal; this one leaves none out."""
        for tour in TOURS:
            machine = histories()
            machine.begin(tier=2, strict=False)
            tour(machine)
            machine.teardown()

        assert REACHED - set(histories.outcomes) == set()


def _through_votes(at: Lenders) -> None:
    at.take_back("ruth")
    at.approve("ruth")
    at.approve("ruth")
    at.reject("ruth", sure=0)
    at.take_back("ruth")
    at.change_roles("peer", "no reviewer")
    at.approve("peer")
    at.freeze("a", lag=0)
    at.approve("ines")
    at.thaw("a")
    at.crash("ines", "vote")
    at.reject("ines", sure=0)
    at.approve("ruth")


def _through_content(at: Lenders) -> None:
    at.edit("both", change=False)
    at.edit("both", change=True)
    at.approve("both")
    at.approve_what_was_before("ruth")
    at.refresh()
    at.agree("ruth")
    at.drift()
    at.claim()
    at.refresh()
    at.end_the_run()
    at.wait(20)
    at.wait(20)
    at.end_the_run()


def _through_time(at: Lenders) -> None:
    at.agree("ruth")
    at.freeze("b", lag=0)
    at.wait_for_the_deadline(0, just_before=False)
    at.pulse()  # it lapsed under the stop, so people decide anew
    at.thaw("b")
    at.wait_for_the_deadline(0, just_before=False)
    at.approve("ruth")


def _through_the_run(at: Lenders) -> None:
    at.approve("peer")
    at.approve("ines")
    at.change_roles("peer", "no reviewer")
    at.claim()
    at.approve("ruth")
    at.change_the_policy(0, on=True)
    at.claim()
    at.claim()
    at.claim_again_with_the_same_key()
    at.wait(20)
    at.claim_again_with_the_same_key()


def _through_places_that_were_lent(at: Lenders) -> None:
    care = ("ruth", "ines", "care")
    at.lend(("ruth", "ruth", "care"), 9)
    at.lend(("ruth", "ines", "finance"), 9)
    for minutes in (0, LONGEST_LOAN + 1):
        at.lend(care, minutes)
    at.vote_instead("ines", "ruth", Choice.APPROVE)
    at.lend(care, 30)
    at.lend(("peer", "ruth", "care"), 30)
    loan = at.oracle.loans[0]
    at.end(0, loan, "both")
    at.wait(1)
    at.approve("ruth")
    at.approve("ines")
    assert at.oracle.state == "open"  # of two groups, and the two fill one place of two
    at.take_back("ines")
    at.vote_instead("ines", "ruth", Choice.APPROVE)
    at.vote_instead("both", "peer", Choice.APPROVE)
    at.lend(("both", "peer", "finance"), 30)
    at.vote_instead("peer", "both", Choice.APPROVE)
    assert at.oracle.state == "approved"
    at.wait(1)
    at.end(1, at.oracle.loans[1], "both")
    at.claim()
    assert at.oracle.state == "open"  # what was ended carries nothing
    at.approve("both")
    at.end(0, loan, "ines")
    at.end(0, loan, "ruth")
    at.claim()  # on the giver's own word, which fills the place that was taken back
    assert at.oracle.state == "dispatched"
    assert set(at.oracle.votes) == {"ruth", "both"}


def _through_two_who_are_one(at: Lenders) -> None:
    for who in ("peer", "both"):
        at.change_roles(who, "no reviewer")
    at.lend(("ruth", "ines", "care"), 30)
    assert at.flagged()  # nobody else is left, and together they fill one place
    at.wait(20)
    at.wait(20)
    at.put_on_record()
    assert not at.flagged()
    at.lend(("ines", "ruth", "finance"), 30)
    for who in ("peer", "both"):
        at.change_roles(who, "full")
    at.edit("ines", change=True)
    at.approve("ruth")
    at.vote_instead("ruth", "ines", Choice.APPROVE)
    assert not at.oracle.votes  # what bars one of them bars both


def _through_places_that_ran_out(at: Lenders) -> None:
    at.lend(("both", "peer", "finance"), 5)
    at.vote_instead("peer", "both", Choice.APPROVE)
    at.approve("ruth")
    assert at.oracle.state == "approved"
    at.wait(9)
    at.put_on_record()
    at.claim()
    assert at.oracle.state == "dispatched"  # nobody took it back


TOURS: Final = (
    _through_votes,
    _through_content,
    _through_time,
    _through_the_run,
    _through_places_that_were_lent,
    _through_places_that_ran_out,
    _through_two_who_are_one,
)
