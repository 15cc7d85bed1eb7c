"""Who asks: the session's person for pages and sockets, the key's program for the API."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from console.accounts import commands, queries
from console.accounts.cards import Site
from console.kernel import logs
from console.kernel.actors import Actor

TENANT: Final = "tenant"  # the session's only lasting value: which tenant it is for
ADDRESS_LENGTH: Final = 45


class SetActor:
    """Put the actor of the session, or None, on the request; it is looked up anew every time."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        actor = actor_of_request(request)
        request.actor = actor  # type: ignore[attr-defined]
        if actor is not None:
            logs.bind(tenant=str(actor.tenant_id), actor=f"{actor.kind}:{actor.id}")
        return self.get_response(request)


def actor_of_request(request: HttpRequest) -> Actor | None:
    session_key = request.session.session_key
    tenant_id = request.session.get(TENANT) if session_key else None
    if not session_key or not tenant_id:
        return None
    found = queries.presence(
        tenant_id=UUID(tenant_id),
        session_key=session_key,
        address=address_of(request),
        request=request_id_of(request),
    )
    if found is None:
        return None
    if found.seen_long_ago:
        commands.note_seen(actor=found.actor)
    return found.actor


def actor_of_scope(scope: Mapping[str, Any]) -> Actor | None:
    """Return the actor of a socket; called for every message, so an ended session ends it."""
    session = scope.get("session")
    session_key = getattr(session, "session_key", None)
    tenant_id = session.get(TENANT) if session is not None and session_key else None
    if not session_key or not tenant_id:
        return None
    client = scope.get("client") or ("",)
    found = queries.presence(
        tenant_id=UUID(tenant_id), session_key=session_key, address=str(client[0])
    )
    return found.actor if found else None


def actor_of_key(secret: str, request: HttpRequest) -> Actor | None:
    """Return the actor of a service key, and note that it was used."""
    actor = queries.actor_of_key(
        secret=secret, address=address_of(request), request=request_id_of(request)
    )
    if actor is not None:
        commands.note_key_use(actor=actor)
    return actor


def address_of(request: HttpRequest) -> str:
    """Return the peer's address; behind a proxy the server (uvicorn) has put the client's there."""
    return str(request.META.get("REMOTE_ADDR", ""))[:ADDRESS_LENGTH]


def site_of(request: HttpRequest) -> Site:
    """Return where the browser that sent this is, as far as passkeys are concerned."""
    return Site(host=settings.CONSOLE_HOST, origin=f"{request.scheme}://{request.get_host()}")


def request_id_of(request: HttpRequest) -> str:
    return str(getattr(request, "request_id", ""))
