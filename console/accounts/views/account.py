"""A person's own account: open sessions and password."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from console.accounts import commands, queries
from console.accounts.forms import NothingForm, PasswordForm
from console.accounts.views.answers import attempt, show_form
from console.kernel.errors import ConsoleError, NotAllowed
from console.kernel.http import actor_of, read, requires


@requires("")
@require_http_methods(["GET", "HEAD"])
def sessions(request: HttpRequest) -> HttpResponse:
    """List the reader's open sessions in this tenant."""
    return _show_account(request, None)


@requires("")
@require_POST
def end_session(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """End one of the reader's own sessions."""
    read(NothingForm, request.POST)
    commands.end_own_session(actor=actor_of(request), session_id=session_id)
    messages.success(request, "The session has ended.", extra_tags="clear")
    return redirect("accounts:sessions")


@requires("")
@require_POST
def end_all_sessions(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere, here too."""
    read(NothingForm, request.POST)
    commands.sign_out_everywhere(actor=actor_of(request))
    request.session.flush()
    return redirect("accounts:sign-in")


@requires("")
@sensitive_post_parameters("current", "new")
@require_POST
def password(request: HttpRequest) -> HttpResponse:
    """Change the reader's own password; their other sessions end."""
    actor = actor_of(request)
    if not actor.is_person:
        raise NotAllowed("Only a person has a password.")
    _done, refusal = attempt(
        lambda: commands.change_password(actor=actor, **read(PasswordForm, request.POST))
    )
    if refusal is not None:
        return _show_account(request, refusal)
    messages.success(
        request, "Password changed; your other sessions have ended.", extra_tags="clear"
    )
    return redirect("accounts:sessions")


def _show_account(request: HttpRequest, refusal: ConsoleError | None) -> HttpResponse:
    actor = actor_of(request)
    context = {
        "me": queries.person_card(actor=actor, person_id=UUID(actor.id)),
        "sessions": queries.own_sessions(actor=actor),
    }
    return show_form(request, "accounts/sessions.html", context, refusal)
