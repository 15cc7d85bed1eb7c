"""Prices to the last digit: the golden vectors of the design, and the edges around them."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from costs import pricing
from costs.cards import Usage
from costs.errors import BadPriceList, ImplausiblePrice
from costs.pricing import Book, Rate
from costs.states import Basis, TokenClass

PRICES = Path(pricing.__file__).with_name("prices.json")
DAY = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPUS, HAIKU, FABLE = "claude-opus-5-5", "claude-haiku-5-5", "claude-fable-5-2"
G1: dict[str, Any] = {
    "input_tokens": 1_000,
    "write_5m": 1_000,
    "write_1h": 2_000,
    "read": 10_000,
    "output_tokens": 500,
}
SMALL: dict[str, Any] = {"input_tokens": 1_000, "output_tokens": 500}


@pytest.fixture(scope="module")
def book() -> Book:
    listed = pricing.parse(json.loads(PRICES.read_text()))
    return Book(rates=listed.rates, multipliers=listed.multipliers)


def usage(**values: Any) -> Usage:
    return Usage(**{"input_tokens": 0, "output_tokens": 0, **values})


def price(book: Book, model: str, at: datetime = DAY, /, **values: Any) -> Decimal | None:
    found = pricing.lines(book, usage(**values), provider="anthropic", model=model, at=at)
    return pricing.cost(found)


class TestGoldenVectors:
    @pytest.mark.parametrize(
        ("name", "model", "values", "usd"),
        [
            ("G1", OPUS, G1, "0.037"),
            ("G2", OPUS, {**G1, "fast": True}, "0.074"),
            ("G3a", HAIKU, {"input_tokens": 100_000, "output_tokens": 1_000}, "0.0105"),
            ("G3b", HAIKU, {"input_tokens": 100_001, "output_tokens": 1_000}, "0.0525005"),
            (
                "G4",
                HAIKU,
                {"input_tokens": 10_000, "read": 95_000, "output_tokens": 1_000},
                "0.01225",
            ),
            (
                "G5",
                HAIKU,
                {"input_tokens": 10, "write_1h": 110_000, "output_tokens": 1_000},
                "0.112505",
            ),
            ("G6", FABLE, SMALL, "0.028"),
            ("G7", OPUS, {**SMALL, "batch": True}, "0.007"),
            ("G8", OPUS, {**SMALL, "us_only": True}, "0.0154"),
            ("G9", OPUS, {**SMALL, "web_searches": 3}, "0.044"),
            ("G10", HAIKU, {"read": 1, "batch": True, "us_only": True}, "0.0000000055"),
            ("G11", HAIKU, {"input_tokens": 40, "output_tokens": 3}, "0.0000055"),
        ],
    )
    def test_to_the_last_digit(
        self, book: Book, name: str, model: str, values: dict[str, Any], usd: str
    ) -> None:
        assert price(book, model, **values) == Decimal(usd), name


class TestLines:
    def test_add_up_to_the_call(self, book: Book) -> None:
        found = pricing.lines(book, usage(**G1), provider="anthropic", model=OPUS, at=DAY)

        assert [line.token_class for line in found] == [
            TokenClass.INPUT,
            TokenClass.WRITE_5M,
            TokenClass.WRITE_1H,
            TokenClass.READ,
            TokenClass.OUTPUT,
        ]
        assert sum(line.cost_usd or 0 for line in found) == Decimal("0.037")

    @pytest.mark.parametrize(
        "model",
        ["claude-opus-4.1", "claude-opus-5-9", "gpt-9", "claude-opus", "claude-opus-5-5-extra"],
    )
    def test_of_a_model_without_price_are_unknown_not_zero(self, book: Book, model: str) -> None:
        found = pricing.lines(book, usage(**SMALL), provider="anthropic", model=model, at=DAY)

        assert pricing.cost(found) is None
        assert {line.basis for line in found} == {Basis.UNPRICED}

    @pytest.mark.parametrize("model", ["claude-opus-5-5-20260901", "claude-opus-5-5@20260901"])
    def test_of_a_dated_snapshot_cost_what_the_model_costs(self, book: Book, model: str) -> None:
        assert price(book, model, **SMALL) == Decimal("0.014")

    def test_of_another_provider_are_unknown(self, book: Book) -> None:
        found = pricing.lines(book, usage(**SMALL), provider="elsewhere", model=OPUS, at=DAY)

        assert pricing.cost(found) is None

    @pytest.mark.parametrize("provider", ["rules", "scripted"])
    def test_without_a_language_model_cost_nothing_and_say_so(
        self, book: Book, provider: str
    ) -> None:
        (line,) = pricing.lines(book, usage(), provider=provider, model="", at=DAY)

        assert (line.units, line.cost_usd, line.basis) == (0, Decimal(0), Basis.NO_MODEL)

    def test_of_a_class_without_price_make_the_call_unknown(self, book: Book) -> None:
        assert price(book, OPUS, **SMALL, code_executions=1) is None

    def test_of_terms_without_factor_make_the_call_unknown(self, book: Book) -> None:
        assert price(book, "claude-haiku-4-5", **SMALL, fast=True) is None
        assert price(book, "claude-haiku-4-5", **SMALL, us_only=True) is None

    @pytest.mark.parametrize("missing", ["input_tokens", "read", "output_tokens"])
    def test_that_the_provider_did_not_report_are_unknown(self, book: Book, missing: str) -> None:
        found = pricing.lines(
            book, usage(**{**G1, missing: None}), provider="anthropic", model=OPUS, at=DAY
        )

        assert pricing.cost(found) is None
        assert Basis.UNREPORTED in {line.basis for line in found}

    def test_of_nothing_are_one_line_of_zero_units(self, book: Book) -> None:
        (line,) = pricing.lines(book, usage(), provider="anthropic", model=OPUS, at=DAY)

        assert (line.units, line.cost_usd) == (0, Decimal(0))


class TestDates:
    def test_a_price_change_counts_from_its_day(self, book: Book) -> None:
        million: dict[str, Any] = {"read": 1_000_000}

        before = price(
            book, "claude-sonnet-5-5", datetime(2026, 10, 6, 23, 59, tzinfo=UTC), **million
        )
        after = price(book, "claude-sonnet-5-5", datetime(2026, 10, 7, tzinfo=UTC), **million)

        assert (before, after) == (Decimal("0.20"), Decimal("0.10"))

    def test_a_withdrawn_tier_falls_back_to_the_base(self, book: Book) -> None:
        million: dict[str, Any] = {"input_tokens": 1_000_000}

        dear = price(book, "claude-sonnet-4-5", datetime(2026, 4, 29, tzinfo=UTC), **million)
        plain = price(book, "claude-sonnet-4-5", datetime(2026, 5, 1, tzinfo=UTC), **million)

        assert (dear, plain) == (Decimal(6), Decimal(3))

    def test_a_withdrawn_factor_makes_fast_unknown(self, book: Book) -> None:
        fast = {**SMALL, "fast": True}

        assert price(book, "claude-opus-4-8", DAY, **fast) == Decimal("0.035")
        assert price(book, "claude-opus-4-8", datetime(2026, 12, 1, tzinfo=UTC), **fast) is None

    def test_before_the_first_price_nothing_is_known(self, book: Book) -> None:
        assert price(book, OPUS, datetime(2025, 1, 1, tzinfo=UTC), **SMALL) is None


class TestBookRate:
    def test_of_two_equal_rows_the_later_import_counts(self) -> None:
        rows = [_rate("1", batch_no=1), _rate("2", batch_no=2)]

        found = Book(rates=rows).rate("p", "m", TokenClass.INPUT, prompt=1, at=DAY)

        assert found is not None
        assert found.rate == Decimal(2)

    def test_the_longest_model_counts_before_a_star(self) -> None:
        rows = [_rate("1", model="*"), _rate("2", model="m")]

        found = Book(rates=rows).rate("p", "m", TokenClass.INPUT, prompt=1, at=DAY)

        assert found is not None
        assert found.rate == Decimal(2)


class TestParse:
    @pytest.mark.parametrize(
        "change",
        [
            {"format": "other"},
            {"currency": "EUR"},
            {"prices": [{"model": "m", "effective_from": "2026-01-01T00:00:00Z"}]},
            {"prices": "no list"},
            {"prices": [{"model": "m", "effective_from": "2026-01-01", "rates": {"input": "1"}}]},
        ],
    )
    def test_refuses_another_form(self, change: dict[str, Any]) -> None:
        with pytest.raises(BadPriceList):
            pricing.parse({**_document({}), **change})

    @pytest.mark.parametrize("rate", ["-1", "0.0000001", "NaN", "Infinity", "1,5", 1, True, ""])
    def test_refuses_impossible_rates(self, rate: object) -> None:
        with pytest.raises(BadPriceList):
            pricing.parse(_document({"input": rate}))

    @pytest.mark.parametrize("document", [None, 1, [], "text", {}])
    def test_refuses_what_is_no_document(self, document: object) -> None:
        with pytest.raises(BadPriceList):
            pricing.parse(document)


class TestRequirePlausible:
    @pytest.mark.parametrize("rate", ["0", "0.000999", "1000.1"])
    def test_refuses_what_looks_like_a_slip_of_the_unit(self, rate: str) -> None:
        with pytest.raises(ImplausiblePrice):
            pricing.require_plausible([_rate(rate)], Book(rates=[_rate("1")]))

    def test_lets_a_change_and_a_withdrawal_pass(self) -> None:
        withdrawn = Rate(
            provider="p", model="m", token_class=TokenClass.INPUT, rate=None, effective_from=DAY
        )

        pricing.require_plausible([_rate("1.2"), withdrawn], Book(rates=[_rate("1")]))


def _rate(rate: str, *, model: str = "m", batch_no: int = 0) -> Rate:
    return Rate(
        provider="p",
        model=model,
        token_class=TokenClass.INPUT,
        rate=Decimal(rate),
        effective_from=DAY,
        batch_no=batch_no,
    )


def _document(rates: dict[str, object]) -> dict[str, Any]:
    return {
        "format": pricing.FORMAT,
        "provider": "p",
        "currency": "USD",
        "source": "a test",
        "prices": [{"model": "m", "effective_from": "2026-01-01T00:00:00Z", "rates": rates}],
        "multipliers": [],
    }
