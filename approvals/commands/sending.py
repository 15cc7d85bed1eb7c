"""Notices on their way: leased in one transaction, sent between two, settled in another.

A crash in between repeats a message once its lease ends; it has the same id then. What is no longer
true when its time comes is dropped, and what somebody put off or a stop holds back waits.
"""

import secrets
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse

from approvals import couriers
from approvals.cards import Failure, Note, NoticeSettingCard, Parcel
from approvals.events import CHANNELS
from approvals.models import Channel, Notice
from approvals.policies import letters
from approvals.policies import notices as when
from approvals.queries.notices import Asked, member, own_mail, settings_of
from approvals.queries.people import Voters
from approvals.states import ASKS, URGENT, ChannelKind, NoticeReason, NoticeState
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.outbox import hint
from console.kernel.transactions import command

log = structlog.get_logger(__name__)

LEASE_S: Final = 180  # longer than a whole round can take
_MOST_ROWS: Final = 200
_MOST_PARCELS: Final = 16
_AT_ONCE: Final = 8
_HELD_S: Final = 120  # how often something that a stop holds is looked at
_ODDS: Final = 1000


def send_due(*, actor: Actor) -> int:
    """Send what is due in the tenant; returns how many messages were tried.

    Eight receivers at a time, so that a dead one does not hold up the rest, and each gets its
    messages one after the other, so that a decision does not overtake the one before it.
    """
    lines: dict[str, list[Parcel]] = {}
    for parcel in lease_notices(actor=actor):
        lines.setdefault(parcel.address, []).append(parcel)
    if not lines:
        return 0
    with ThreadPoolExecutor(max_workers=min(_AT_ONCE, len(lines))) as crew:
        answers = list(crew.map(couriers.send_in_turn, lines.values()))
    for parcels, failures in zip(lines.values(), answers, strict=True):
        for parcel, failure in zip(parcels, failures, strict=True):
            settle_notices(actor=actor, notice_ids=parcel.notice_ids, failure=failure)
            if failure is not None:
                log.warning("notice.not_sent", channel=parcel.kind.value, error=failure.error)
    return sum(len(parcels) for parcels in lines.values())


@command
def lease_notices(*, actor: Actor) -> tuple[Parcel, ...]:
    """Take what is due and nobody else sends, and write the messages; longest overdue first."""
    at = clock.now()
    room = _PostRoom(actor, at)
    for row in _due(actor, at):
        room.sort(row)
    return room.close()


@command
def settle_notices(*, actor: Actor, notice_ids: Iterable[UUID], failure: Failure | None) -> None:
    """Keep how sending went: sent, to be tried again, or failed for good."""
    at = clock.now()
    mine = Notice.objects.select_for_update().filter(
        tenant_id=actor.tenant_id, pk__in=list(notice_ids), state=NoticeState.QUEUED.value
    )
    for row in mine.order_by("id"):
        row.lease_until = None
        row.last_error = failure.error[:80] if failure else ""
        if failure is None:
            row.state, row.sent_at = NoticeState.SENT.value, at
        elif failure.final or row.attempts >= when.MOST_ATTEMPTS:
            row.state = NoticeState.FAILED.value
        else:
            spread = secrets.randbelow(_ODDS) / _ODDS
            row.next_at = clock.later(at, seconds=when.wait_s(row.attempts, spread=spread))
        row.save(update_fields=["state", "sent_at", "next_at", "lease_until", "last_error"])
    hint(CHANNELS)


@dataclass(slots=True)
class _Pile:
    """What goes into one message."""

    rows: list[Notice] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


class _PostRoom:
    """One round of sorting: what is due, by whom it is for."""

    def __init__(self, actor: Actor, at: datetime) -> None:
        self.actor = actor
        self.at = at
        self.mail = own_mail(actor)
        self.voters = Voters(actor)
        self.asked: dict[UUID, Asked] = {}
        self.wishes: dict[UUID, NoticeSettingCard] = {}
        self.piles: dict[tuple[str, UUID], _Pile] = {}

    def sort(self, row: Notice) -> None:
        """Put a notice on its pile, put it off, or drop it."""
        key = _for_whom(row)
        if key not in self.piles and len(self.piles) >= _MOST_PARCELS:
            return  # the next round takes it
        why_not = self._why_not(row)
        if why_not:
            row.state, row.last_error = NoticeState.DROPPED.value, why_not
            row.save(update_fields=["state", "last_error"])
            return
        later = self._later(row)
        if later is not None and later > self.at:
            row.next_at = later
            row.save(update_fields=["next_at"])
            return
        pile = self.piles.setdefault(key, _Pile())
        pile.rows.append(row)
        pile.notes.append(self._note(row))

    def close(self) -> tuple[Parcel, ...]:
        """Take every pile on its way, and return the messages."""
        parcels = []
        for pile in self.piles.values():
            parcel = self._parcel(pile)
            state = NoticeState.QUEUED if parcel else NoticeState.FAILED
            for row in pile.rows:
                row.attempts += 1
                row.lease_until = clock.later(self.at, seconds=LEASE_S) if parcel else None
                row.state = state.value
                row.last_error = "" if parcel else "channel.secret_lost"
                row.save(update_fields=["attempts", "lease_until", "state", "last_error"])
            parcels += [parcel] if parcel else []
        return tuple(parcels)

    # -- is it still true, and is it time --------------------------------------------------------

    def _why_not(self, row: Notice) -> str:
        """Return why this is not sent any more, as a word; "" if it is."""
        channel = row.channel or self.mail
        if channel is not None and not channel.active:
            return "channel.off"
        if row.person_id and not self._wish(row.person_id).email:
            return "person.no_mail"
        if row.person_id and member(actor=self.actor, person_id=row.person_id) is None:
            return "person.inactive"
        if row.reason not in ASKS or row.proposal is None:
            return ""
        asked = self._asked(row)
        if not asked.waits:
            return "proposal.not_open"
        who = asked.people() if row.person_id else asked.entitled
        mine = row.person_id in who if row.person_id else bool(who)
        return "" if mine else "person.not_their_turn"

    def _later(self, row: Notice) -> datetime | None:
        """Return until when it waits, if it does."""
        if row.reason in ASKS and row.proposal is not None:
            asked = self._asked(row)
            if asked.held:
                return clock.later(self.at, seconds=_HELD_S)
            if row.person_id:
                off = asked.put_off_until(row.person_id, at=self.at)
                if off is not None:
                    return off
        if row.person_id is None or NoticeReason(row.reason) in URGENT:
            return None
        return when.quiet_until(self._wish(row.person_id), at=self.at)

    def _asked(self, row: Notice) -> Asked:
        proposal = row.proposal
        if proposal is None:
            raise RuntimeError("This notice is about no proposal.")
        if proposal.id not in self.asked:
            self.asked[proposal.id] = Asked(self.actor, proposal, self.voters)
        return self.asked[proposal.id]

    def _wish(self, person: UUID) -> NoticeSettingCard:
        if person not in self.wishes:
            self.wishes[person] = settings_of(actor=self.actor, people=[person])[person]
        return self.wishes[person]

    # -- what it says ----------------------------------------------------------------------------

    def _note(self, row: Notice) -> Note:
        reason = NoticeReason(row.reason)
        group = row.channel.group if row.channel else None
        about = row.proposal
        if about is None:
            return Note(reason=reason, at=row.created_at, detail=row.detail, group=group)
        channel = row.channel or self.mail
        return Note(
            reason=reason,
            at=row.created_at,
            detail=row.detail,
            proposal_id=about.id,
            subject_kind=about.subject_kind,
            subject_id=about.subject_id,
            run_id=about.run_id,
            tool=about.tool,
            agent=about.agent_label,
            tier=about.tier,
            title=about.title if channel is not None and channel.titles else "",
            needs=about.needs,
            decide_by=about.decide_by,
            why=self._why(row) if reason in ASKS else "",
            group=group,
        )

    def _why(self, row: Notice) -> str:
        asked = self._asked(row)
        voter = asked.entitled.get(row.person_id) if row.person_id else None
        groups = voter.groups if voter else asked.groups
        return letters.why_asked(asked.requirement, groups)

    def _parcel(self, pile: _Pile) -> Parcel | None:
        """Write the message of a pile; None if the address cannot be read any more."""
        first = pile.rows[0]
        ids = tuple(row.id for row in pile.rows)
        if first.channel is not None:
            return self._to_channel(first.channel, ids, pile.notes)
        person = member(actor=self.actor, person_id=first.person_id) if first.person_id else None
        if person is None:
            return None
        notes = _newest(pile.notes)
        return Parcel(
            notice_ids=ids,
            kind=ChannelKind.EMAIL,
            address=person.email,
            subject=letters.subject(notes),
            text=letters.text(
                notes,
                zone=self._wish(person.id).zone,
                public_url=settings.PUBLIC_URL,
                settings_path=reverse("approvals:notices"),
            ),
        )

    def _to_channel(
        self, channel: Channel, ids: tuple[UUID, ...], notes: list[Note]
    ) -> Parcel | None:
        try:
            address, secret = couriers.unseal(channel.id, bytes(channel.sealed or b""))
        except couriers.Lost:
            return None
        kind = ChannelKind(channel.kind)
        shown = notes if kind is ChannelKind.WEBHOOK else _newest(notes)
        here, subject = settings.PUBLIC_URL, letters.subject(shown)
        text = (
            letters.webhook_body(shown[0], public_url=here)
            if kind is ChannelKind.WEBHOOK
            else letters.text(
                shown,
                zone="UTC",
                public_url=here,
                settings_path="",
                most=couriers.room(kind, address, subject),
            )
        )
        return Parcel(
            notice_ids=ids,
            kind=kind,
            address=address,
            secret=secret,
            subject=subject,
            text=text,
        )


def _due(actor: Actor, at: datetime) -> QuerySet[Notice]:
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=at)
    rows = Notice.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        free, tenant_id=actor.tenant_id, state=NoticeState.QUEUED.value, next_at__lte=at
    )
    return rows.select_related("channel", "proposal").order_by("next_at", "id")[:_MOST_ROWS]


def _for_whom(row: Notice) -> tuple[str, UUID]:
    """Return whose message it goes into; a webhook gets one for each."""
    if row.person_id:
        return "person", row.person_id
    if row.channel is None or row.channel.kind == ChannelKind.WEBHOOK.value:
        return "notice", row.id
    return "channel", row.channel.id


def _newest(notes: list[Note]) -> list[Note]:
    """Return the last word about each proposal that somebody is asked about, in their order."""
    last = {note.proposal_id: note for note in notes if note.reason in ASKS}
    return [note for note in notes if note.reason not in ASKS or last[note.proposal_id] is note]
