"""What is drawn, when answers turn a rule, and that turning never loosens: pure."""

import hmac
from dataclasses import replace
from fractions import Fraction
from statistics import NormalDist
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals import policies
from approvals.policies.compiling import Compiled
from approvals.policies.requirement import requirement_as_dict
from approvals.policies.sampling import (
    ENOUGH_ANSWERS,
    as_turned,
    interval,
    is_drawn,
    rule_key,
    turns,
)
from approvals.states import Says
from console.kernel.ids import uuid7
from tests.approvals.policies.rules import FINANCE, active, call, rule

LIMIT: Final = Fraction(1, 20)
SQUARE: Final = Fraction(NormalDist().inv_cdf(0.975)) ** 2
LOOSENESS: Final = {Says.DENY: 0, Says.HOLD: 1, Says.ALLOW: 2, Says.PASS: 3}


def beyond(disagreed: int, answered: int) -> bool:
    """Say whether a share is above the limit by the score test, whose inversion Wilson's is.

    Exact, and without the formula: (p - limit)^2 > z^2 limit (1 - limit) / n.
    """
    away = Fraction(disagreed, answered) - LIMIT
    return away > 0 and away**2 > SQUARE * LIMIT * (1 - LIMIT) / answered


class TestIsDrawn:
    def test_is_all_at_one_and_nothing_at_zero(self) -> None:
        for mac in (b"\x00" * 32, b"\xff" * 32):
            assert is_drawn(mac, "1")
            assert not is_drawn(mac, "0")

    @given(st.binary(min_size=32, max_size=32), st.integers(0, 10_000))
    def test_is_the_first_8_bytes_as_a_share_below_the_rate(self, mac: bytes, parts: int) -> None:
        share = Fraction(int.from_bytes(mac[:8]), 2**64)
        assert is_drawn(mac, f"{parts / 10_000:.4f}") is (share < Fraction(parts, 10_000))

    def test_draws_about_as_many_as_it_says(self) -> None:
        macs = [hmac.digest(b"key", number.to_bytes(16), "sha256") for number in range(20_000)]
        assert 900 <= sum(is_drawn(mac, "0.05") for mac in macs) <= 1100  # 3.2 sigma


class TestTurns:
    @given(st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
    def test_agrees_with_the_score_test(self, answers: tuple[int, int]) -> None:
        disagreed, answered = answers
        expected = answered >= ENOUGH_ANSWERS and beyond(disagreed, answered)
        assert turns(disagreed, answered) is expected

    @pytest.mark.parametrize(
        ("disagreed", "answered", "expected"),
        [(3, 20, True), (2, 20, False), (19, 19, False), (3, 21, False), (4, 21, True)],
    )
    def test_at_exactly_the_right_answer(
        self, disagreed: int, answered: int, *, expected: bool
    ) -> None:
        assert turns(disagreed, answered) is expected

    @given(st.integers(1, 2_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
    def test_rests_on_an_interval_whose_ends_solve_wilson_s_equation(
        self, answers: tuple[int, int]
    ) -> None:
        disagreed, answered = answers
        found, share, z2 = interval(*answers), disagreed / answered, float(SQUARE)
        for end in (found.low, found.high):
            assert (share - end) ** 2 == pytest.approx(z2 * end * (1 - end) / answered, abs=1e-9)
        slack = 1e-12  # of the last digits of floats
        assert 0 <= found.low <= share + slack
        assert share - slack <= found.high <= 1

    def test_knows_nothing_without_answers(self) -> None:
        assert (interval(0, 0).low, interval(0, 0).high) == (0, 1)


RULES: Final = st.lists(
    st.fixed_dictionaries(
        {
            "effect": st.sampled_from(["allow", "allow", "hold", "deny"]),
            "priority": st.integers(0, 2),
            "match": st.sampled_from([{}, {"tool": "refund.*"}, {"tool": "other.*"}]),
        },
        optional={
            "when": st.sampled_from(
                [
                    {"path": "/args/amount", "op": "gt", "value": "100"},
                    {"path": "/args/amount", "op": "gt", "value": "500"},
                    {"path": "/args/none", "op": "gt", "value": "1"},
                ]
            )
        },
    ),
    min_size=1,
    max_size=5,
)


class TestAsTurned:
    @given(RULES, st.integers(0, 2), st.data())
    def test_never_loosens(self, rules: list[dict[str, Any]], tier: int, data: Any) -> None:
        named = [
            {
                "id": f"r{n}",
                **one,
                **({"require": FINANCE, "decide": "30m"} if one["effect"] == "hold" else {}),
            }
            for n, one in enumerate(rules)
        ]
        of = active(*named)
        every = [rule_key(of.version, one["id"]) for one in named]
        turned = set(data.draw(st.lists(st.sampled_from(every))))
        before = policies.evaluate(call(tier=tier), [of], {})
        after = policies.evaluate(call(tier=tier), [of], {}, turned=turned)
        assert LOOSENESS[after.says] <= LOOSENESS[before.says]
        if tier == 0:
            assert after == before
        if before.says is after.says is Says.HOLD:
            assert before.requirement is not None
            assert after.requirement is not None
            asked = requirement_as_dict(after.requirement)
            assert all(one in asked for one in requirement_as_dict(before.requirement))
            assert after.requirement.decide_s <= before.requirement.decide_s
        quick = Compiled(as_turned([of], turned, tier)).evaluate(call(tier=tier), {})
        assert replace(after, trace=()) == replace(quick, trace=())

    def test_holds_what_was_allowed_and_says_why(self) -> None:
        of = active(rule("fine", "allow"))
        found = policies.evaluate(call(), [of], {}, turned={rule_key(of.version, "fine")})
        assert (found.says, found.rules) == (Says.HOLD, ("shop-writes/fine",))
        assert found.requirement is not None
        assert "until reviewers disagreed too often" in found.requirement.explanation
        assert found.trace[0]["turned"] is True

    def test_leaves_another_version_alone(self) -> None:
        of = active(rule("fine", "allow"))
        found = policies.evaluate(call(), [of], {}, turned={rule_key(uuid7(), "fine")})
        assert found.says is Says.ALLOW
