"""What was spent: tiles, one chart and its table; the whole state of the page is in its URL."""

import csv
import io
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_GET

from console.kernel.http import actor_of, read, requires, show
from console.kernel.ranges import DAYS, span_of
from console.kernel.spans import Span
from costs import commands, figures, queries
from costs.cards import CostCard, DayBar, SpendCard, SpendRow
from costs.forms import SpendForm, group_of
from costs.states import GroupBy

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
EXPORT_MOST: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What the URL says."""

    span: Span
    group: GroupBy
    agent: str

    def query(self, **other: str) -> str:
        """Return the URL's query, with some of it changed; empty values are left out."""
        values = {
            "from": self.span.first.isoformat(),
            "to": self.span.last.isoformat(),
            "group": self.group.value,
            "agent": self.agent,
        }
        return urlencode({name: value for name, value in (values | other).items() if value})

    def last_days(self, days: int) -> str:
        return self.query(**{"from": "", "to": "", "days": str(days)})


@requires("costs.view")
@require_GET
def spend(request: HttpRequest) -> HttpResponse:
    """Show spend by agent, run or day."""
    asked = _asked(request)
    card = queries.overview(
        actor=actor_of(request), span=asked.span, group_by=asked.group, agent=asked.agent
    )
    context = {
        "card": card.spend,
        "agent": card.agent,
        "rows": [(row, _link(asked, row)) for row in card.spend.rows],
        "bars": [_bar(bar) for bar in card.bars],
        "presets": [(days, asked.last_days(days)) for days in DAYS],
        "length": asked.span.length,
        "groups": [(one.value, asked.query(group=one.value)) for one in GroupBy],
        "all_agents": asked.query(agent=""),
        "query": asked.query(),
        "change": _change(card.spend),
        "calls_note": f"of {card.spend.total.calls} calls in {card.spend.total.runs} runs",
        "bar_columns": ("Day", "Agent", "Known USD", "Calls without price"),
        "bar_numeric": (2, 3),
    }
    return show(request, "costs/spend.html", context)


@requires("costs.view")
@require_GET
def figure(request: HttpRequest) -> HttpResponse:
    """Give the chart of the same range as JSON for Plotly."""
    asked = _asked(request)
    bars = queries.days(actor=actor_of(request), span=asked.span, agent=asked.agent)
    answer = JsonResponse(figures.spend_per_day(bars, asked.span))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@requires("costs.view")
@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """Give the table as a file; that it left the console is recorded."""
    asked = _asked(request)
    card = commands.export_spend(
        actor=actor_of(request),
        span=asked.span,
        group_by=asked.group,
        agent=asked.agent,
        limit=EXPORT_MOST,
    )
    name = f"spend-{asked.group.value}-{asked.span.first}-{asked.span.last}.csv"
    answer = HttpResponse(_csv(card), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _asked(request: HttpRequest) -> _Asked:
    values = read(SpendForm, request.GET.dict())
    span = span_of(values, today=queries.today(actor=actor_of(request)))
    return _Asked(span=span, group=group_of(values), agent=values["agent"])


def _link(asked: _Asked, row: SpendRow) -> str:
    """Lead from a row to what it is the sum of."""
    match asked.group:
        case GroupBy.AGENT:
            return "?" + asked.query(group=GroupBy.RUN.value, agent=row.key)
        case GroupBy.DAY:
            return "?" + asked.query(**{"from": row.key, "to": row.key, "group": "agent"})
        case GroupBy.RUN:
            with suppress(NoReverseMatch):
                return reverse("runs:detail", args=[row.key])
    return ""


def _change(card: SpendCard) -> str:
    percent = card.change_percent
    return "" if percent is None else f"{percent:+} %"


def _bar(bar: DayBar) -> tuple[str, str, str, str]:
    return bar.day.isoformat(), bar.agent, format(bar.known_usd, "f"), str(bar.unpriced_calls)


def _csv(card: SpendCard) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    head = (card.group_by.value, "runs", "calls", "calls without price", "tokens in", "tokens out")
    writer.writerow((*head, "known usd", "usd"))
    for row in card.rows:
        writer.writerow((_cell(row.label), *_figures(row.totals)))
    writer.writerow(("total", *_figures(card.total)))
    return out.getvalue()


def _figures(totals: CostCard) -> tuple[str, ...]:
    counts = (
        totals.runs,
        totals.calls,
        totals.unpriced_calls,
        totals.input_tokens,
        totals.output_tokens,
    )
    exact = "unknown" if totals.cost_usd is None else format(totals.cost_usd, "f")
    return (*(str(count) for count in counts), format(totals.known_usd, "f"), exact)


def _cell(text: str) -> str:
    """Keep a spreadsheet from running a name as a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text
