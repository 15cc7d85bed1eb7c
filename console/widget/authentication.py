"""Session tokens of visitors: signed, checked on every call, never in a cookie."""

from uuid import UUID

from django.core import signing
from django.http import HttpRequest

from console.kernel.actors import Actor
from console.widget import queries
from console.widget.cards import VisitorCard, WidgetKeyCard
from console.widget.errors import SessionOver

SALT = "signalbox.widget.session"
MAX_AGE_S = 24 * 3600
OVER = "This chat session is over; reload the page to start a new one."


def issue(*, tenant_id: UUID, visitor_id: UUID) -> str:
    """Return a token for a visitor; it says who they are and nothing else."""
    return signing.dumps({"t": str(tenant_id), "v": str(visitor_id)}, salt=SALT)


def visitor_of_token(token: str) -> VisitorCard:
    """Return the visitor behind a token.

    Raises:
        SessionOver: the token is forged or older than a day, or the key was revoked.
    """
    try:
        values = signing.loads(token, salt=SALT, max_age=MAX_AGE_S)
        tenant_id, visitor_id = UUID(values["t"]), UUID(values["v"])
    except (signing.BadSignature, ValueError, KeyError, TypeError) as error:
        raise SessionOver(OVER) from error
    return queries.visitor(actor=queries.guest(tenant_id), visitor_id=visitor_id)


def visitor_of(request: HttpRequest) -> VisitorCard:
    """Return the visitor of a request by its `Authorization: Bearer` header."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind != "Bearer":
        raise SessionOver(OVER)
    return visitor_of_token(token)


def actor_of(request: HttpRequest, visitor: VisitorCard) -> Actor:
    return queries.actor_for(visitor, **_where_from(request))


def actor_of_key(request: HttpRequest, key: WidgetKeyCard) -> Actor:
    return queries.actor_of_key(key, **_where_from(request))


def _where_from(request: HttpRequest) -> dict[str, str]:
    return {
        "request": getattr(request, "request_id", ""),
        "address": request.META.get("REMOTE_ADDR", ""),
    }
