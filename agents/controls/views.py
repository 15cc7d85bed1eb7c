"""The switch board: stop in one step, release with a reason."""

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from agents.controls import commands, policies, queries
from agents.controls.cards import SwitchCard
from agents.controls.forms import KEY_FORMAT, EngageForm, HistoryForm, ReleaseForm, scope_of
from agents.controls.templatetags.controls import scope_words
from console.kernel.http import actor_of, read, requires, show


@requires("controls.view")
@require_GET
def board(request: HttpRequest) -> HttpResponse:
    """Show what can be stopped, what is, and who has confirmed it."""
    asked = request.GET.get("scope", "")
    me = actor_of(request)
    card = queries.board(actor=me, scope=scope_of(asked) if asked else None)
    context = {"board": card, "me": me, "may_engage": me.has("controls.engage")}
    return show(request, "controls/board.html", context)


@requires("")
@require_POST
def engage(request: HttpRequest) -> HttpResponse:
    """Stop a scope; the command asks for the permission, or for the right to operate that agent."""
    values = read(EngageForm, request.POST)
    card = commands.engage(actor=actor_of(request), **values)
    messages.warning(
        request,
        f"Stop ordered for {scope_words(card.scope)}. It counts as stopped once every process has "
        "confirmed it; this page says so.",
    )
    return redirect(_next(request, card))


@requires("controls.view")
@require_GET
def switch(request: HttpRequest, switch_id: UUID) -> HttpResponse:
    """Show one switch and, while it stands, the way to release it."""
    me = actor_of(request)
    card = queries.switch(actor=me, switch_id=switch_id)
    context = {"card": card, "release": policies.release_offer(card, me)}
    return show(request, "controls/switch.html", context)


@requires("controls.release")
@require_POST
def release(request: HttpRequest, switch_id: UUID) -> HttpResponse:
    """Lift a stop, or ask a second person to."""
    values = read(ReleaseForm, request.POST)
    card = commands.release(actor=actor_of(request), switch_id=switch_id, **values)
    if card.engaged:
        text = "Release asked for. Somebody who neither stopped nor asked has to confirm it."
        messages.info(request, text)
    else:
        messages.success(request, f"Released: {scope_words(card.scope)}. What it held goes on.")
    return redirect("controls:switch", switch_id=switch_id)


@requires("controls.view")
@require_GET
def history(request: HttpRequest) -> HttpResponse:
    """Page through all stops, newest first."""
    values = read(HistoryForm, request.GET.dict())
    before = (values["at"], values["id"]) if values["at"] and values["id"] else None
    cards = queries.history(actor=actor_of(request), before=before)
    more = len(cards) == queries.HISTORY_PAGE
    context = {
        "cards": cards,
        "older_url": _after(cards[-1]) if more else "",
        "newer_url": reverse("controls:history") if before else "",
    }
    return show(request, "controls/history.html", context)


def _after(card: SwitchCard) -> str:
    key = {"at": card.engaged_at.strftime(KEY_FORMAT), "id": str(card.id)}
    return f"{reverse('controls:history')}?{urlencode(key)}"


def _next(request: HttpRequest, card: SwitchCard) -> str:
    """Go to the switch, or back to the board for somebody who may see neither."""
    if actor_of(request).has("controls.view"):
        return reverse("controls:switch", args=[card.id])
    return reverse("shell:home")
