"""A run that goes in circles is noticed, and one that does much is not."""

import pytest

from agents.runtime import loops
from agents.runtime.loops import Seen, Verdict


def seen(n: int, *, result: int = 0, error: str = "") -> Seen:
    return Seen(tool="t", args=bytes([n]), result=bytes([result]), error=error)


class TestLook:
    @pytest.mark.parametrize(
        ("calls", "verdict"),
        [
            ([], Verdict.FINE),
            ([seen(1)] * 2, Verdict.FINE),
            ([seen(1)] * 3, Verdict.NOTE),
            ([seen(1)] * 4, Verdict.NOTE),
            ([seen(1)] * 5, Verdict.STOP),
            ([seen(1), seen(2)] * 3, Verdict.FINE),
            ([seen(1), seen(2)] * 4, Verdict.STOP),
            ([seen(n) for n in range(18)], Verdict.FINE),
            ([seen(1, result=n) for n in range(9)], Verdict.FINE),
            ([seen(1), seen(1), seen(2), seen(1)], Verdict.FINE),
        ],
    )
    def test_finds_circles_and_nothing_else(self, calls: list[Seen], verdict: Verdict) -> None:
        assert loops.look(calls) is verdict

    def test_counts_misfits_in_a_row(self) -> None:
        bad = seen(1, error="contract.tool.unknown")
        assert loops.contract_errors([bad, bad]) == 2
        assert loops.contract_errors([bad, seen(1), bad]) == 1
