"""Notices: where they go, what they say, and how sending them went."""

from dataclasses import dataclass, field
from datetime import datetime, time
from uuid import UUID

from approvals.states import ChannelKind, Digest, NoticeReason, NoticeState


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelCard:
    """A way out, without its address: that is shown to nobody again."""

    id: UUID
    kind: ChannelKind
    title: str
    shown: str  # as much of the address as is no secret
    group: str  # whose turn it tells of; "" for every group
    asks: bool
    outcomes: bool
    titles: bool
    active: bool
    own_mail: bool  # mail to each person at their own address
    made_by: str  # "" where nobody has said anything yet
    waiting: int
    failed: int
    sent_at: datetime | None  # the last one that arrived


@dataclass(frozen=True, slots=True, kw_only=True)
class NewChannel:
    """The receipt for a channel; the secret is shown this once."""

    id: UUID
    title: str
    secret: str  # with which webhooks are signed; "" for other kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeSettingCard:
    """How one person wants to be told."""

    email: bool = True
    digest: Digest = Digest.INSTANT
    quiet_from: time | None = None
    quiet_until: time | None = None
    zone: str = "UTC"
    automatic: bool = True  # also of what a rule allowed without asking anybody


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One line of the log."""

    id: UUID
    at: datetime
    reason: NoticeReason
    tool: str  # "" where it is about no proposal
    proposal_id: UUID | None
    to: str  # a channel's title, or a person's name
    state: NoticeState
    attempts: int
    next_at: datetime
    sent_at: datetime | None
    last_error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What may be said of a proposal outside the console: never what would change."""

    reason: NoticeReason
    at: datetime  # of what it tells
    detail: str = ""  # a word of ours: the class of a rejection, whose word, which fallback
    proposal_id: UUID | None = None
    subject_kind: str = ""
    subject_id: UUID | None = None
    run_id: UUID | None = None
    tool: str = ""
    agent: str = ""
    tier: int = 0
    title: str = ""  # "" unless the channel may tell it
    needs: int = 0
    decide_by: datetime | None = None
    why: str = ""  # why it is this reader's turn, as a sentence
    group: str | None = None  # of a shared channel: whose turn it tells of; None for a person


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One message on its way. Its address and secret are never printed."""

    notice_ids: tuple[UUID, ...]  # the first is the message's own id, also when it is sent again
    kind: ChannelKind
    address: str = field(repr=False)
    secret: str = field(default="", repr=False)
    subject: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a message did not leave: a class of errors, never what an error says."""

    error: str
    final: bool = False  # sending it again would be refused again
