"""From usage and dated prices to lines: pure arithmetic, no tables, no clock.

The rule (costs.md, section 3): every token of a request is billed at the tier of the whole prompt
P = input + write_5m + write_1h + read; a rate is the one of the longest matching model, of the
highest tier below P, the newest in effect when the call was admitted, from the newest import;
multipliers apply to tokens and never to fees.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

from costs.cards import Usage
from costs.errors import BadPriceList, ImplausiblePrice
from costs.money import decimal, exact, rounded
from costs.states import FEES, PROMPT_CLASSES, WITHOUT_MODEL, Basis, Factor, TokenClass

BASE_TIER: Final = -1
ANY_MODEL: Final = "*"
FORMAT: Final = "signalbox-prices-1"
MOST_CHANGE: Final = 1000
# A dated snapshot of a model costs what the model costs: "-20251001" or "@20251001". Any other
# suffix is another model: `claude-opus-5` must not price `claude-opus-5-9`, which nobody has a
# price for.
_SNAPSHOT: Final = re.compile(r"[-@]\d{8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One dated price of one class of one model."""

    provider: str
    model: str  # id of the model, or "*" for every model of the provider
    token_class: TokenClass
    rate: Decimal | None  # US dollars per `per` units; None = withdrawn from that day on
    per: int = 1_000_000
    tier_above: int = BASE_TIER  # applies to prompts of more than this many tokens
    effective_from: datetime
    batch_no: int = 0  # number of the import; of two equal rows the later import counts
    source: str = ""
    row_id: int | None = None  # of the stored price


@dataclass(frozen=True, slots=True, kw_only=True)
class Multiplier:
    """One dated factor for a term of the call."""

    provider: str
    model: str
    kind: Factor
    factor: Decimal | None
    effective_from: datetime
    batch_no: int = 0
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one class of one call comes to; `None` is unknown, never zero."""

    token_class: TokenClass
    units: int | None
    rate: Decimal | None = None
    per: int | None = None
    multiplier: Decimal | None = None
    cost_usd: Decimal | None = None
    price_id: int | None = None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """All prices and factors that are known, of every date."""

    rates: Sequence[Rate]
    multipliers: Sequence[Multiplier] = ()

    def rate(
        self, provider: str, model: str, token_class: TokenClass, *, prompt: int, at: datetime
    ) -> Rate | None:
        """Return the rate in force, or None if this class of this model has no known price."""
        fitting = [
            row
            for row in self.rates
            if row.token_class is token_class
            and row.provider == provider
            and matches(row.model, model)
            and row.effective_from <= at
        ]
        in_force: dict[int, Rate] = {}
        for row in _of_longest_model(fitting):
            known = in_force.get(row.tier_above)
            if known is None or _newer(row, known):
                in_force[row.tier_above] = row
        usable = [row for tier, row in in_force.items() if tier < prompt and row.rate is not None]
        return max(usable, key=lambda row: row.tier_above, default=None)

    def multiplier(
        self, provider: str, model: str, kinds: Iterable[Factor], *, at: datetime
    ) -> Decimal | None:
        """Return the product of the factors, or None if one of them is not known."""
        product = Decimal(1)
        for kind in kinds:
            factor = self._factor(provider, model, kind, at)
            if factor is None:
                return None
            product *= factor
        return product

    def _factor(self, provider: str, model: str, kind: Factor, at: datetime) -> Decimal | None:
        fitting = [
            row
            for row in self.multipliers
            if row.kind is kind
            and row.provider == provider
            and matches(row.model, model)
            and row.effective_from <= at
        ]
        newest = max(
            _of_longest_model(fitting),
            key=lambda row: (row.effective_from, row.batch_no),
            default=None,
        )
        return newest.factor if newest else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """A list of prices as a file states it."""

    provider: str
    source: str
    rates: tuple[Rate, ...]
    multipliers: tuple[Multiplier, ...]


def parse(document: object) -> PriceList:
    """Read a list of prices; every refusal names the entry.

    Raises:
        BadPriceList: the document is not in the form `signalbox-prices-1`, or a price is
        impossible.
    """
    try:
        return _parse(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise BadPriceList(f"This is not a list of prices that can be taken in: {what}.") from error


def _parse(document: Any) -> PriceList:
    if document["format"] != FORMAT or document["currency"] != "USD":
        raise ValueError(f"the form must be {FORMAT} in USD")
    provider, source = str(document["provider"]), str(document["source"])
    rates = tuple(
        Rate(
            provider=provider,
            model=str(entry["model"]),
            token_class=TokenClass(name),
            rate=_amount(amount, f"{entry['model']} {name}"),
            per=int(entry.get("per", 1_000_000)),
            tier_above=int(entry.get("tier_above", BASE_TIER)),
            effective_from=_moment(entry["effective_from"]),
            source=str(entry.get("source", source)),
        )
        for entry in document["prices"]
        for name, amount in entry["rates"].items()
    )
    multipliers = tuple(
        Multiplier(
            provider=provider,
            model=str(model),
            kind=Factor(entry["kind"]),
            factor=_amount(entry["factor"], f"{model} {entry['kind']}"),
            effective_from=_moment(entry["effective_from"]),
            source=str(entry.get("source", source)),
        )
        for entry in document["multipliers"]
        for model in entry["models"]
    )
    return PriceList(provider=provider, source=source, rates=rates, multipliers=multipliers)


def _amount(raw: object, what: str) -> Decimal | None:
    """Read a rate; JSON numbers are refused, because their digits are not what was written."""
    if raw is None:
        return None
    if not isinstance(raw, str):
        raise TypeError(f"{what} must be a decimal in quotes")
    amount = decimal(raw)
    if amount < 0 or not exact(amount / 1_000_000):
        raise ValueError(f"{what} must not be negative and not finer than six places")
    return amount


def _moment(raw: str) -> datetime:
    moment = datetime.fromisoformat(raw)
    if moment.tzinfo is None:
        raise ValueError(f"{raw} must name its time zone")
    return moment


def require_plausible(new: Sequence[Rate], known: Book) -> None:
    """Refuse prices that look like a slip: zero where it was not, or a thousand times another.

    Raises:
        ImplausiblePrice: names the first such price.
    """
    for row in new:
        prompt = row.tier_above + 1
        old = known.rate(
            row.provider, row.model, row.token_class, prompt=prompt, at=row.effective_from
        )
        if old is None or old.rate is None or row.rate is None or old.tier_above != row.tier_above:
            continue
        before, after = old.rate / old.per, row.rate / row.per
        if before and (not after or not before / MOST_CHANGE <= after <= before * MOST_CHANGE):
            raise ImplausiblePrice(
                f"The price of {row.model} {row.token_class} would go from {old.rate} to "
                f"{row.rate}; check the unit, or withdraw the price with null first."
            )


def matches(pattern: str, model: str) -> bool:
    """Say whether a price for `pattern` is a price of `model`."""
    if pattern in {ANY_MODEL, model}:
        return True
    return model.startswith(pattern) and bool(_SNAPSHOT.fullmatch(model[len(pattern) :]))


def lines(book: Book, usage: Usage, *, provider: str, model: str, at: datetime) -> tuple[Line, ...]:
    """Price one call: a line per class that was used, and one line at least.

    `at` is when the call was admitted; a later price change never alters it.
    """
    if provider in WITHOUT_MODEL:
        return (_free(usage),)
    units = usage.units()
    asked = [name for name, count in units.items() if count != 0] or [TokenClass.INPUT]
    if any(units[name] is None for name in PROMPT_CLASSES):
        return tuple(_unreported(name, units[name]) for name in asked)
    prompt = sum(units[name] or 0 for name in PROMPT_CLASSES)
    factor = book.multiplier(provider, model, usage.factors(), at=at)
    return tuple(
        _line(name, units[name], book.rate(provider, model, name, prompt=prompt, at=at), factor)
        for name in asked
    )


def _line(name: TokenClass, units: int | None, rate: Rate | None, factor: Decimal | None) -> Line:
    if units is None:
        return _unreported(name, units)
    multiplier = Decimal(1) if name in FEES else factor
    if rate is None or rate.rate is None or multiplier is None:
        return Line(token_class=name, units=units, basis=Basis.UNPRICED)
    return Line(
        token_class=name,
        units=units,
        rate=rate.rate,
        per=rate.per,
        multiplier=multiplier,
        cost_usd=rounded(units * rate.rate * multiplier / rate.per),
        price_id=rate.row_id,
        basis=Basis.LIST,
    )


def _unreported(name: TokenClass, units: int | None) -> Line:
    """Without the size of the prompt its tier is unknown, and so is every amount."""
    return Line(token_class=name, units=units, basis=Basis.UNREPORTED)


def _free(usage: Usage) -> Line:
    return Line(
        token_class=TokenClass.INPUT,
        units=usage.input_tokens or 0,
        cost_usd=Decimal(0),
        basis=Basis.NO_MODEL,
    )


def cost(found: Iterable[Line]) -> Decimal | None:
    """Return what a call comes to; unknown if any of its lines is."""
    amounts: list[Decimal] = []
    for line in found:
        if line.cost_usd is None:
            return None
        amounts.append(line.cost_usd)
    return rounded(sum(amounts, Decimal(0)))


def _newer(row: Rate, known: Rate) -> bool:
    return (row.effective_from, row.batch_no) > (known.effective_from, known.batch_no)


_Row = TypeVar("_Row", Rate, Multiplier)


def _of_longest_model(rows: Sequence[_Row]) -> list[_Row]:
    """Keep the rows of the most specific model; "*" is the least specific."""
    lengths = [0 if row.model == ANY_MODEL else len(row.model) for row in rows]
    longest = max(lengths, default=0)
    return [row for row, length in zip(rows, lengths, strict=True) if length == longest]
