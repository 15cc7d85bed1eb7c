"""What a version in the shadow said day by day: the drawing and the file beside its table."""

import csv
import io
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from approvals import figures, queries
from approvals.cards import ShadowDay, ShadowTally
from approvals.forms import NothingForm
from console.kernel.http import actor_of, read, requires

DAYS: Final = 30
COLUMNS: Final = (
    "Day",
    "Held",
    "Held, shadow",
    "Let run",
    "Let run, shadow",
    "Denied",
    "Denied, shadow",
)
NUMERIC: Final = tuple(range(1, len(COLUMNS)))


@requires("approvals.view")
@require_GET
def shadow_figure(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Give the chart as JSON for Plotly."""
    answer = JsonResponse(figures.shadow_per_day(_tally(request, version_id).days))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@requires("approvals.view")
@require_GET
def shadow_file(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Give the table as a file; it holds counts alone."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows(row_of(day) for day in _tally(request, version_id).days)
    answer = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="shadow-{version_id}.csv"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def row_of(day: ShadowDay) -> tuple[Any, ...]:
    """Return a day as a row of the table."""
    return (
        day.day.isoformat(),
        day.held,
        day.shadow_held,
        day.released,
        day.shadow_released,
        day.denied,
        day.shadow_denied,
    )


def _tally(request: HttpRequest, version_id: UUID) -> ShadowTally:
    read(NothingForm, request.GET)
    actor = actor_of(request)
    queries.version(actor=actor, version_id=version_id)
    return queries.shadow_tally(actor=actor, version_id=version_id, days=DAYS)
