"""Deciding several proposals of one tool together: the table, the votes, what became of each."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from approvals import commands, queries
from approvals.cards import BatchCard
from approvals.forms import BatchForm, SelectForm
from approvals.states import Choice
from approvals.views.shown import REASONS
from console.kernel.actors import Actor
from console.kernel.errors import BadInput, ConsoleError
from console.kernel.http import actor_of, read, requires, show

_TYPED = ("choice", "reason_code", "note", "agent_message", "in_place_of")


@requires("")
@require_http_methods(["GET", "HEAD", "POST"])
def batch(request: HttpRequest) -> HttpResponse:
    """Show the selected proposals as one table, or vote on those that the form lists."""
    if request.method == "POST":
        return _vote(request)
    actor = actor_of(request)
    queries.reach(actor=actor)  # who may look at nothing is told so before what is wrong
    chosen = read(SelectForm, request.GET)["select"]
    card = queries.batch(actor=actor, proposal_ids=chosen)
    answer = show(request, "approvals/batch.html", _context(card))
    if request.method == "GET":
        _keep_shown(actor, card)
    return answer


def _vote(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    values = read(BatchForm, request.POST)
    items = values.pop("item")
    try:
        pressed = values.pop("record") and not values.pop("guard")
        if not pressed:
            raise BadInput("Nothing was recorded; choose, then press Record votes.", fields={})
        values["choice"] = Choice(values["choice"])
        results = commands.cast_batch(actor=actor, items=items, **values)
    except ConsoleError as refusal:
        return _again(request, [item.proposal_id for item in items], refusal)
    counted = sum(1 for one in results if one.receipt is not None)
    context = {"results": results, "counted": counted, "choice": values["choice"].value}
    return show(request, "approvals/batch_result.html", context)


def _again(request: HttpRequest, ids: Sequence[UUID], refusal: ConsoleError) -> HttpResponse:
    """Show the table as it is now, with the refusal and what was typed."""
    card = queries.batch(actor=actor_of(request), proposal_ids=ids)
    typed = {name: request.POST.get(name, "") for name in _TYPED}
    context = {**_context(card, typed), "refused": refusal}
    answer = show(request, "approvals/batch.html", context, status=refusal.status)
    _keep_shown(actor_of(request), card)
    answer.refusal = refusal  # type: ignore[attr-defined]  # audit/middleware.py records it
    return answer


def _keep_shown(actor: Actor, card: BatchCard) -> None:
    """Record for each item that this session was shown its change whole."""
    for row in card.rows:
        commands.serve_parts(
            actor=actor,
            proposal_id=row.card.id,
            revision_no=row.card.revision_no,
            parts=row.parts,
            view="batch",
        )


def _context(card: BatchCard, typed: Mapping[str, str] | None = None) -> Mapping[str, Any]:
    differing = [column for column in card.columns if not column.same]
    return {
        "batch": card,
        "names": [column.name for column in differing],
        "rows": [
            {"row": row, "named": [(column.name, column.cells[no]) for column in differing]}
            for no, row in enumerate(card.rows)
        ],
        "same": [(column.name, column.cells[0]) for column in card.columns if column.same],
        "outliers": sum(bool(cell.outlier) for column in differing for cell in column.cells),
        "reasons": REASONS,
        "typed": typed or {},
        "capacity": _capacity(card, typed or {}),
    }


def _capacity(card: BatchCard, typed: Mapping[str, str]) -> Mapping[str, Any] | None:
    """Return what `approvals/in_place.html` shows, if a place was lent that is asked for here."""
    if card.lent is None:
        return None
    return {
        "lent": card.lent,
        "own": any(row.own for row in card.rows),
        "chosen": typed.get("in_place_of") == str(card.lent.person_id),
    }
