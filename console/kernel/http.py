"""From requests to commands and from refusals to answers, for pages."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar, cast
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse

from console.kernel.actors import Actor
from console.kernel.errors import (
    BadInput,
    ConsoleError,
    NotAllowed,
    Refusal,
    SignedOut,
    Unreadable,
)

P = ParamSpec("P")
F = TypeVar("F", bound=forms.Form)

# Fields that every form may carry besides its own.
ALWAYS_ALLOWED: Final = frozenset({"csrfmiddlewaretoken", "next", "idempotency_key"})
PUBLIC: Final = "public"
UNREAD: Final = frozenset({Refusal.TOO_LARGE, Refusal.UNSUPPORTED})
LOST: Final = "\ufffd"  # what Django makes of bytes that are not UTF-8
NAME_LENGTH_MOST: Final = 60
UNKNOWN_CHOICE: Final = "Choose one of the values that are offered here."


def actor_of(request: HttpRequest) -> Actor:
    """Return who sent this request.

    Raises:
        SignedOut: nobody is signed in.
    """
    actor: Actor | None = getattr(request, "actor", None)
    if actor is None:
        raise SignedOut("You are signed out; sign in and try again.")
    return actor


def requires(
    permission: str,
) -> Callable[
    [Callable[Concatenate[HttpRequest, P], HttpResponse]],
    Callable[Concatenate[HttpRequest, P], HttpResponse],
]:
    """Let a view be called only by an actor with this permission; "" asks only for a sign-in."""

    def wrap(
        view: Callable[Concatenate[HttpRequest, P], HttpResponse],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            require(actor_of(request), permission)
            return view(request, *args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        return cast("Callable[Concatenate[HttpRequest, P], HttpResponse]", guarded)

    return wrap


def public(
    reason: str,
) -> Callable[
    [Callable[Concatenate[HttpRequest, P], HttpResponse]],
    Callable[Concatenate[HttpRequest, P], HttpResponse],
]:
    """Mark a view that needs no sign-in, with the reason; a test lists them."""

    def wrap(
        view: Callable[Concatenate[HttpRequest, P], HttpResponse],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
        view.permission = PUBLIC  # type: ignore[attr-defined]
        view.public_reason = reason  # type: ignore[attr-defined]
        return view

    return wrap


def require(actor: Actor, permission: str) -> None:
    """Raise `NotAllowed` naming the permission that is missing."""
    if permission and not actor.has(permission):
        raise NotAllowed(
            f"This needs the permission {permission}; ask an admin of your organisation for it.",
            permission=permission,
        )


def read(form_class: type[F], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cleaned values of a form.

    Raises:
        BadInput: some fields are wrong or unknown; `details["fields"]` maps each to its sentences.
    """
    form = form_class(data)
    unknown = sorted(set(data) - set(form.fields) - ALWAYS_ALLOWED)
    lost = [name for name in form.fields if any(map(is_lost, _texts(data, name)))]
    if form.is_valid() and not unknown and not lost:
        return dict(form.cleaned_data)
    fields = {
        name: [_sentence(error) for error in errors]
        for name, errors in form.errors.as_data().items()
    }
    fields.update({name: ["Not all of it arrived as UTF-8; type it again."] for name in lost})
    fields.update({printable(name): ["This field is unknown here."] for name in unknown[:20]})
    first = next(iter(fields))
    label = form.fields[first].label or first if first in form.fields else first
    raise BadInput(
        f"{str(label).replace('_', ' ').capitalize()}: {fields[first][0]}", fields=fields
    )


def printable(name: str) -> str:
    """Return a name that somebody made up as text that hides nothing and is not long."""
    return ascii(name)[1:-1][:NAME_LENGTH_MOST]


def _sentence(error: ValidationError) -> str:
    # The framework's own sentence repeats what was sent, whatever that was.
    return UNKNOWN_CHOICE if error.code == "invalid_choice" else str(error.messages[0])


def is_lost(text: str) -> bool:
    """Say whether some of a text is gone; nobody should be said to have written the rest."""
    return LOST in text or any("\ud800" <= char <= "\udfff" for char in text)


def _texts(data: Mapping[str, Any], name: str) -> list[str]:
    found = data.getlist(name) if isinstance(data, QueryDict) else [data.get(name, "")]
    return [str(text) for text in found]


def is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def part_of(request: HttpRequest) -> str:
    """Return the name of the partial that a page's live region asked for, or ""."""
    part = request.GET.get("part", "")
    return part if part.replace("-", "").replace("_", "").isalnum() else ""


def show(
    request: HttpRequest, template: str, context: Mapping[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """Render a page, or just its partial named in `?part=`."""
    part = part_of(request)
    name = f"{template}#{part}" if part else template
    response = render(request, name, dict(context or {}), status=status)
    # Pages show what is true for one person at one moment; nothing may keep them.
    response.headers["Cache-Control"] = "no-store"
    return response


def answer_refusal(request: HttpRequest, error: ConsoleError) -> HttpResponse:
    """Turn a refusal into a page, a fragment, JSON, or the way to the sign-in."""
    response = _answer(request, error)
    response.refusal = error  # type: ignore[attr-defined]  # audit/middleware.py records it
    return response


def _answer(request: HttpRequest, error: ConsoleError) -> HttpResponse:
    if request.path.startswith(("/api/v1/", "/widget/")):
        body = {"code": error.code, "message": error.message, "details": error.details}
        return JsonResponse(body, status=error.status, json_dumps_params={"default": str})
    if error.kind is Refusal.SIGNED_OUT and request.method == "GET" and not is_htmx(request):
        return redirect(
            f"{reverse('accounts:sign-in')}?{urlencode({'next': request.get_full_path()})}"
        )
    template = "refusal.html#fragment" if is_htmx(request) else "refusal.html"
    # A body that was refused as a whole is not read, not even to give its text back.
    typed = {} if error.kind in UNREAD or error.code == Unreadable.code else _typed(request)
    context = {"refusal": error, "status": error.status, "typed": typed}
    response = render(request, template, context, status=error.status)
    response.headers["Cache-Control"] = "no-store"
    return response


# What proves who somebody is. It is not written into a page, not even into their own.
_NEVER_SHOWN: Final = frozenset({"password", "current", "new", "assertion", "csrfmiddlewaretoken"})
# What the page itself put into its form. Whatever else a form holds, somebody typed or chose.
_NOT_TYPED: Final = frozenset(
    {
        *("next", "idempotency_key", "revision_no", "seen_digest", "view_digest", "client_id"),
        *("clock_no", "guard", "record", "vote", "step", "mode", "what", "view", "sort", "item"),
        *("object_id", "person", "tenant", "group", "agent", "give", "on", "by", "checks"),
        "previewed",
    }
)


def _typed(request: HttpRequest) -> dict[str, str]:
    """Return what the person typed, by its label, so that a refusal never loses it."""
    if request.method != "POST":
        return {}
    typed = {}
    for name, texts in request.POST.lists():
        if name in _NEVER_SHOWN or name in _NOT_TYPED:
            continue
        label = printable(name.removeprefix("arg/")).replace("_", " ")
        for number, text in enumerate((text for text in texts if text), start=1):
            typed[label if number == 1 else f"{label} ({number})"] = text
    return typed
