"""How the pages of accounts answer: the same page again, with the refusal where it belongs."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse

from console.kernel.errors import ConsoleError
from console.kernel.http import show

T = TypeVar("T")


def attempt(act: Callable[[], T]) -> tuple[T | None, ConsoleError | None]:
    """Run a command for a form; a refusal is returned, so that the form can show it."""
    try:
        return act(), None
    except ConsoleError as error:
        return None, error


def show_form(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    refusal: ConsoleError | None,
    *,
    done: int = 200,
) -> HttpResponse:
    """Render a page with a form; with a refusal its status, its sentence and the wrong fields."""
    wrong = refusal.details.get("fields", {}) if refusal is not None else {}
    response = show(
        request,
        template,
        {**context, "refusal": refusal, "wrong": wrong, "typed": _typed(request, refusal)},
        status=refusal.status if refusal is not None else done,
    )
    if refusal is not None:
        response.refusal = refusal  # type: ignore[attr-defined]  # audit/middleware.py records it
    return response


def _typed(request: HttpRequest, refusal: ConsoleError | None) -> dict[str, Any]:
    """Return what was typed, for the form that comes back; never a password."""
    if refusal is None:
        return {}
    secret = {"password", "current", "new", "csrfmiddlewaretoken"}
    return {
        name: values if name in {"roles", "groups", "scopes"} else values[-1]
        for name, values in request.POST.lists()
        if name not in secret
    }
