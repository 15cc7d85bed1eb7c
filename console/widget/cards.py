"""Frozen values that leave the widget room."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class WidgetKeyCard:
    """A public key under which one site embeds one agent."""

    id: UUID
    tenant_id: UUID
    public: str
    title: str
    agent: str
    origins: tuple[str, ...]  # sites that may embed the frame, scheme and port included
    active: bool
    created_at: datetime

    @property
    def confirm_id(self) -> str:
        """An id for the page's own use."""
        return f"revoke-{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitorCard:
    """One end user of a widget: who they are to us, and their conversation once it began."""

    id: UUID
    tenant_id: UUID
    key_id: UUID
    key_title: str
    agent: str
    conversation_id: UUID | None
