"""How people decide: one's own figures; for who leads the reviewers, everybody's by name."""

from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from approvals import commands, figures, policies, queries
from approvals.cards import AttentionCard, AttentionDay, AttentionRow
from approvals.forms import AttentionForm, CheckForm
from approvals.views.metrics import duration
from console.kernel import clock
from console.kernel.http import actor_of, read, requires, show
from console.kernel.ranges import DAYS, span_of

_PRESETS: Final = DAYS[:2]
_COLUMNS: Final = (
    ("Decisions", "Votes that were cast"),
    ("Median time", "From when all of a change was shown to the vote"),
    ("Too fast", "Share of approvals that came sooner than their change can be read"),
    ("Approved", "Share of all votes"),
    ("Rejected", "Share of all votes"),
    ("An hour", "Votes in an hour in which there was one"),
    ("Busiest hour", "Votes in the busiest hour"),
    ("Checks caught", "Of the planted checks that were answered"),
)

_OF_VOTES: Final = "of your votes"
_NOTES: Final = ("", "from shown to voted", "of your approvals", _OF_VOTES, _OF_VOTES, "", "", "")


@requires("")
@require_GET
def attention(request: HttpRequest) -> HttpResponse:
    """Show how fast, how much and how often people decided in the last days."""
    days, card = _asked(request)
    context = {
        "card": card,
        "days": days,
        "presets": [(one, urlencode({"days": one})) for one in _PRESETS],
        "columns": _COLUMNS,
        "mine": _tiles(card.people[0]) if card.only_mine else (),
        "rows": [(row.name, cells_of(row)) for row in card.people],
        "few": any(0 < row.decisions < card.enough for row in card.people),
        "most": policies.DECISIONS_AN_HOUR,
        "bars": [_bar(day) for day in card.days],
        "bar_columns": ("Day", "Approved", "Approved too fast", "Rejected"),
        "bar_numeric": (1, 2, 3),
        "voted": any(row.decisions for row in card.people),
    }
    return show(request, "approvals/attention.html", context)


@requires("")
@require_GET
def attention_figure(request: HttpRequest) -> HttpResponse:
    """Give the chart of the same days as JSON for Plotly."""
    _days, card = _asked(request)
    answer = JsonResponse(figures.voted_per_day(card.days))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@requires("policies.manage")
@require_POST
def switch_checks(request: HttpRequest) -> HttpResponse:
    """Plant checks from now on, or no more."""
    values = read(CheckForm, request.POST)
    card = commands.switch_checks(actor=actor_of(request), is_on=values["checks"] == "on")
    if card.blocked:
        said = "People were asked for the same within the last day and rejected it."
        messages.error(request, f"Nobody is asked again. {said}")
    return redirect(f"{reverse('approvals:attention')}#checks")


def cells_of(row: AttentionRow) -> list[str]:
    """Return the figures of one person as text; "" is unknown."""
    return [
        str(row.decisions),
        duration(row.median_s),
        _percent(row.too_fast_share),
        _percent(row.approval_share),
        _percent(row.reject_share),
        "" if row.per_hour is None else f"{row.per_hour:g}",
        str(row.busiest) if row.decisions else "",
        f"{row.checks_caught} of {row.checks}" if row.checks else "",
    ]


def _tiles(row: AttentionRow) -> list[tuple[str, str | None, str]]:
    """Return label, value and note of each figure; None is unknown."""
    return [
        (title, cell or None, note)
        for (title, _why), cell, note in zip(_COLUMNS, cells_of(row), _NOTES, strict=True)
    ]


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"


def _bar(day: AttentionDay) -> tuple[str, str, str, str]:
    return day.day.isoformat(), str(day.in_time), str(day.too_fast), str(day.rejected)


def _asked(request: HttpRequest) -> tuple[int, AttentionCard]:
    values: dict[str, Any] = read(AttentionForm, request.GET.dict())
    days = values.get("days") or DAYS[0]
    span = span_of({"days": days}, today=clock.now().date())
    return days, queries.attention(actor=actor_of(request), span=span)
