"""Reads of the meter room: prices, what a run cost, and spend by agent, run or day."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import (
    CharField,
    Count,
    DateField,
    F,
    Max,
    Q,
    QuerySet,
    Sum,
)
from django.db.models.functions import Cast, TruncDate

from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.spans import Span
from console.kernel.transactions import query
from costs.cards import CostCard, DayBar, LineCard, OverviewCard, SpendCard, SpendRow
from costs.models import KNOWN, Price, PriceFactor, UsageLine
from costs.money import ZERO, rounded
from costs.pricing import Book
from costs.states import PROMPT_CLASSES, Basis, GroupBy, TokenClass

ROWS_SHOWN: Final = 200
_books: dict[int, Book] = {}  # by the newest import; rows are never changed, so it cannot be stale


def price_book() -> Book:
    """Return all prices and factors; inside a command or query only."""
    with connection.cursor() as cursor:
        # Every model call asks this, and the ORM's aggregate costs three times as much.
        cursor.execute("SELECT max(id) FROM costs_price_import")
        newest = cursor.fetchone()[0] or 0
    book = _books.get(newest)
    if book is None:
        book = Book(
            rates=[row.value() for row in Price.objects.order_by("id")],
            multipliers=[row.value() for row in PriceFactor.objects.order_by("id")],
        )
        _books.clear()
        _books[newest] = book
    return book


@query
def run_cost(*, actor: Actor, run_id: UUID) -> CostCard:
    """What one run has cost so far; the amount is None while some of it is unknown."""
    lines = UsageLine.objects.filter(tenant_id=actor.tenant_id, run_id=run_id)
    return _totals(lines.aggregate(**_SUMS))


@query
def run_costs(*, actor: Actor, run_ids: list[UUID]) -> dict[UUID, CostCard]:
    """What several runs have cost, in one read, for a list of runs."""
    lines = UsageLine.objects.filter(tenant_id=actor.tenant_id, run_id__in=run_ids)
    rows = lines.values("run_id").annotate(**_SUMS)
    return {row["run_id"]: _totals(row) for row in rows}


@query
def today(*, actor: Actor) -> date:  # noqa: ARG001 - every query names its actor
    """The day it is in UTC, the zone of all billing."""
    return clock.now().date()


@query
def spend(
    *, actor: Actor, span: Span, group_by: GroupBy, agent: str = "", limit: int = ROWS_SHOWN
) -> SpendCard:
    """Spend of whole days in UTC, dearest first (days: newest first), with the range before it.

    Args:
        agent: the slug of the only agent that is meant, or "" for all.
    """
    lines = _within(actor, span, agent)
    grouped = lines.annotate(key=_KEYS[group_by]).values("key").annotate(**_SUMS)
    order = ["-key"] if group_by is GroupBy.DAY else [F("known").desc(nulls_last=True), "key"]
    rows = [
        SpendRow(key=str(row["key"]), label=str(row["key"]), totals=_totals(row))
        for row in grouped.order_by(*order)[:limit]
    ]
    unknown = lines.exclude(basis__in=KNOWN).values_list("model", flat=True)
    return SpendCard(
        span=span,
        group_by=group_by,
        total=_totals(lines.aggregate(**_SUMS)),
        previous=_totals(_within(actor, before(span), agent).aggregate(**_SUMS)),
        rows=tuple(rows),
        groups=grouped.count(),
        unpriced_models=tuple(unknown.distinct().order_by("model")[:20]),
        priced_to=_newest_price(),
        as_of=clock.now(),
    )


@query
def days(*, actor: Actor, span: Span, agent: str = "") -> tuple[DayBar, ...]:
    """What each agent cost on each day, for the chart and its table."""
    lines = _within(actor, span, agent).annotate(day=_KEYS[GroupBy.DAY])
    grouped = lines.values("day", "agent").annotate(**_SUMS).order_by("day", "agent")
    rows: list[dict[str, Any]] = [dict(row) for row in grouped]
    return tuple(
        DayBar(
            day=row["day"],
            agent=row["agent"],
            known_usd=_totals(row).known_usd,
            unpriced_calls=row["unpriced"],
        )
        for row in rows
    )


@query
def usage_lines(
    *,
    actor: Actor,
    run_id: UUID | None = None,
    agent: str = "",
    before: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> tuple[LineCard, ...]:
    """Usage lines, newest first; `before` is the key (admitted_at, id) of the last one seen."""
    lines = UsageLine.objects.filter(tenant_id=actor.tenant_id)
    if run_id is not None:
        lines = lines.filter(run_id=run_id)
    if agent:
        lines = lines.filter(agent=agent)
    if before is not None:
        admitted_at, line_id = before
        lines = lines.filter(
            Q(admitted_at__lt=admitted_at) | Q(admitted_at=admitted_at, pk__lt=line_id)
        )
    return tuple(line.card() for line in lines.order_by("-admitted_at", "-id")[:limit])


def before(span: Span) -> Span:
    """Return the range of the same length that ends the day before."""
    length = span.last - span.first + timedelta(days=1)
    return Span(first=span.first - length, last=span.first - timedelta(days=1))


@query
def overview(*, actor: Actor, span: Span, group_by: GroupBy, agent: str = "") -> OverviewCard:
    """Everything that the spend page shows, as of one moment."""
    return OverviewCard(
        spend=spend(actor=actor, span=span, group_by=group_by, agent=agent),
        bars=days(actor=actor, span=span, agent=agent),
        agent=agent,
    )


def _within(actor: Actor, span: Span, agent: str = "") -> QuerySet[UsageLine]:
    start = datetime.combine(span.first, time.min, tzinfo=UTC)
    end = datetime.combine(span.last + timedelta(days=1), time.min, tzinfo=UTC)
    lines = UsageLine.objects.filter(
        tenant_id=actor.tenant_id, admitted_at__gte=start, admitted_at__lt=end
    )
    return lines.filter(agent=agent) if agent else lines


def _newest_price() -> date | None:
    now = clock.now()
    newest = Price.objects.filter(effective_from__lte=now).aggregate(at=Max("effective_from"))["at"]
    return newest.date() if newest else None


_KEYS: Final[Mapping[GroupBy, Any]] = {
    GroupBy.AGENT: F("agent"),
    GroupBy.RUN: Cast("run_id", CharField()),
    GroupBy.DAY: TruncDate("admitted_at", tzinfo=UTC, output_field=DateField()),
}
_SUMS: Final[Mapping[str, Any]] = {
    "known": Sum("cost_usd"),
    "lines_without": Count("id", filter=~Q(basis__in=KNOWN)),
    "unpriced": Count("call_id", distinct=True, filter=~Q(basis__in=KNOWN)),
    "calls": Count("call_id", distinct=True),
    "model_calls": Count("call_id", distinct=True, filter=~Q(basis=Basis.NO_MODEL)),
    "runs": Count("run_id", distinct=True),
    "tokens_in": Sum("units", filter=Q(token_class__in=PROMPT_CLASSES)),
    "tokens_out": Sum("units", filter=Q(token_class=TokenClass.OUTPUT)),
}


def _totals(sums: Mapping[str, Any]) -> CostCard:
    known: Decimal = rounded(sums["known"]) if sums["known"] is not None else ZERO
    return CostCard(
        cost_usd=None if sums["lines_without"] else known,
        known_usd=known,
        runs=sums["runs"],
        calls=sums["calls"],
        model_calls=sums["model_calls"],
        unpriced_calls=sums["unpriced"],
        input_tokens=sums["tokens_in"] or 0,
        output_tokens=sums["tokens_out"] or 0,
    )
