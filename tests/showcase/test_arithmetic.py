import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.showcase.retail.arithmetic import calculate
from agents.tools.errors import ToolRefused


class TestCalculate:
    @pytest.mark.parametrize(
        ("expression", "value"),
        [
            ("3131.1 + 4777.75 + 367.38", "8276.23"),
            ("155.33 - 147.05 + 268.77 - 235.13", "41.92"),
            ("652.61 - 642.72", "9.89"),
            ("2 + 3 * 4", "14.00"),
            ("(2 + 3) * 4", "20.00"),
            ("-2 - -3", "1.00"),
            ("10 / 4 / 5", "0.50"),
            ("0.1 + 0.2", "0.30"),
            ("0.005", "0.01"),
            (".5*2", "1.00"),
            (" 7 ", "7.00"),
        ],
    )
    def test_is_exact_to_two_places(self, expression: str, value: str) -> None:
        assert calculate(expression) == value

    @pytest.mark.parametrize(
        "expression",
        [
            "",
            "1 +",
            "1 2",
            "(1",
            "1)",
            "1/0",
            "0/0",
            "2**10",
            "__import__('os')",
            "1e5",
            "1_000",
            "1,000",
            "١",
            "9" * 190,
            "*".join(["9999999999"] * 15),
            "(" * 90 + "1" + ")" * 90,
            "-" * 150 + "1",
            "1+" * 150,
        ],
    )
    def test_refuses_anything_else(self, expression: str) -> None:
        with pytest.raises(ToolRefused) as caught:
            calculate(expression)

        assert caught.value.rule == "retail.not_arithmetic"

    @settings(max_examples=200, deadline=None)
    @given(st.text(alphabet="0123456789.+-*/() x", max_size=40))
    def test_never_breaks(self, expression: str) -> None:
        try:
            assert "." in calculate(expression)
        except ToolRefused as refusal:
            assert refusal.rule  # noqa: PT017 - either way is fine
