"""Being at work on a proposal, and putting it off."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from approvals import commands, queries
from approvals.forms import NothingForm, SnoozeForm
from approvals.states import SnoozeFor
from console.kernel.http import actor_of, read, requires, show

_SPANS = (
    (SnoozeFor.QUARTER.value, "15 minutes"),
    (SnoozeFor.HOUR.value, "1 hour"),
    (SnoozeFor.AFTERNOON.value, "4 hours"),
    (SnoozeFor.DAY.value, "1 day"),
)
QUEUE = "approvals:queue"


def claims_context(request: HttpRequest, proposal_id: UUID) -> dict[str, Any]:
    """Return what `approvals/claims.html` shows."""
    return {
        "claims": queries.claims_of(actor=actor_of(request), proposal_id=proposal_id),
        "claims_id": proposal_id,
        "snooze_spans": _SPANS,
    }


@requires("")
@require_http_methods(["GET", "HEAD", "POST"])
def claim(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Show who is at work on a proposal; with POST, be it oneself."""
    if request.method == "POST":
        read(NothingForm, request.POST)
        commands.claim(actor=actor_of(request), proposal_id=proposal_id)
        return redirect("approvals:detail", proposal_id)
    read(NothingForm, request.GET)
    return show(request, "approvals/claims.html", claims_context(request, proposal_id))


@requires("")
@require_POST
def release(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Put one's claim back and go to the list; the page itself would claim again."""
    read(NothingForm, request.POST)
    commands.release(actor=actor_of(request), proposal_id=proposal_id)
    return _back(request)


@requires("approvals.lead")
@require_POST
def take_over(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """End the claims of others."""
    read(NothingForm, request.POST)
    commands.take_over(actor=actor_of(request), proposal_id=proposal_id)
    return redirect("approvals:detail", proposal_id)


@requires("")
@require_POST
def snooze(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Put a proposal off."""
    asked = read(SnoozeForm, request.POST)
    until = commands.snooze(
        actor=actor_of(request),
        proposal_id=proposal_id,
        for_how_long=SnoozeFor(asked["for_how_long"]),
    )
    said = f"Put off until {timezone.localtime(until):%H:%M}; sooner, if it changes."
    messages.success(request, said, extra_tags="info")
    return _back(request)


@requires("")
@require_POST
def wake(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Take back what one put off."""
    read(NothingForm, request.POST)
    commands.wake(actor=actor_of(request), proposal_id=proposal_id)
    return redirect("approvals:detail", proposal_id)


def _back(request: HttpRequest) -> HttpResponse:
    """Go to the list that the form names, or to the usual one."""
    asked = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(asked, allowed_hosts=None)
    return redirect(asked if ours and asked.startswith("/reviews/") else QUEUE)
