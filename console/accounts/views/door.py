"""Signing in and out; every step is a plain form."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from console.accounts import commands, queries
from console.accounts.cards import Proof, SignedIn, TenantCard
from console.accounts.errors import DemoOnly, NoMembership
from console.accounts.forms import DemoForm, SignInForm, TenantForm
from console.accounts.middleware import TENANT, address_of, request_id_of
from console.accounts.states import Strength
from console.accounts.views.answers import attempt, show_form
from console.kernel import clock
from console.kernel.actors import Actor, system
from console.kernel.errors import ConsoleError, SignedOut
from console.kernel.http import public, read, requires

PROVED: Final = "proved"  # the person who has given the right password and not yet chosen a tenant
PROVED_UNTIL: Final = "proved_until"
CHOOSE_S: Final = 300


@public("Nobody is signed in yet.")
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for address and password; with one tenant the session starts at once."""
    if request.method != "POST":
        if getattr(request, "actor", None) is not None:
            return redirect(next_of(request))
        return _show_sign_in(request, None)
    proved, refusal = attempt(lambda: _prove(request))
    if proved is None:
        return _show_sign_in(request, refusal)
    if len(proved.tenants) == 1:
        return _start(request, proved.person_id, proved.tenants[0].id)
    _remember_proof(request, proved.person_id)
    return redirect(_with_next("accounts:choose-tenant", request))


@public("The password was right; the session starts with the choice.")
@require_http_methods(["GET", "HEAD", "POST"])
def choose_tenant(request: HttpRequest) -> HttpResponse:
    """Choose one of several tenants, after the password or to change over later."""
    person_id = _proved_person(request)
    tenants = queries.tenants_of(actor=_door(request), person_id=person_id)
    refusal: ConsoleError | None = None
    if request.method == "POST":
        chosen, refusal = attempt(lambda: _chosen(request, tenants))
        if chosen is not None:
            return _start(request, person_id, chosen, _proof(request))
    context = {"tenants": tenants, "next": next_of(request)}
    return show_form(request, "accounts/choose_tenant.html", context, refusal)


@public("One click signs in, in the demo only; a system check refuses it in production.")
@require_http_methods(["POST"])
def demo(request: HttpRequest) -> HttpResponse:
    """Sign one of the demo's people in without a password."""
    if not settings.DEMO:
        raise DemoOnly("One-click sign-in exists in the demo only; use address and password.")
    wanted = read(DemoForm, request.POST)["person"]
    for person in queries.demo_people(actor=_door(request)):
        if person.id == wanted:
            return _start(request, person.id, person.tenant_id)
    raise DemoOnly("This is nobody of the demo; choose one of the buttons.")


@requires("")
@require_http_methods(["GET", "POST"])
def sign_out(request: HttpRequest) -> HttpResponse:
    """End this session; a GET changes nothing and shows where the button is."""
    if request.method != "POST":
        return redirect("accounts:sessions")
    actor: Actor = request.actor  # type: ignore[attr-defined]
    commands.sign_out(actor=actor)
    request.session.flush()
    response = redirect("accounts:sign-in")
    # Drafts in this browser belong to the person who is leaving.
    response.headers["Clear-Site-Data"] = '"storage"'
    return response


def next_of(request: HttpRequest) -> str:
    """Return where to go after signing in: a path of ours, or the home page."""
    asked = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(asked, allowed_hosts=None)
    if not ours or not asked.startswith("/") or not asked.isprintable():
        return "/"
    if asked.startswith((reverse("accounts:sign-in"), reverse("accounts:sign-out"))):
        return "/"
    return asked


def _show_sign_in(request: HttpRequest, refusal: ConsoleError | None) -> HttpResponse:
    people = queries.demo_people(actor=_door(request)) if settings.DEMO else ()
    context = {"next": next_of(request), "demo": people}
    return show_form(request, "accounts/sign_in.html", context, refusal)


def _chosen(request: HttpRequest, tenants: Iterable[TenantCard]) -> UUID:
    """Return the chosen tenant; asked here too, so that a wrong choice ends no session."""
    tenant_id: UUID = read(TenantForm, request.POST)["tenant"]
    if tenant_id not in {tenant.id for tenant in tenants}:
        raise NoMembership("You are not a member there; ask its administrator to add you.")
    return tenant_id


def _prove(request: HttpRequest) -> SignedIn:
    values = read(SignInForm, request.POST)
    return commands.prove(actor=_door(request), **values)


def _door(request: HttpRequest) -> Actor:
    return replace(queries.DOOR, address=address_of(request), request=request_id_of(request))


def _remember_proof(request: HttpRequest, person_id: UUID) -> None:
    request.session.flush()  # a session key from before the password is never kept
    request.session[PROVED] = str(person_id)
    request.session[PROVED_UNTIL] = clock.now().timestamp() + CHOOSE_S


def _proved_person(request: HttpRequest) -> UUID:
    """Return who has just given the right password, or who is signed in already."""
    actor: Actor | None = getattr(request, "actor", None)
    if actor is not None and actor.is_person:
        return UUID(actor.id)
    until = request.session.get(PROVED_UNTIL, 0)
    if PROVED not in request.session or clock.now().timestamp() > until:
        raise SignedOut("Give your address and password first.")
    return UUID(request.session[PROVED])


def _proof(request: HttpRequest) -> Proof:
    """Return when whoever chooses a tenant proved who they are: choosing proves nothing."""
    actor: Actor | None = getattr(request, "actor", None)
    if actor is not None:
        found = queries.proof(actor=actor)
        if found is None:
            raise SignedOut("This session has ended; sign in again.")
        return found
    at = datetime.fromtimestamp(request.session[PROVED_UNTIL] - CHOOSE_S, tz=UTC)
    return Proof(at=at, by=Strength.PASSWORD, age_s=0)


def _start(
    request: HttpRequest, person_id: UUID, tenant_id: UUID, proof: Proof | None = None
) -> HttpResponse:
    """Begin a session under a new key; the old one, if any, ends."""
    before: Actor | None = getattr(request, "actor", None)
    if before is not None:
        commands.sign_out(actor=before)
    target = next_of(request)
    request.session.flush()
    request.session[TENANT] = str(tenant_id)
    request.session.save()
    try:
        commands.open_session(
            actor=replace(system("accounts.door", tenant_id), request=request_id_of(request)),
            person_id=person_id,
            session_key=str(request.session.session_key),
            address=address_of(request),
            user_agent=request.headers.get("User-Agent", ""),
            proof=proof,
        )
    except ConsoleError:
        request.session.flush()
        raise
    rotate_token(request)
    return redirect(target)


def _with_next(name: str, request: HttpRequest) -> str:
    return f"{reverse(name)}?{urlencode({'next': next_of(request)})}"
