"""Random histories and a written one, played on real PostgreSQL against the oracle."""

from itertools import count
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from approvals.states import Choice, CommentKind
from audit import queries as audit
from tests.approvals.breakers import Breakers
from tests.approvals.oracle_people import LONGEST_LOAN
from tests.approvals.sql import run
from tests.approvals.stage import GROUPS
from tests.audit.facts import settle
from tests.cast import Cast

HISTORIES: Final = 8  # of one seed; few, as the last one mostly plays more than are missing
ACTS: Final = 52  # in one history, at most
PARTS: Final = 2  # for two processes to play at the same time
LEAST: Final = 10_000 // PARTS  # acts of a part, from as many seeds as that takes
# A machine that never gets anywhere agrees with every oracle.
STATES: Final = {
    "state open", "state approved", "state stale", "state expired", "state rejected",
    "state dispatched", "state withdrawn", "lent", "ran out", "voted for another", "two are one",
    "paused", "standing", "foreseen", "answer lost", "done again", "crashed",
}  # fmt: skip
# What a half reaches once or twice, or not at all, is left to the written history.
RARE: Final = {"handed back", "rebased", "broke glass"}
REACHED: Final = STATES | RARE | {
    "ok", "same", "proposal.expired", "proposal.decided", "proposal.frozen", "proposal.stale",
    "proposal.not_stale", "proposal.reopened", "vote.none", "vote.principal", "vote.not_eligible",
    "vote.duplicate", "edit.unchanged", "dispatch.duplicate", "dispatch.late",
    "vote.not_in_place", "delegation.own", "delegation.not_eligible", "delegation.taken",
    "delegation.not_yours", "delegation.over", "invalid", "comment.too_many", "policy.denied",
    "extend.not_eligible", "extend.spent", "break_glass.granted", "break_glass.over",
    "break_glass.not_granted", "break_glass.barred", "review_task.not_eligible",
    "review_task.closed", "standing.not_allowed", "standing.not_approved", "standing.taken",
    "standing.not_yours", "proposal.open", "proposal.refresh_spent", "state blocked",
    "proposal.widened", "timeout_rule",
}  # fmt: skip


# C43, approved = dispatched by one query over the trail: of each hand-over, whether the decision
# that it names as its ground, the last one before it, approved the very content that went out.
RAN_AS_AGREED: Final = """
    WITH told AS (
      SELECT id, e ->> 'action' AS action, e -> 'target' ->> 'id' AS proposal, e -> 'bind' AS bind
        FROM (SELECT id, convert_from(envelope, 'UTF8')::jsonb AS e FROM audit_event) AS one)
    SELECT coalesce((
      SELECT d.bind ->> 'outcome' = 'approved'
             AND d.bind ->> 'digest' = h.bind ->> 'observed_digest'
        FROM told d
       WHERE d.proposal = h.proposal AND d.id < h.id
         AND d.action IN ('proposal.decided', 'proposal.reopened', 'proposal.staled')
       ORDER BY d.id DESC LIMIT 1), false)
      FROM told h WHERE h.action = 'proposal.dispatched'
"""


def ran_as_agreed(cast: Cast) -> list[bool]:
    return [agrees for (agrees,) in run(cast, RAN_AS_AGREED)]


@pytest.fixture
def histories(cast: Cast) -> type[Breakers]:
    """Return the machine with people to act in it, and nothing counted yet."""
    for who in ("peer", "both"):
        cast.add(who, roles=("reviewer",), groups=tuple(sorted(GROUPS[who])))
    Breakers.prepare(cast)
    return Breakers


class TestRandomHistories:
    @pytest.mark.parametrize("part", range(PARTS))
    def test_agree_with_the_oracle(self, cast: Cast, histories: type[Breakers], part: int) -> None:
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
        ran = ran_as_agreed(cast)
        assert len(ran) > 10
        assert all(ran)


class TestWrittenHistory:
    def test_comes_everywhere(self, cast: Cast, histories: type[Breakers]) -> None:
        """Random histories may miss a rare refusal; this one leaves none out."""
        for tour in TOURS:
            machine = histories()
            machine.begin(tier=2, speaks="", fallback="refuse")
            tour(machine)
            machine.teardown()

        assert REACHED - set(histories.outcomes) == set()
        settle(cast.noor)
        handed = audit.executed(actor=cast.noor, limit=1_000)
        assert len(handed) == len(ran_as_agreed(cast))  # C43, as the auditor's page says it
        assert all(one.holds and one.agrees for one in handed)


def _through_votes(at: Breakers) -> None:
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
    at.crash("ines", "reject")
    at.crash("ines", "reject", at=12)
    at.reject("ines", sure=0)
    at.approve("ruth")


def _through_content(at: Breakers) -> None:
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


def _through_time(at: Breakers) -> None:
    at.agree("ruth")
    at.freeze("b", lag=0)
    at.wait_for_the_deadline(0, just_before=False)
    at.pulse()  # it lapsed under the stop, so people decide anew
    at.thaw("b")
    at.wait_for_the_deadline(0, just_before=False)
    at.approve("ruth")


def _through_the_run(at: Breakers) -> None:
    at.approve("peer")
    at.approve("ines")
    at.change_roles("peer", "no reviewer")
    at.claim()
    at.approve("ruth")
    at.change_the_policy("finance")
    at.claim()
    at.claim()
    at.claim_again_with_the_same_key()
    at.wait(20)
    at.claim_again_with_the_same_key()


def _through_places_that_were_lent(at: Breakers) -> None:
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


def _through_two_who_are_one(at: Breakers) -> None:
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


def _through_places_that_ran_out(at: Breakers) -> None:
    at.lend(("both", "peer", "finance"), 5)
    at.vote_instead("peer", "both", Choice.APPROVE)
    at.approve("ruth")
    assert at.oracle.state == "approved"
    at.wait(9)
    at.put_on_record()
    at.claim()
    assert at.oracle.state == "dispatched"  # nobody took it back


def _through_questions(at: Breakers) -> None:
    for _ in range(2):
        at.ask("ruth", CommentKind.QUESTION, pause=True)
    at.extend("ines")
    at.wait(20)
    at.answer()
    at.do_it_again()
    at.answer()
    for _ in range(6):
        at.ask("peer", CommentKind.REQUEST_CHANGES, pause=False)
    at.revise_when_asked(change=False)
    at.revise_when_asked(change=True)
    at.freeze("a", lag=0)
    at.extend("peer")
    at.thaw("a")
    at.edit("both", change=True)
    for who in ("both", "peer", "ines"):
        at.extend(who)
    at.ask("both", CommentKind.QUESTION, pause=True)
    at.wait_for_the_deadline(0, just_before=True)
    at.lose_the_next_answer()
    at.approve("ruth")
    at.approve("ines")
    assert at.oracle.state == "approved"


def _through_what_nobody_decides(at: Breakers) -> None:
    at.leave()
    at.open(1, "escalate")
    for state in ("open", "expired"):
        at.wait_for_the_deadline(0, just_before=False)
        at.pulse()
        assert at.oracle.state == state
    at.begin_anew(1, "approve", 0)
    at.wait_for_the_deadline(0, just_before=False)
    at.pulse()
    assert at.oracle.state == "approved"
    at.change_the_policy("finance")
    at.claim()
    at.claim()
    assert at.oracle.state == "open"
    at.change_the_policy("")
    at.approve("ines")
    at.claim()
    at.begin_anew(1, "approve", 0)
    at.approve("ruth")
    at.drift()
    at.claim()
    at.wait_for_the_deadline(0, just_before=False)
    at.pulse()
    assert at.oracle.state == "expired"  # what is stale is not what anybody asked for
    at.begin_anew(2, "park", 0)
    at.wait_for_the_deadline(0, just_before=False)
    at.ask("ines", CommentKind.QUESTION, pause=True)


def _through_another_target(at: Breakers) -> None:
    for no in range(5):
        at.agree("ruth")
        at.drift()
        at.claim()
        at.look_at_what_changed("peer", back=False)
        assert at.oracle.state == ("open" if no < 3 else "stale")
    at.look_at_what_changed("peer", back=True)


def _through_a_rule_that_forbids(at: Breakers) -> None:
    at.agree("ruth")
    at.change_the_policy("deny")
    at.edit("both", change=True)
    at.claim()
    at.begin_anew(1, "refuse", 0)
    assert at.oracle.state == "blocked"
    at.change_the_policy("")


def _through_broken_glass(at: Breakers) -> None:
    at.break_glass("ruth", anybody=True)
    for minutes in (5, 60):
        at.lend_glass("peer", minutes)
    at.wait(9)
    at.break_glass("peer", anybody=True)
    assert at.oracle.state == "open"  # their time was over
    at.take_glass("peer")
    at.lend_glass("peer", 60)
    at.freeze("a", lag=0)
    at.break_glass("peer", anybody=True)
    assert at.oracle.state == "open"  # a stop is none of the votes that it replaces
    at.thaw("a")
    at.break_glass("peer", anybody=True)
    at.break_glass("peer", anybody=True)
    at.take_glass("peer")
    at.claim()
    at.lend_glass("peer", 60)
    at.break_glass("peer", anybody=True)
    for by in ("peer", "ruth", "ines"):
        at.close_the_review(by)
    at.break_glass("peer", anybody=True)
    at.change_the_policy("finance")
    at.claim()
    assert at.oracle.state == "dispatched"
    at.change_the_policy("")


def _through_what_was_foreseen(at: Breakers) -> None:
    at.agree("ruth")
    at.make_standing("ruth", voter=False)
    at.claim()
    at.begin_anew(1, "refuse", 0)
    at.approve("peer")
    for who in ("ruth", "peer", "peer"):
        at.make_standing(who, voter=False)
    at.claim()
    at.begin_anew(1, "refuse", 0)
    at.drift()
    at.claim()
    at.refresh()
    assert at.oracle.state == "approved"
    at.change_roles("peer", "no reviewer")
    at.claim()
    assert at.oracle.state == "open"
    at.change_roles("peer", "full")
    at.approve("ruth")
    at.claim()
    at.begin_anew(1, "refuse", 0)
    at.change_the_policy("finance")
    at.claim()
    assert at.oracle.state == "open"
    at.change_the_policy("")
    for who in ("ruth", "peer"):
        at.revoke_standing(who)
    at.approve("ines")
    at.claim()
    at.begin_anew(1, "refuse", 0)
    assert at.oracle.state == "open"


def _through_a_word_that_was_taken_back(at: Breakers) -> None:
    at.leave()
    at.open(1, "refuse")
    at.foresee("ines")
    at.begin_anew(1, "refuse", 0)
    assert at.oracle.state == "approved"
    at.revoke_standing("ines")
    at.claim()
    assert at.oracle.state == "open"


TOURS: Final = (
    _through_what_was_foreseen,
    _through_a_word_that_was_taken_back,
    _through_questions,
    _through_what_nobody_decides,
    _through_another_target,
    _through_a_rule_that_forbids,
    _through_broken_glass,
    _through_votes,
    _through_content,
    _through_time,
    _through_the_run,
    _through_places_that_were_lent,
    _through_places_that_ran_out,
    _through_two_who_are_one,
)
