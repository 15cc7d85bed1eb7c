"""Duties: decisions that somebody looks at once more, with the exact change as it was decided."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from approvals import commands, queries
from approvals.cards.reviewing import ReviewTaskCard, ReviewTaskDetail
from approvals.forms import NothingForm
from approvals.forms.reviewing import CloseDutyForm, DutiesForm
from approvals.states import ReviewKind, ReviewVerdict
from approvals.views.changes import ALL, Address, Change
from console.accounts.states import Permission
from console.kernel.errors import ConsoleError, NotFound
from console.kernel.http import actor_of, read, requires, show
from console.kernel.rest.pages import read_cursor, write_cursor

PER_PAGE: Final = 50
_CURSOR: Final = (datetime, UUID)
_KINDS: Final = {
    ReviewKind.BREAK_GLASS: ("stop", "Break-glass"),
    ReviewKind.SAMPLE: ("info", "Sample"),
}
_VERDICTS: Final = {
    ReviewVerdict.AGREE: ("clear", "Agreed"),
    ReviewVerdict.DISAGREE: ("stop", "Disagreed"),
}
_RAN: Final[Mapping[str, str]] = {
    "claimed": "handed over to execution; not reported yet",
    "succeeded": "executed",
    "failed": "tried; the change is not there",
    "unknown": "tried; nobody knows whether the change is there",
}


@requires("")
@require_http_methods(["GET", "HEAD"])
def duties(request: HttpRequest) -> HttpResponse:
    """List what waits to be looked at, or what was."""
    asked = read(DutiesForm, request.GET)
    actor = actor_of(request)
    found = queries.review_tasks(
        actor=actor,
        closed=bool(asked["show"]),
        before=read_cursor(asked["after"], _CURSOR) if asked["after"] else None,
        limit=PER_PAGE + 1,
    )
    shown = found[:PER_PAGE]
    last = shown[-1] if found[PER_PAGE:] else None
    following = write_cursor((last.opened_at, last.id), _CURSOR) if last else ""
    context = {
        "lines": [_line(one) for one in shown],
        "closed": bool(asked["show"]),
        "rows_query": _query(asked, part="rows"),
        "older_url": f"?{_query(asked, after=following)}" if following else "",
        "newer_url": f"?{_query(asked, after='')}" if asked["after"] else "",
        "may_lend": actor.has(Permission.ACCOUNTS_MANAGE),
    }
    return show(request, "approvals/duties.html", context)


@requires("")
@require_http_methods(["GET", "HEAD"])
def duty(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Show one of them."""
    read(NothingForm, request.GET)
    return _page(request, task_id, None)


@requires("")
@require_POST
def close_duty(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Take one answer; a refusal shows the page again with what was typed."""
    try:
        values = read(CloseDutyForm, request.POST)
        commands.close_review_task(
            actor=actor_of(request),
            task_id=task_id,
            verdict=ReviewVerdict(values["verdict"]),
            note=values["note"],
        )
    except NotFound:
        raise
    except ConsoleError as refusal:
        return _page(request, task_id, refusal)
    messages.success(request, "Recorded.", extra_tags="clear")
    return redirect("approvals:duty", task_id)


def _page(request: HttpRequest, task_id: UUID, refusal: ConsoleError | None) -> HttpResponse:
    found = queries.review_task(actor=actor_of(request), task_id=task_id)
    wrong: Any = refusal.details.get("fields", {}) if refusal else {}
    context = {
        **_line(found.card),
        "found": found,
        "change": Change(found.diff, Address(opened=ALL), anchors=False).context(),
        "ran": _ran(found),
        "refusal": refusal,
        "wrong": wrong,
        "typed": request.POST.dict() if refusal else {},
    }
    response = show(
        request, "approvals/duty.html", context, status=refusal.status if refusal else 200
    )
    if refusal:
        response.refusal = refusal  # type: ignore[attr-defined]  # audit/middleware.py records it
    return response


def _ran(found: ReviewTaskDetail) -> str:
    if found.ran:
        return _RAN[found.ran]
    return "nothing; the approval counts no more" if found.voided_at else "nothing yet"


def _line(card: ReviewTaskCard) -> dict[str, Any]:
    signal, word = _KINDS[card.kind]
    verdict_signal, verdict = _VERDICTS[card.verdict] if card.verdict else ("caution", "Open")
    return {
        "card": card,
        "signal": signal,
        "word": word,
        "verdict_signal": verdict_signal,
        "verdict": verdict,
    }


def _query(asked: Mapping[str, Any], **other: str) -> str:
    values = {"show": asked["show"], "after": asked["after"], **other}
    return urlencode({name: value for name, value in values.items() if value})
