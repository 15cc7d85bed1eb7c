"""Saved views: lists that a person keeps by name."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from approvals import commands
from approvals.cards import SavedViewCard
from approvals.forms import DefaultViewForm, NothingForm, RenameViewForm, SaveViewForm
from approvals.queries import Sort, View
from console.kernel.http import actor_of, read, requires


@requires("")
@require_POST
def save_view(request: HttpRequest) -> HttpResponse:
    """Keep a list under a name."""
    asked = read(SaveViewForm, request.POST)
    made = commands.save_view(
        actor=actor_of(request),
        name=asked["name"],
        view=View(asked["view"] or View.MINE),
        words=asked["q"],
        sort=Sort(asked["sort"]) if asked["sort"] else None,
    )
    return _to(made)


@requires("")
@require_POST
def rename_view(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Give a saved view another name."""
    asked = read(RenameViewForm, request.POST)
    return _to(commands.rename_view(actor=actor_of(request), view_id=view_id, name=asked["name"]))


@requires("")
@require_POST
def default_view(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Have the list of reviews open with a saved view, or no longer."""
    asked = read(DefaultViewForm, request.POST)
    return _to(commands.make_default_view(actor=actor_of(request), view_id=view_id, on=asked["on"]))


@requires("")
@require_POST
def delete_view(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Forget a saved view."""
    read(NothingForm, request.POST)
    commands.delete_view(actor=actor_of(request), view_id=view_id)
    return redirect(f"{reverse('approvals:queue')}?view={View.MINE}")


def _to(view: SavedViewCard) -> HttpResponse:
    return redirect(f"{reverse('approvals:queue')}?{view.address}")
