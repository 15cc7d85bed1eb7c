"""Every error of the API in one shape: {"code", "message", "details"}."""

import math
from collections.abc import Mapping
from typing import Any, Final

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFieldsSent
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from console.kernel.errors import (
    BadInput,
    ConsoleError,
    NotAllowed,
    NotFound,
    Refusal,
    TooLarge,
)

log = structlog.get_logger(__name__)

# What the framework says by itself, in our words; its own texts change with its versions.
FRAMEWORK: Final[Mapping[type[Exception], tuple[str, str]]] = {
    exceptions.MethodNotAllowed: (
        "method.not_allowed",
        "This address does not take the method {method}; see the API description.",
    ),
    exceptions.NotAcceptable: (
        "media.not_acceptable",
        "Answers are JSON only; ask for application/json.",
    ),
    exceptions.UnsupportedMediaType: (
        "media.unsupported",
        "Bodies are JSON only; send Content-Type: application/json.",
    ),
}


class CsrfRefused(ConsoleError):
    """A session was used without the token that only our own pages know."""

    code = "csrf.refused"
    kind = Refusal.FORBIDDEN


def answer_error(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Turn an exception of a view into the answer; None lets a bug go on to the 500 page."""
    framework = _of_framework(error, context)
    if framework is not None:
        return framework
    refusal = as_refusal(error)
    if refusal is None:
        return None
    log.info("request.refused", code=refusal.code, status=refusal.status)
    response = shaped(refusal.code, refusal.message, refusal.details, refusal.status)
    if "retry_after_s" in refusal.details:
        wait_s = refusal.details["retry_after_s"]
        response["Retry-After"] = str(math.ceil(float(str(wait_s))))
    if refusal.kind is Refusal.SIGNED_OUT:
        response["WWW-Authenticate"] = 'Bearer realm="signalbox"'
    response.refusal = refusal  # type: ignore[attr-defined]  # audit/middleware.py records it
    return response


def shaped(code: str, message: str, details: Mapping[str, object], status: int) -> Response:
    return Response({"code": code, "message": message, "details": dict(details)}, status=status)


def as_refusal(error: Exception) -> ConsoleError | None:
    """Return the refusal that an exception stands for, or None for a bug."""
    match error:
        case ConsoleError():
            return error
        case Http404() | exceptions.NotFound():
            return NotFound("There is nothing at this address, or it is not yours to see.")
        case PermissionDenied() | exceptions.PermissionDenied():
            return NotAllowed("This is not allowed.")
        case RequestDataTooBig():
            return TooLarge("The request is too large; send less at once.")
        case exceptions.ParseError() | TooManyFieldsSent():
            return BadInput("This is not valid JSON; send one JSON value in UTF-8.", fields={})
        case _:
            return None


def _of_framework(error: Exception, context: Mapping[str, Any]) -> Response | None:
    for kind, (code, sentence) in FRAMEWORK.items():
        if isinstance(error, kind):
            method = str(context["request"].method)[:20]
            status = getattr(error, "status_code", 400)
            return shaped(code, sentence.format(method=method), {}, status)
    return None
