"""Every error of the API in one shape: {"code", "message", "details"}."""

import math
from collections.abc import Mapping
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFieldsSent
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from console.kernel.errors import (
    BadInput,
    ConsoleError,
    NotAcceptable,
    NotAllowed,
    NotFound,
    Refusal,
    TooLarge,
    WrongMedia,
    WrongMethod,
)

log = structlog.get_logger(__name__)


def answer_error(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Turn an exception of a view into the answer; None lets a bug go on to the 500 page."""
    refusal = as_refusal(error) or _of_framework(error, context)
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


def _of_framework(error: Exception, context: Mapping[str, Any]) -> ConsoleError | None:
    """Return in our words what the framework says by itself; its texts change with its versions."""
    match error:
        case exceptions.MethodNotAllowed():
            method = str(context["request"].method)[:20]
            return WrongMethod(
                f"This address does not take the method {method}; see the API description."
            )
        case exceptions.NotAcceptable():
            return NotAcceptable("Answers are JSON only; ask for application/json.")
        case exceptions.UnsupportedMediaType():
            return WrongMedia("Bodies are JSON only; send Content-Type: application/json.")
        case _:
            return None
