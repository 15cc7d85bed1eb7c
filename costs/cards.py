"""Frozen values that go into and leave the meter room."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from console.kernel.spans import Span
from costs.states import Basis, Factor, GroupBy, TokenClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one model call used, as the provider reported it; `None` means it did not say.

    `input_tokens` leaves out what was read from or written to a cache, as Anthropic reports it;
    the prompt is the sum of all four. `write_5m` and `write_1h` are the split, not the flat sum.
    """

    input_tokens: int | None
    output_tokens: int | None
    write_5m: int | None = 0
    write_1h: int | None = 0
    read: int | None = 0
    web_searches: int | None = 0
    code_executions: int | None = 0
    batch: bool = False
    fast: bool = False
    us_only: bool = False

    def units(self) -> dict[TokenClass, int | None]:
        return {
            TokenClass.INPUT: self.input_tokens,
            TokenClass.WRITE_5M: self.write_5m,
            TokenClass.WRITE_1H: self.write_1h,
            TokenClass.READ: self.read,
            TokenClass.OUTPUT: self.output_tokens,
            TokenClass.WEB_SEARCH: self.web_searches,
            TokenClass.CODE_EXECUTION: self.code_executions,
        }

    def factors(self) -> tuple[Factor, ...]:
        asked = (
            (self.batch, Factor.BATCH),
            (self.fast, Factor.FAST),
            (self.us_only, Factor.US_ONLY),
        )
        return tuple(kind for wanted, kind in asked if wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageCard:
    """What one model call came to."""

    call_id: UUID
    cost_usd: Decimal | None  # 12 places; None while a price or the usage is unknown
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCard:
    """One usage line, as it was booked."""

    id: UUID
    call_id: UUID
    run_id: UUID
    agent: str
    provider: str
    model: str
    token_class: TokenClass
    units: int | None
    rate_usd: Decimal | None
    per_units: int | None
    multiplier: Decimal | None
    cost_usd: Decimal | None
    basis: Basis
    admitted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CostCard:
    """Totals over some calls.

    `cost_usd` is None as soon as one line has no known amount; `known_usd` is what the others add
    up to.
    """

    cost_usd: Decimal | None
    known_usd: Decimal
    runs: int
    calls: int
    model_calls: int  # calls that a language model answered
    unpriced_calls: int  # calls without a known amount
    input_tokens: int  # the whole prompt, cached parts too
    output_tokens: int

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    @property
    def only_rules(self) -> bool:
        """Say whether no language model answered: the zero is then a real zero."""
        return self.calls > 0 and self.model_calls == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendRow:
    """One row of the spend table: an agent, a run or a day."""

    key: str
    label: str
    totals: CostCard


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendCard:
    """Spend of a range, grouped; `rows` may be cut, `total` and `groups` never are."""

    span: Span
    group_by: GroupBy
    total: CostCard
    previous: CostCard  # the range of the same length before
    rows: tuple[SpendRow, ...]
    groups: int
    unpriced_models: tuple[str, ...]
    priced_to: date | None  # effective date of the newest price
    as_of: datetime

    @property
    def cut(self) -> bool:
        """Say whether rows are left out; the totals never leave any out."""
        return len(self.rows) < self.groups

    @property
    def change_percent(self) -> Decimal | None:
        """Spend against the range before, in whole percent; None where it cannot be said."""
        now, then = self.total.cost_usd, self.previous.cost_usd
        if now is None or not then:
            return None
        return ((now - then) * 100 / then).quantize(Decimal(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class DayBar:
    """One bar segment of the chart: what one agent cost on one day."""

    day: date
    agent: str
    known_usd: Decimal
    unpriced_calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewCard:
    """The spend page: the grouped table, and the bars of its chart."""

    spend: SpendCard
    bars: tuple[DayBar, ...]
    agent: str  # the only agent that is meant, or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCard:
    """What an import of prices did."""

    batch_no: int
    added: int
    repeated: bool  # the same list was imported before; nothing was added
