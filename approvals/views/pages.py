"""Views of approvals. They read, call one command, and answer."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from approvals import commands, queries
from approvals.cards import ProposalDetail
from approvals.errors import StaleRevision
from approvals.forms import DetailForm, NothingForm, QueueForm, VoteForm
from approvals.queries import View
from approvals.states import Choice
from approvals.views.shown import page_of, queue_row
from console.kernel.errors import BadInput, ConsoleError, NotFound
from console.kernel.http import actor_of, read, requires, show

_TYPED: Final = ("choice", "reason_code", "note", "agent_message")


@requires("")
@require_http_methods(["GET", "HEAD"])
def queue(request: HttpRequest) -> HttpResponse:
    """List proposals: my turn, waiting on others, decided."""
    asked = read(QueueForm, request.GET)
    view = View(asked["view"] or View.MINE)
    page = queries.awaiting_review(
        actor=actor_of(request), view=view, after=asked["after"], as_of=asked["as_of"]
    )
    context = {
        "view": view.value,
        "page": page,
        "rows": [queue_row(row, mine=view is View.MINE) for row in page.rows],
        "as_of": _iso(page.as_of),
        "after": asked["after"],
    }
    return show(request, "approvals/queue.html", context)


@requires("")
@require_http_methods(["GET", "HEAD"])
def following(request: HttpRequest) -> HttpResponse:
    """Go to what waits for the reader first, or to the list if nothing does."""
    page = queries.awaiting_review(actor=actor_of(request), view=View.MINE)
    if page.rows:
        return redirect("approvals:detail", page.rows[0].card.id)
    return redirect("approvals:queue")


@requires("")
@require_http_methods(["GET", "HEAD"])
def detail(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Show one proposal to one reader."""
    asked = read(DetailForm, request.GET)
    found = queries.proposal(actor=actor_of(request), proposal_id=proposal_id)
    return show(request, "approvals/detail.html", _context(request, found, asked["view"]))


@requires("")
@require_POST
def vote(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Take one vote; a refusal shows the page again, as it is now, with what was typed."""
    try:
        values = read(VoteForm, request.POST)
        values["choice"] = Choice(values["choice"])
        if not values.pop("record") or values.pop("guard"):
            raise BadInput("Nothing was recorded; choose, then press Record vote.", fields={})
        commands.cast_vote(actor=actor_of(request), proposal_id=proposal_id, **values)
    except NotFound:
        raise
    except ConsoleError as refusal:
        return _again(request, proposal_id, refusal)
    return redirect("approvals:detail", proposal_id)


@requires("")
@require_POST
def withdraw_vote(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Take back the reader's own vote."""
    read(NothingForm, request.POST)
    commands.withdraw_vote(actor=actor_of(request), proposal_id=proposal_id)
    return redirect("approvals:detail", proposal_id)


def _again(request: HttpRequest, proposal_id: UUID, refusal: ConsoleError) -> HttpResponse:
    found = queries.proposal(actor=actor_of(request), proposal_id=proposal_id)
    context = _context(request, found, "")
    typed = {name: request.POST.get(name, "") for name in _TYPED}
    if isinstance(refusal, StaleRevision):
        typed["choice"] = ""  # what was chosen was chosen for something else
    fields: Any = refusal.details.get("fields", {})
    errors = {name: said if isinstance(said, str) else said[0] for name, said in fields.items()}
    context |= {"refused": refusal, "typed": typed, "errors": errors}
    response = show(request, "approvals/detail.html", context, status=refusal.status)
    response.refusal = refusal  # type: ignore[attr-defined]  # audit/middleware.py records it
    return response


def _context(request: HttpRequest, found: ProposalDetail, view: str) -> dict[str, Any]:
    actor = actor_of(request)
    card = found.card
    return {
        **page_of(found),
        "view": view or "fields",
        "draft": f"{actor.id}:{card.id}:{card.revision_no}",
        "may_audit": actor.has("audit.view"),
        "may_runs": actor.has("runs.view"),
    }


def _iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"
