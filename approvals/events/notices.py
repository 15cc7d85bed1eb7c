"""What happens to the ways out; each delivery is a row of its own and no event."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from audit.events import Event

CHANNELS: Final = "reviews.channels"


@dataclass(frozen=True, kw_only=True)
class ChannelAdded(Event):
    """Notices go somewhere new; its address is in no event."""

    name = "channel.added"
    subject = "channel_id"
    topics = (CHANNELS,)

    channel_id: UUID
    channel_kind: str  # approvals.states.ChannelKind
    shown: str  # of the address: a host, a service, a mailbox
    group: str  # whose turn it tells of; "" for every group
    asks: bool
    outcomes: bool
    active: bool


@dataclass(frozen=True, kw_only=True)
class ChannelSwitched(Event):
    """A channel was turned on or off, or may tell the titles of proposals from now on, or not."""

    name = "channel.switched"
    subject = "channel_id"
    topics = (CHANNELS,)

    channel_id: UUID
    active: bool
    titles: bool


@dataclass(frozen=True, kw_only=True)
class ChannelTested(Event):
    """Somebody sent a test through a channel."""

    name = "channel.tested"
    subject = "channel_id"
    topics = (CHANNELS,)

    channel_id: UUID
