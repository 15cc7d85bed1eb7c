"""A claimed run as its worker holds it: the epoch is the right to write."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from agents.controls.cards import Fields
from console.kernel.actors import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What never changes about a run, read before anything is locked."""

    tenant_id: UUID
    run_id: UUID
    root_id: UUID
    conversation_id: UUID
    agent_id: UUID
    agent_slug: str
    agent_title: str
    owner: UUID | None
    owner_label: str
    version_id: UUID
    version_no: int
    prompt: str
    model_policy: Mapping[str, Any]
    tools: Mapping[str, str]  # name to contract hash, 64 hex characters
    scopes: frozenset[str]
    confirm_tiers: frozenset[int]
    plan_writes: bool  # several writes of one answer are put before people as one plan
    budgets: Mapping[str, Any]
    starter: Mapping[str, Any]
    channel: str
    actor: Actor  # the agent, acting for whoever started the run

    def fields(self, *, tool: str = "", tier: int | None = None) -> Fields:
        """Return what the switches may match on."""
        return Fields(
            tenant=self.tenant_id,
            agent=self.agent_slug,
            agent_version=str(self.version_no),
            tool=tool,
            tier=tier,
            run=self.root_id,
        )


@dataclass(slots=True, kw_only=True)
class Held:
    """One claim of a run; `lost` is set by the heartbeat when another worker took over."""

    about: About
    epoch: int
    lost: threading.Event = field(default_factory=threading.Event)

    @property
    def run_id(self) -> UUID:
        return self.about.run_id

    @property
    def actor(self) -> Actor:
        return self.about.actor
