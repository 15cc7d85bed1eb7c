"""What every request passes: an id, a size limit, one origin per purpose, refusals into answers."""

import re
from collections.abc import Callable
from typing import Final

import structlog
from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.http import Http404, HttpRequest, HttpResponse

from console.kernel import http, logs
from console.kernel.errors import BadInput, ConsoleError, NotFound, TooLarge
from console.kernel.ids import uuid7

log = structlog.get_logger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponse]
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


class BodyLimit:
    """Refuse a body that says it is larger than the limit, before anything reads it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.headers.get("Content-Length", "0")
        if length.isdecimal() and int(length) > settings.BODY_LIMIT:
            return http.answer_refusal(request, too_large())
        return self.get_response(request)


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
        return self.get_response(request)

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
        case RequestDataTooBig():
            return too_large()
        case TooManyFieldsSent():
            return BadInput("The form has too many fields; send the page's own form.", fields={})
        case _:
            return None
