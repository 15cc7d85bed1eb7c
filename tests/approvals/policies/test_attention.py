"""How long reading takes, and who is told first: pure, against words of their own."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from approvals import diffs, policies
from approvals.cards import Voter
from approvals.states import Choice

FIELDS = st.integers(0, 500)
CHARS = st.integers(0, 100_000)
TAKEN = st.integers(0, 300_000)
ANYBODY = policies.requirement_for(1)


def voter(number: int) -> Voter:
    return Voter(
        person_id=UUID(int=number), name=str(number), groups=frozenset(), active=True, may_vote=True
    )


class TestExpectedS:
    def test_is_three_and_one_for_each_field_and_each_400_characters(self) -> None:
        assert policies.expected_s(fields=0, chars=0) == 3
        assert policies.expected_s(fields=4, chars=399) == 7
        assert policies.expected_s(fields=1, chars=800) == 6

    @given(fields=FIELDS, chars=CHARS)
    def test_is_never_under_3_nor_over_120(self, fields: int, chars: int) -> None:
        assert 3 <= policies.expected_s(fields=fields, chars=chars) <= 120

    @given(fields=FIELDS, chars=CHARS, more=st.integers(0, 1000))
    def test_never_falls_when_there_is_more_to_read(
        self, fields: int, chars: int, more: int
    ) -> None:
        least = policies.expected_s(fields=fields, chars=chars)
        assert policies.expected_s(fields=fields + more, chars=chars) >= least
        assert policies.expected_s(fields=fields, chars=chars + more) >= least


class TestIsTooFast:
    @given(expected=st.integers(3, 120), taken=TAKEN)
    def test_is_an_approval_in_less_time_and_nothing_else(self, expected: int, taken: int) -> None:
        fast = policies.is_too_fast(Choice.APPROVE, expected, taken)
        assert fast is (taken < 1000 * expected)
        assert bool(policies.remark(Choice.APPROVE, expected, taken)) is fast
        assert not policies.is_too_fast(Choice.REJECT, expected, taken)
        assert policies.remark(Choice.REJECT, expected, taken) == ""

    def test_is_not_said_of_a_vote_whose_time_is_unknown(self) -> None:
        assert not policies.is_too_fast(Choice.APPROVE, None, None)
        assert not policies.is_too_fast(Choice.APPROVE, 14, None)

    def test_is_one_calm_sentence(self) -> None:
        said = policies.remark(Choice.APPROVE, 14, 2400)
        assert said == "You approved in 2 s what usually takes 14 s to read."


class TestChangedChars:
    def test_counts_what_differs_and_not_what_stays(self) -> None:
        long = "\n".join(f"line {number} of the terms" for number in range(200))
        one = diffs.between({"a": {"1": {"x": long}}}, {"a": {"1": {"x": f"{long}\nmore"}}})
        short = diffs.between({"a": {"1": {"x": "a red hat"}}}, {"a": {"1": {"x": "a blue hat"}}})
        assert diffs.changed_chars(one) == len("more")
        assert diffs.changed_chars(short) == len("red") + len("blue")

    def test_counts_all_of_what_is_added_or_removed(self) -> None:
        added = diffs.between({}, {"a": {"1": {"x": "y" * 5000}}})
        gone = diffs.between({"a": {"1": {"x": "y" * 5000}}}, {})
        assert diffs.changed_chars(added) >= 5000
        assert diffs.changed_chars(gone) >= 5000

    @given(old=st.text(max_size=900), new=st.text(max_size=900))
    def test_never_counts_more_than_both_sides(self, old: str, new: str) -> None:
        diff = diffs.between({"a": {"1": {"x": old}}}, {"a": {"1": {"x": new}}})
        shown = [
            side.text
            for one in diff.changes
            for side in (one.before, one.after)
            if side is not None
        ]
        assert diffs.changed_chars(diff) <= sum(map(len, shown))


class TestOthersFirst:
    @given(busy=st.sets(st.integers(0, 5)), asked=st.sets(st.integers(0, 5), min_size=1))
    def test_leaves_out_the_busy_ones_only_where_others_suffice(
        self, busy: set[int], asked: set[int]
    ) -> None:
        told = policies.others_first(
            [voter(number) for number in sorted(asked)], {UUID(int=one) for one in busy}, ANYBODY
        )
        free = asked - busy
        assert {one.int for one in told} == (free or asked)
