"""How deciding goes: tiles, one chart, and tables; the whole state of the page is its address."""

from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from approvals import figures, queries
from approvals.cards import DayTally, MetricsCard
from approvals.forms import MetricsForm
from approvals.queries import By
from console.kernel import clock
from console.kernel.http import actor_of, read, requires, show
from console.kernel.ranges import DAYS, span_of
from console.kernel.spans import Span

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86400


@requires("approvals.view")
@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Show what was held in a range of days, how it ended, and how long people took."""
    span, by = _asked(request)
    card = queries.metrics(actor=actor_of(request), span=span, by=by)
    context = {
        "card": card,
        "by": by.value,
        "rows": [(row.key, _cells(row.tally)) for row in card.rows],
        "columns": _COLUMNS,
        "reviewers": [(row, duration(row.median_s), duration(row.p95_s)) for row in card.reviewers],
        "median": duration(card.total.median_s),
        "p95": duration(card.total.p95_s),
        "share": _share(card),
        "groups": [(one.value, _query(span, one)) for one in By],
        "presets": [(days, urlencode({"days": days, "by": by.value})) for days in DAYS],
        "query": _query(span, by),
        "bars": [_bar(day) for day in card.days],
        "bar_columns": ("Day", "Approved", "Rejected", "Expired"),
        "bar_numeric": (1, 2, 3),
    }
    return show(request, "approvals/metrics.html", context)


@requires("approvals.view")
@require_GET
def metrics_figure(request: HttpRequest) -> HttpResponse:
    """Give the chart of the same range as JSON for Plotly."""
    span, by = _asked(request)
    card = queries.metrics(actor=actor_of(request), span=span, by=by)
    answer = JsonResponse(figures.settled_per_day(card.days))
    answer.headers["Cache-Control"] = "no-store"
    return answer


def duration(seconds: float | None) -> str:
    """Return a time to decide in words; "" when nobody decided anything."""
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


_COLUMNS: Final = (
    ("held", "Held", "Waited for people"),
    ("approved", "Approved", ""),
    ("edited", "Edited", "Somebody changed the arguments; also counted as it ended"),
    ("rejected", "Rejected", ""),
    ("expired", "Expired", "Nobody decided in time, or it was not run in time"),
    ("stale", "Stale", "The target changed meanwhile; also counted as it ended"),
    ("withdrawn", "Withdrawn", "Taken back, or replaced by a newer request"),
    ("waiting", "Waiting", "Not decided yet"),
    ("automatic", "Automatic", "A rule or a standing approval agreed; nobody was asked"),
    ("blocked", "Blocked", "A rule refused; nobody was asked"),
)


def _cells(tally: Any) -> list[Any]:
    counts = [getattr(tally, name) for name, _, _ in _COLUMNS]
    return [*counts, duration(tally.median_s), duration(tally.p95_s)]


def _share(card: MetricsCard) -> str:
    decided = card.total.approved + card.total.rejected
    return f"{100 * card.total.rejected / decided:.0f} %" if decided else ""


def _bar(day: DayTally) -> tuple[str, str, str, str]:
    return day.day.isoformat(), str(day.approved), str(day.rejected), str(day.expired)


def _asked(request: HttpRequest) -> tuple[Span, By]:
    values = read(MetricsForm, request.GET.dict())
    return span_of(values, today=clock.now().date()), By(values.get("by") or By.TOOL)


def _query(span: Span, by: By) -> str:
    return urlencode({"from": span.first.isoformat(), "to": span.last.isoformat(), "by": by.value})
