"""Service keys of the tenant; for administrators."""

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from console.accounts import commands, queries
from console.accounts.cards import NewKey
from console.accounts.forms import KeyForm, NothingForm
from console.accounts.states import SCOPES, Permission
from console.accounts.views.answers import attempt, show_form
from console.kernel.errors import ConsoleError
from console.kernel.http import actor_of, read, requires
from console.kernel.rest.pages import read_cursor, write_cursor

PER_PAGE = 100
KINDS = (datetime, UUID)


@requires(Permission.KEYS_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def keys(request: HttpRequest) -> HttpResponse:
    """List the tenant's keys; a POST makes one and shows its secret this once."""
    if request.method != "POST":
        return _show_keys(request, None, None)
    made, refusal = attempt(
        lambda: commands.create_key(actor=actor_of(request), **read(KeyForm, request.POST))
    )
    return _show_keys(request, made, refusal)


@requires(Permission.KEYS_MANAGE)
@require_POST
def revoke(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """Stop a key for good."""
    read(NothingForm, request.POST)
    was_live = commands.revoke_key(actor=actor_of(request), key_id=key_id)
    said = "The key no longer works." if was_live else "The key was revoked before."
    messages.success(request, said, extra_tags="clear")
    return redirect("accounts:keys")


def _show_keys(
    request: HttpRequest, made: NewKey | None, refusal: ConsoleError | None
) -> HttpResponse:
    actor = actor_of(request)
    cursor = request.GET.get("after", "")
    cards = queries.service_keys(
        actor=actor, before=read_cursor(cursor, KINDS) if cursor else None, limit=PER_PAGE + 1
    )
    shown = cards[:PER_PAGE]
    older = write_cursor((shown[-1].created_at, shown[-1].id), KINDS) if cards[PER_PAGE:] else ""
    context = {
        "cards": shown,
        "older_url": f"?after={older}" if older else "",
        "newer_url": "?" if cursor else "",
        "scopes": [scope for scope in SCOPES if actor.has(scope)],
        "made": made,
    }
    return show_form(request, "accounts/keys.html", context, refusal, done=201 if made else 200)
