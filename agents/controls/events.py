"""What happens to switches, as it is written into the trail."""

from dataclasses import dataclass
from uuid import UUID

from audit.events import Event, Keep


@dataclass(frozen=True, kw_only=True)
class SwitchEngaged(Event):
    """A tenant, an agent, a tool or a run was stopped; no new effect of it is admitted."""

    name = "switch.engaged"
    subject = "switch_id"
    keep = Keep.LONG
    topics = ("controls",)

    switch_id: UUID
    scope: str  # tenant, agent, tool or run
    value: str  # slug, tool name or root run; "" for the tenant
    category: str
    runs: str  # park or end
    epoch: int
    barrier: bool  # False: guarded work that began before is still open, pulse ends it


@dataclass(frozen=True, kw_only=True)
class SwitchBarrierSet(Event):
    """The last guarded transaction that began before the stop has ended."""

    name = "switch.barrier_set"
    subject = "switch_id"
    keep = Keep.LONG
    topics = ("controls",)

    switch_id: UUID
    ended_backends: int  # database sessions that were ended because they held the lock too long


@dataclass(frozen=True, kw_only=True)
class SwitchConfirmed(Event):
    """Every live process has acted on the stop."""

    name = "switch.confirmed"
    subject = "switch_id"
    keep = Keep.LONG
    topics = ("controls",)

    switch_id: UUID
    workers: int


@dataclass(frozen=True, kw_only=True)
class SwitchUnconfirmed(Event):
    """Five seconds after the stop some process had not confirmed it; they are named."""

    name = "switch.unconfirmed"
    subject = "switch_id"
    keep = Keep.LONG
    topics = ("controls",)

    switch_id: UUID
    confirmed: int
    of: int
    missing: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SwitchReleaseAsked(Event):
    """Somebody asked for a release that a second person has to give."""

    name = "switch.release_asked"
    subject = "switch_id"
    keep = Keep.LONG
    topics = ("controls",)

    switch_id: UUID


@dataclass(frozen=True, kw_only=True)
class SwitchReleased(Event):
    """A stop was lifted; what it held may go on."""

    name = "switch.released"
    subject = "switch_id"
    keep = Keep.LONG
    topics = ("controls",)

    switch_id: UUID
    scope: str
    value: str
    epoch: int
    asked_by: str  # id of whoever asked, where a second person released
