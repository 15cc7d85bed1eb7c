from decimal import Decimal

import pytest

from costs import money


class TestDecimal:
    @pytest.mark.parametrize("value", [0.1, True, None, b"1"])
    def test_refuses_what_is_not_exact(self, value: object) -> None:
        with pytest.raises(TypeError):
            money.decimal(value)  # type: ignore[arg-type]

    @pytest.mark.parametrize("value", ["", "a", "NaN", "Infinity", "1,5"])
    def test_refuses_what_is_no_number(self, value: str) -> None:
        with pytest.raises(ValueError, match="number"):
            money.decimal(value)


class TestRounded:
    @pytest.mark.parametrize(
        ("raw", "kept"),
        [
            ("0.0000000000005", "0"),
            ("0.0000000000015", "0.000000000002"),
            ("12345678.1234567890125", "12345678.123456789012"),
        ],
    )
    def test_ties_go_to_the_even_digit(self, raw: str, kept: str) -> None:
        assert money.rounded(Decimal(raw)) == Decimal(kept)


class TestTotal:
    def test_one_unknown_makes_the_sum_unknown(self) -> None:
        assert money.total([Decimal(1), None]) is None

    def test_of_nothing_is_zero(self) -> None:
        assert money.total([]) == 0
