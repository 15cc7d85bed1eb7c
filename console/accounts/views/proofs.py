"""Pages on which a person proves once more who they are, and keeps their passkeys."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from console.accounts import commands, policies, queries
from console.accounts.forms import NothingForm, StepUpForm
from console.accounts.views.answers import attempt, show_form
from console.accounts.views.door import next_of
from console.kernel.errors import ConsoleError, NotAllowed
from console.kernel.http import actor_of, read, requires, show


@requires("")
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def step_up(request: HttpRequest) -> HttpResponse:
    """Ask for the password, or a passkey, once more, and go back to where it was needed."""
    actor = actor_of(request)
    if not actor.is_person:
        raise NotAllowed("Only a person has a password.")
    if request.method != "POST":
        return _ask(request, None)
    _proof, refusal = attempt(
        lambda: commands.step_up(actor=actor, **read(StepUpForm, request.POST))
    )
    if refusal is not None:
        return _ask(request, refusal)
    messages.success(request, "Thank you, it is you.", extra_tags="clear")
    return redirect(next_of(request))


@requires("")
@require_http_methods(["GET", "HEAD"])
def passkeys(request: HttpRequest) -> HttpResponse:
    """List the reader's passkeys; a browser with script can add one."""
    actor = actor_of(request)
    context = {
        "passkeys": queries.passkeys(actor=actor),
        "is_fresh": queries.fresh_for(actor=actor) <= policies.STEPUP_S,
        "most": policies.PASSKEYS_MOST,
    }
    return show(request, "accounts/passkeys.html", context)


@requires("")
@require_POST
def remove_passkey(request: HttpRequest, passkey_id: UUID) -> HttpResponse:
    """Remove one of the reader's passkeys."""
    read(NothingForm, request.POST)
    commands.remove_passkey(actor=actor_of(request), passkey_id=passkey_id)
    messages.success(request, "The passkey signs nothing any more.", extra_tags="clear")
    return redirect("accounts:passkeys")


def _ask(request: HttpRequest, refusal: ConsoleError | None) -> HttpResponse:
    context = {
        "me": queries.person_card(actor=actor_of(request), person_id=UUID(actor_of(request).id)),
        "next": next_of(request),
        "demo": settings.DEMO,
        "minutes": policies.STEPUP_S // 60,
        "passkeys": queries.passkeys(actor=actor_of(request)),
    }
    return show_form(request, "accounts/step_up.html", context, refusal)
