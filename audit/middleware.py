"""Records refusals, each in a transaction of its own after the one that it undid."""

from collections.abc import Callable

import structlog
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from audit.commands import record_refusal
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError

log = structlog.get_logger(__name__)


class RecordRefusals:
    """Record answers that carry a refusal; without an actor there is no trail to do it in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        refusal: ConsoleError | None = getattr(response, "refusal", None)
        actor: Actor | None = getattr(request, "actor", None)
        if refusal is not None and actor is not None:
            _record(request, refusal, actor)
        return response


def _record(request: HttpRequest, refusal: ConsoleError, actor: Actor) -> None:
    try:
        record_refusal(
            actor=actor,
            code=refusal.code,
            kind=refusal.kind,
            path=request.path,
            method=request.method or "",
        )
    except (DatabaseError, ConsoleError) as error:
        # The request was refused either way; a second failure must not hide the first one's
        # sentence.
        log.exception("refusal.not_recorded", code=refusal.code, error=type(error).__name__)
