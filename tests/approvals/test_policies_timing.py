from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals import policies
from approvals.cards import Block, Rung, Slot
from approvals.policies import Freeze, Window
from approvals.states import OnExpiry, ProposalState, TimerKind

START = datetime(2026, 11, 20, 12, tzinfo=UTC)


def minute(number: int) -> datetime:
    return START + timedelta(minutes=number)


def stop(since: int, until: int | None) -> Freeze:
    ends = None if until is None else minute(until)
    return Freeze(cause=f"stop {since}", since=minute(since), until=ends)


def window(length: int, *freezes: Freeze) -> Window:
    return Window(opened_at=START, length_s=length * 60, freezes=freezes)


def counted(length: int, freezes: tuple[Freeze, ...]) -> int | None:
    """Return the minute at which so many minutes have run, by counting them one by one."""
    ran = number = 0
    while ran < length:
        open_for_good = any(
            freeze.until is None and freeze.since <= minute(number) for freeze in freezes
        )
        if open_for_good:
            return None
        at = minute(number)
        held = any(freeze.since <= at < (freeze.until or at) for freeze in freezes)
        ran += not held
        number += 1
    # The minute after the last one that ran; a stop that begins right there comes too late.
    return number


SPANS = st.lists(
    st.tuples(st.integers(-5, 40), st.one_of(st.none(), st.integers(0, 20))), max_size=4
)


class TestMoment:
    @given(st.integers(1, 40), SPANS)
    def test_agrees_with_counting_minutes(
        self, length: int, spans: list[tuple[int, int | None]]
    ) -> None:
        freezes = tuple(
            stop(since, None if long is None else since + long) for since, long in spans
        )
        found = window(length, *freezes).moment()
        expected = counted(length, freezes)
        assert found == (None if expected is None else minute(expected))

    @given(st.integers(1, 40), SPANS)
    def test_is_when_the_window_is_over(
        self, length: int, spans: list[tuple[int, int | None]]
    ) -> None:
        freezes = tuple(
            stop(since, None if long is None else since + long) for since, long in spans
        )
        over = window(length, *freezes)
        due = over.moment()
        for number in range(120):
            late = due is not None and minute(number) >= due
            assert over.is_over(at=minute(number)) == late

    def test_of_a_share_counts_only_what_was_before_it(self) -> None:
        held = window(60, stop(40, 50))
        assert held.moment(Decimal("0.5")) == minute(30)
        assert held.moment(Decimal("0.8")) == minute(58)
        assert held.moment() == minute(70)


class TestStillUntil:
    def test_is_the_end_of_a_question(self) -> None:
        asked = Freeze(cause=policies.QUESTION, since=minute(10), until=minute(40))
        held = window(60, asked)
        assert [held.still_until(at=minute(n)) for n in (9, 10, 39, 40)] == [
            None,
            minute(40),
            minute(40),
            None,
        ]
        assert held.causes == ()
        assert held.moment() == minute(90)

    def test_counts_what_questions_have_used(self) -> None:
        asked = Freeze(cause=policies.QUESTION, since=minute(10), until=minute(15))
        assert window(60, asked).question_left_s() == 25 * 60
        again = Freeze(cause=policies.QUESTION, since=minute(20), until=minute(45))
        assert window(60, asked, again).question_left_s() == 0


class TestMoments:
    LADDER = (Rung(at="0.25", act="remind"), Rung(at="0.5", act="widen", groups=("leads",)))

    def test_are_deadline_and_rungs_while_open(self) -> None:
        found = policies.moments(ProposalState.OPEN, window(60), self.LADDER, None)
        assert found == {
            (TimerKind.DECIDE, 0): minute(60),
            (TimerKind.REMIND, 2500): minute(15),
            (TimerKind.WIDEN, 5000): minute(30),
        }

    def test_are_fewer_in_other_states(self) -> None:
        stale = policies.moments(ProposalState.STALE, window(60), self.LADDER, None)
        assert stale == {(TimerKind.DECIDE, 0): minute(60)}
        approved = policies.moments(ProposalState.APPROVED, window(60), self.LADDER, minute(9))
        assert approved == {(TimerKind.EXECUTE, 0): minute(9)}
        assert policies.moments(ProposalState.REJECTED, window(60), self.LADDER, None) == {}


class TestRungs:
    def test_keep_their_number_when_another_is_put_in_between(self) -> None:
        first, last = Rung(at="0.5", act="remind"), Rung(at="0.8", act="remind")
        also = Rung(at="0.5", act="remind", groups=("x",))
        few = policies.rungs((first, last))
        more = policies.rungs((first, also, Rung(at="0.7", act="remind"), last))
        assert {key: more[key] for key in few} == few
        assert len(more) == 4


class TestWidened:
    CARE = Slot(groups=("care",), n=2)

    def test_adds_groups_and_takes_no_place_away(self) -> None:
        asks = replace(
            policies.requirement_for(2),
            blocks=(
                Block(slots=(self.CARE,)),
                Block(any_of=((self.CARE,), (Slot(groups=("leads",), n=1),))),
                Block(spread=2),
            ),
        )
        more = policies.widened(asks, ("finance", "care"))
        assert more.blocks[0].slots == (Slot(groups=("care", "finance"), n=2),)
        assert more.blocks[1].any_of[1] == (Slot(groups=("leads", "finance", "care"), n=1),)
        assert more.blocks[2] == asks.blocks[2]
        assert more.people == asks.people

    def test_leaves_what_anybody_may_fill(self) -> None:
        asks = policies.requirement_for(1)
        assert policies.widened(asks, ("finance",)) == asks

    def test_escalates_to_all_that_the_ladder_names_and_then_refuses(self) -> None:
        asks = replace(
            policies.requirement_for(1),
            blocks=(Block(slots=(self.CARE,)),),
            on_expiry="escalate",
            ladder=(Rung(at="0.5", act="widen", groups=("a",)), Rung(at="0.8", act="remind")),
        )
        more = policies.escalated(asks)
        assert more.blocks[0].slots == (Slot(groups=("care", "a"), n=2),)
        assert more.on_expiry == "refuse"
        assert more.ladder == asks.ladder


class TestFallback:
    @pytest.mark.parametrize(
        ("said", "tier", "state", "expected"),
        [
            ("approve", 1, ProposalState.OPEN, OnExpiry.APPROVE),
            ("approve", 2, ProposalState.OPEN, OnExpiry.REFUSE),
            ("approve", 1, ProposalState.STALE, OnExpiry.REFUSE),
            ("park", 2, ProposalState.STALE, OnExpiry.PARK),
            ("return", 1, ProposalState.OPEN, OnExpiry.RETURN),
        ],
    )
    def test_approves_only_what_is_open_in_tier_1(
        self, said: str, tier: int, state: ProposalState, expected: OnExpiry
    ) -> None:
        asks = replace(policies.requirement_for(1), on_expiry=said)
        assert policies.fallback(asks, tier=tier, state=state) is expected
