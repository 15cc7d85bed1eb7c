"""Random histories and a written one, played on real PostgreSQL against the oracle."""

from collections import Counter
from itertools import count
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.approvals.machine import GROUPS, Machine
from tests.cast import Cast

HISTORIES: Final = 25  # of one seed
ACTS: Final = 52  # in one history, at most
PARTS: Final = 2  # for two processes to play at the same time
LEAST: Final = 10_000 // PARTS  # acts of a part, from as many seeds as that takes
# A machine that never gets anywhere agrees with every oracle.
STATES: Final = {
    "state open", "state approved", "state stale", "state expired", "state rejected",
    "state dispatched", "state withdrawn",
}  # fmt: skip
REACHED: Final = STATES | {
    "ok", "same", "proposal.expired", "proposal.decided", "proposal.frozen", "proposal.stale",
    "proposal.not_stale", "proposal.reopened", "vote.none", "vote.principal", "vote.not_eligible",
    "vote.duplicate", "edit.unchanged", "dispatch.duplicate", "dispatch.late", "crashed",
}  # fmt: skip


@pytest.fixture
def histories(cast: Cast) -> type[Machine]:
    """Return the machine with people to act in it, and nothing counted yet."""
    for who in ("peer", "both"):
        cast.add(who, roles=("reviewer",), groups=tuple(sorted(GROUPS[who])))
    Machine.cast, Machine.outcomes, Machine.strict = cast, Counter(), None
    return Machine


class TestRandomHistories:
    @pytest.mark.parametrize(
        "part",
        [pytest.param(n, marks=pytest.mark.xdist_group(f"histories {n}")) for n in range(PARTS)],
    )
    def test_agree_with_the_oracle(self, histories: type[Machine], part: int) -> None:
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
    def test_comes_everywhere(self, histories: type[Machine]) -> None:
        """Random histories may miss a rare refusal; this one leaves none out."""
        for tour in (_through_votes, _through_content, _through_time, _through_the_run):
            machine = histories()
            machine.begin(tier=2, strict=False)
            tour(machine)
            machine.teardown()

        assert REACHED - set(histories.outcomes) == set()


def _through_votes(at: Machine) -> None:
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


def _through_content(at: Machine) -> None:
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


def _through_time(at: Machine) -> None:
    at.agree("ruth")
    at.freeze("b", lag=0)
    at.wait_for_the_deadline(0, just_before=False)
    at.pulse()  # it lapsed under the stop, so people decide anew
    at.thaw("b")
    at.wait_for_the_deadline(0, just_before=False)
    at.approve("ruth")


def _through_the_run(at: Machine) -> None:
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
