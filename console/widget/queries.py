"""Reads of the widget room."""

from uuid import UUID

from console.accounts import queries as accounts
from console.kernel.actors import Actor, ActorKind, Link
from console.kernel.transactions import query
from console.widget.cards import VisitorCard, WidgetKeyCard
from console.widget.errors import SessionOver, UnknownKey
from console.widget.models import Visitor, WidgetKey
from console.widget.policies import tenant_of

GONE = "This chat is not available here; the site's owner has to renew its key."


def guest(tenant_id: UUID) -> Actor:
    """Return the actor under which a widget key is looked up."""
    return Actor(tenant_id=tenant_id, kind=ActorKind.KEY, id="widget", label="widget")


def actor_of_key(key: WidgetKeyCard, *, request: str = "", address: str = "") -> Actor:
    """Return the actor under which a session of this key is opened."""
    return Actor(
        tenant_id=key.tenant_id,
        kind=ActorKind.KEY,
        id=str(key.id),
        label=f"widget {key.title}",
        strength="key",
        request=request,
        address=address,
    )


def actor_for(visitor: VisitorCard, *, request: str = "", address: str = "") -> Actor:
    """Return the actor for a visitor: the key acts, for somebody the key does not know."""
    return Actor(
        tenant_id=visitor.tenant_id,
        kind=ActorKind.KEY,
        id=str(visitor.key_id),
        label=f"widget {visitor.key_title}",
        strength="key",
        permissions=frozenset({"runs.start"}),
        via=(Link(kind="end_user", id=str(visitor.id), label="visitor"),),
        request=request,
        address=address,
    )


def key_named(public: str) -> WidgetKeyCard:
    """Return an active key by its public text.

    Raises:
        UnknownKey: it is no key, of no tenant here, or revoked.
    """
    tenant_id = tenant_of(public)
    if tenant_id is None:
        raise UnknownKey(GONE)
    return active_key(actor=guest(tenant_id), public=public)


def demo_key() -> WidgetKeyCard | None:
    """Return the first active key of the first tenant that has one; only the demo's page asks."""
    for tenant in accounts.tenant_directory():
        for key in keys(actor=guest(tenant.id)):
            if key.active:
                return key
    return None


@query
def active_key(*, actor: Actor, public: str) -> WidgetKeyCard:
    rows = WidgetKey.objects.filter(tenant_id=actor.tenant_id, public=public)
    key = rows.filter(revoked_at__isnull=True).first()
    if key is None:
        raise UnknownKey(GONE)
    return card_of(key)


@query
def keys(*, actor: Actor) -> tuple[WidgetKeyCard, ...]:
    """Return all keys of the tenant, newest first."""
    rows = WidgetKey.objects.filter(tenant_id=actor.tenant_id).order_by("-created_at")
    return tuple(card_of(row) for row in rows)


@query
def visitor(*, actor: Actor, visitor_id: UUID) -> VisitorCard:
    """Return a visitor whose key is still active.

    Raises:
        SessionOver: the visitor is unknown, or the key was revoked.
    """
    rows = Visitor.objects.filter(tenant_id=actor.tenant_id, pk=visitor_id)
    row = rows.filter(key__revoked_at__isnull=True).select_related("key").first()
    if row is None:
        raise SessionOver("This chat session is over; reload the page to start a new one.")
    return VisitorCard(
        id=row.pk,
        tenant_id=row.tenant_id,
        key_id=row.key.pk,
        key_title=row.key.title,
        agent=row.key.agent,
        conversation_id=row.conversation_id,
    )


def card_of(key: WidgetKey) -> WidgetKeyCard:
    return WidgetKeyCard(
        id=key.pk,
        tenant_id=key.tenant_id,
        public=key.public,
        title=key.title,
        agent=key.agent,
        origins=tuple(key.origins),
        active=key.revoked_at is None,
        created_at=key.created_at,
    )
