"""Writes of the widget room."""

import os
from uuid import UUID

from agents.cards import MessageCard
from agents.controls.cards import Fields
from agents.controls.permits import require_permitted
from agents.controls.states import Point
from agents.conversations import commands as conversations
from agents.runtime import queries as runtime
from audit.commands import record
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import BadInput, NotFound
from console.kernel.lines import require_plain_line
from console.kernel.transactions import command
from console.widget.cards import VisitorCard, WidgetKeyCard
from console.widget.errors import SessionOver
from console.widget.events import WidgetKeyCreated, WidgetKeyRevoked, WidgetSessionOpened
from console.widget.models import Visitor, WidgetKey
from console.widget.policies import RANDOM_BYTES, public_key, read_origins
from console.widget.queries import card_of


@command
def create_key(*, actor: Actor, title: str, agent: str, origins: str) -> WidgetKeyCard:
    """Make a public key under which the named sites may embed an agent.

    Raises:
        BadInput: a site is no origin, or there is no such agent.
    """
    require_plain_line("title", title)
    sites = read_origins(origins)
    if agent not in {card.slug for card in runtime.agents(actor=actor)}:
        sentence = "There is no such agent; write the short name of one that is registered."
        raise BadInput(f"Agent: {sentence}", fields={"agent": [sentence]})
    key = WidgetKey.objects.create(
        tenant_id=actor.tenant_id,
        public=public_key(actor.tenant_id, os.urandom(RANDOM_BYTES)),
        title=title,
        agent=agent,
        origins=list(sites),
    )
    key.refresh_from_db(fields=["created_at"])
    event = WidgetKeyCreated(key_id=key.pk, title=title, agent=agent, origins=" ".join(sites))
    record(event, actor=actor)
    return card_of(key)


@command
def revoke_key(*, actor: Actor, key_id: UUID, reason: str) -> None:
    """Switch a key off; every session under it ends at its next call."""
    rows = WidgetKey.objects.filter(tenant_id=actor.tenant_id, pk=key_id, revoked_at=None)
    if not rows.update(revoked_at=clock.now()):
        raise NotFound("There is no such active widget key; reload the page.")
    record(WidgetKeyRevoked(key_id=key_id, reason=reason), actor=actor)


@command
def open_session(*, actor: Actor, public: str) -> UUID:
    """Take in a new visitor under an active key; return the visitor's id."""
    key = WidgetKey.objects.filter(
        tenant_id=actor.tenant_id, public=public, revoked_at__isnull=True
    ).first()
    if key is None:
        raise NotFound("This chat is not available here; the site's owner has to renew its key.")
    visitor = Visitor.objects.create(tenant_id=actor.tenant_id, key=key)
    record(WidgetSessionOpened(visitor_id=visitor.pk, key_id=key.pk), actor=actor)
    return visitor.pk


@command
def send_message(*, actor: Actor, visitor: VisitorCard, client_id: str, text: str) -> MessageCard:
    """Take in one message of a visitor; the same client id returns the first receipt.

    The visitor's row is locked, so that two first messages at once begin one conversation.

    Raises:
        SessionOver: the key was revoked.
        and what `receive_message` of agents raises.
    """
    # The stop lock comes before any other, here too; see the lock order in architecture.
    subject = Fields(tenant=actor.tenant_id, agent=visitor.agent)
    require_permitted(Point.INTAKE, subject, guard=True)
    row = (
        Visitor.objects.select_for_update()
        .filter(tenant_id=actor.tenant_id, pk=visitor.id, key__revoked_at__isnull=True)
        .first()
    )
    if row is None:
        raise SessionOver("This chat session is over; reload the page to start a new one.")
    receipt = conversations.receive_message(
        actor=actor,
        conversation_id=row.conversation_id,
        agent_slug=visitor.agent,
        client_id=client_id,
        text=text,
        channel="widget",
        end_user=str(visitor.id),
    )
    if row.conversation_id is None:
        row.conversation_id = receipt.conversation_id
        row.save(update_fields=["conversation_id"])
    return receipt
