"""Records refusals, each in a transaction of its own after the one that it undid."""

from collections.abc import Callable

import structlog
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from audit.commands import record_refusal
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError, Refusal
from console.kernel.rest import access

log = structlog.get_logger(__name__)


class RecordRefusals:
    """Record answers that carry a refusal; without an actor there is no trail to do it in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        refusal: ConsoleError | None = getattr(response, "refusal", None)
        if refusal is not None:
            actor = _actor_of(request, refusal)
            if actor is not None:
                _record(request, refusal, actor)
        return response


def _actor_of(request: HttpRequest, refusal: ConsoleError) -> Actor | None:
    actor: Actor | None = getattr(request, "actor", None)
    # A body is refused as a whole before the API looks at the key.
    if actor is None and refusal.kind is Refusal.TOO_LARGE and request.path.startswith("/api/"):
        return access.actor_of_unread(request)
    return actor


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
