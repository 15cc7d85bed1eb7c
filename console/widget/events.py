"""What happened to widget keys and in widget sessions."""

from dataclasses import dataclass
from uuid import UUID

from audit.events import Event


@dataclass(frozen=True, kw_only=True)
class WidgetKeyCreated(Event):
    """A site may embed an agent under a new public key."""

    name = "widget_key.created"
    subject = "key_id"

    key_id: UUID
    title: str
    agent: str
    origins: str  # separated by spaces


@dataclass(frozen=True, kw_only=True)
class WidgetKeyRevoked(Event):
    """A public key was switched off; its sessions ended with it."""

    name = "widget_key.revoked"
    subject = "key_id"

    key_id: UUID


@dataclass(frozen=True, kw_only=True)
class WidgetSessionOpened(Event):
    """An end user opened the chat; a visitor is a random number until they say who they are."""

    name = "widget_session.opened"
    subject = "visitor_id"

    visitor_id: UUID
    key_id: UUID
