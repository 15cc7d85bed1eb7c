"""What every request passes: an id, a size limit, one origin per purpose, refusals into answers."""

import re
from collections.abc import Callable
from typing import Final

import structlog
from django.conf import settings
from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import redirect
from django.urls import is_valid_path

from console.kernel import http, logs
from console.kernel.errors import (
    ConsoleError,
    CsrfRefused,
    NotAllowed,
    NotFound,
    TooLarge,
    Unreadable,
    WrongMedia,
    WrongMethod,
)
from console.kernel.ids import uuid7

log = structlog.get_logger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponse]
UNREADABLE: Final = "This request cannot be read; load the page again and send its own form."
THING: Final = re.compile(r"/[0-9a-f-]{36}/$")  # an address that ends with an id
REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestContext:
    """Give each request an id, bind it to every log line, and answer with it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if REQUEST_ID.fullmatch(given) else str(uuid7())
        request.request_id = request_id  # type: ignore[attr-defined]
        logs.bind(request=request_id)
        try:
            response = self.get_response(request)
        finally:
            logs.unbind()
        response.headers["X-Request-ID"] = request_id
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response


class OneOriginPerPurpose:
    """Serve the widget on its own origin only, and the console on its own only.

    A script that got into the widget's frame must find nothing of the console on its origin.
    """

    SHARED: Final = ("/static/", "/healthz", "/readyz")

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        host = request.get_host().rpartition(":")[0] or request.get_host()
        of_widget = request.path.startswith("/widget/")
        if (
            not request.path.startswith(self.SHARED)
            and settings.WIDGET_HOST != settings.CONSOLE_HOST
        ):
            on_widget_host = host == settings.WIDGET_HOST
            if on_widget_host != of_widget:
                return HttpResponse(
                    "Not found on this origin.\n", status=404, content_type="text/plain"
                )
        return self.get_response(request)


class Bodies:
    """Refuse a body as a whole, before anything reads it and after it is known who sent it.

    A page that read no field of a form in another language would take it for an empty one, in
    which every box is unticked.
    """

    FORMS: Final = frozenset({"", "application/x-www-form-urlencoded", "multipart/form-data"})
    OTHERS: Final = ("/api/", "/widget/")  # take JSON

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        refusal = self._refusal(request)
        return http.answer_refusal(request, refusal) if refusal else self.get_response(request)

    def _refusal(self, request: HttpRequest) -> ConsoleError | None:
        length = request.headers.get("Content-Length", "")
        if length.isdecimal() and int(length) > settings.BODY_LIMIT:
            return too_large()
        # The API counts what it reads; nothing else has to take a body of unknown length.
        if not length and "Transfer-Encoding" in request.headers and not _is_api(request):
            return Unreadable("The request does not say how long it is; send Content-Length.")
        if request.path.startswith(self.OTHERS) or request.content_type in self.FORMS:
            return None
        if request.method in {"GET", "HEAD", "OPTIONS"}:
            return None  # has no body, whatever the headers say
        return WrongMedia("Pages take forms only; send the page's own form.")


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def too_large() -> TooLarge:
    return TooLarge(
        f"The request is larger than {settings.BODY_LIMIT // 1024} KB; send less at once.",
        limit_bytes=settings.BODY_LIMIT,
    )


class Refusals:
    """Turn refusals raised in views into answers; anything else is a bug and goes on."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed):
            return _without_the_method(request, response)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        refusal = as_refusal(error)
        if refusal is None:
            return None
        log.info("request.refused", code=refusal.code, status=refusal.status)
        return http.answer_refusal(request, refusal)


def as_refusal(error: Exception) -> ConsoleError | None:
    """Return the refusal that an exception stands for, or None for a bug."""
    match error:
        case ConsoleError():
            return error
        case Http404():
            return NotFound("There is nothing at this address, or it is not yours to see.")
        case PermissionDenied():
            return NotAllowed("You may not do this; ask an admin of your organisation.")
        case RequestDataTooBig():
            return too_large()
        case SuspiciousOperation() | BadRequest() | MultiPartParserError():
            return Unreadable(UNREADABLE)
        case _:
            return None


def answer_exception(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what was refused before a view was reached; handler400, 403 and 404 of the URLs."""
    return http.answer_refusal(request, as_refusal(exception) or Unreadable(UNREADABLE))


def answer_csrf(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form without its token; whose session was used for it is known, and recorded."""
    log.info("csrf.refused", reason=reason)
    return http.answer_refusal(
        request,
        CsrfRefused(
            "This form belonged to an earlier sign-in, so nothing was done; go back, reload the "
            "page and send it again."
        ),
    )


def _without_the_method(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Say in words what Django says by an empty answer; lead a browser to the form's page."""
    if above := _page_above(request):
        return redirect(above)
    allowed = response.headers["Allow"]
    said = http.answer_refusal(
        request,
        WrongMethod(
            f"This address takes {allowed} only; go back to the page and use it from there."
        ),
    )
    said.headers["Allow"] = allowed
    return said


def _page_above(request: HttpRequest) -> str:
    """Return the next address above one that takes forms only, for a browser that opens it.

    A person lands there after a sign-in, by a reload or a kept link. If that takes forms only as
    well, its own answer leads further up.
    """
    opens = request.method in {"GET", "HEAD"} and "text/html" in request.headers.get("Accept", "")
    if not opens or http.is_htmx(request) or request.path.startswith(Bodies.OTHERS):
        return ""
    steps = request.path.strip("/").split("/")[:-1]
    above = ["/".join(["", *steps[:n], ""]) for n in range(len(steps), 0, -1)]
    pages = [path for path in above if is_valid_path(path)]
    # Below a thing's own page there are parts of it, which are no pages.
    things = [path for path in pages if THING.search(path)]
    return (things or pages or ["/"])[0]
