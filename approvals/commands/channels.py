"""Ways out for notices, and how a person wants to be told."""

from datetime import time
from typing import Final
from uuid import UUID
from zoneinfo import available_timezones

from approvals import couriers
from approvals.cards import NewChannel, NoticeSettingCard
from approvals.commands.noticing import notify
from approvals.errors import ChannelOff, ChannelsFull, ChannelTitleTaken, JustTested
from approvals.events import ChannelAdded, ChannelSwitched, ChannelTested
from approvals.models import Channel, Notice, NoticeSetting
from approvals.queries.notices import OWN_MAIL, own_id, own_mail
from approvals.states import ChannelKind, Digest, NoticeReason
from audit.commands import record
from console.accounts import queries as accounts
from console.accounts.states import Permission
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import BadInput, NotAllowed, NotFound
from console.kernel.ids import uuid7
from console.kernel.lines import require_plain_line
from console.kernel.transactions import command

MOST_CHANNELS: Final = 50
_MINUTE_S: Final = 60


@command
def add_channel(
    *,
    actor: Actor,
    kind: ChannelKind,
    title: str,
    address: str,
    group: str = "",
    asks: bool = True,
    outcomes: bool = False,
) -> NewChannel:
    """Have notices go somewhere new; the receipt holds a webhook's secret, this once.

    Args:
        group: tell only of what people of this review group can decide; "" for every group.
        asks: tell whose turn it is. outcomes: tell how proposals ended.

    Raises:
        BadInput: the title, the address or the group is none.
        ChannelTitleTaken, ChannelsFull: choose another title, or there is no room.
    """
    person = _manager(actor)
    require_plain_line("title", title)
    if not asks and not outcomes:
        raise _bad("asks", "Choose at least one thing that it tells of.")
    if group and group not in {one.slug for one in accounts.groups(actor=actor)}:
        raise _bad("group", "There is no such review group; choose one of the list.")
    try:
        shown = couriers.described(kind, address)
    except ValueError as error:
        raise _bad("address", str(error)) from error
    if Channel.objects.filter(tenant_id=actor.tenant_id).count() >= MOST_CHANNELS:
        raise ChannelsFull(f"There are {MOST_CHANNELS} channels already; use one of them.")
    secret = couriers.new_secret() if kind is ChannelKind.WEBHOOK else ""
    row = Channel(
        id=uuid7(),
        tenant_id=actor.tenant_id,
        kind=kind.value,
        title=title,
        shown=shown[:200],
        group=group,
        asks=asks,
        outcomes=outcomes,
        made_by_id=person,
    )
    row.sealed = couriers.seal(row.id, address=address, secret=secret)
    Channel.objects.bulk_create([row], ignore_conflicts=True)
    if not Channel.objects.filter(pk=row.pk).exists():
        raise ChannelTitleTaken("A channel has this title already; choose another one.")
    _record_added(actor, row)
    return NewChannel(id=row.id, title=title, secret=secret)


@command
def switch_channel(*, actor: Actor, channel_id: UUID, active: bool, titles: bool) -> None:
    """Turn a channel on or off, and say whether it may tell the titles of proposals.

    Raises:
        NotFound: there is no such channel.
    """
    _manager(actor)
    _switch(actor, _locked(actor, channel_id), active=active, titles=titles)


@command
def switch_own_mail(*, actor: Actor, active: bool, titles: bool) -> None:
    """Say the same of the mail that each person gets at their own address."""
    person = _manager(actor)
    row = own_mail(actor)
    if row is None:
        made = Channel(
            tenant_id=actor.tenant_id,
            kind=ChannelKind.EMAIL.value,
            title=OWN_MAIL,
            shown="",
            group="",
            asks=True,
            outcomes=True,
            made_by_id=person,
        )
        # Two who are first at once make one row; the other waits here for it.
        Channel.objects.bulk_create([made], ignore_conflicts=True)
        row = own_mail(actor)
        if row is None:
            raise ChannelTitleTaken(f"Another channel is called {OWN_MAIL}; turn that one off.")
        if row.pk == made.pk:
            _record_added(actor, row)
    _switch(actor, _locked(actor, row.id), active=active, titles=titles)


@command
def try_channel(*, actor: Actor, channel_id: UUID) -> None:
    """Send a test through a shared channel; the log of deliveries says how it went.

    Raises:
        NotFound: there is no such channel.
        ChannelOff, JustTested: turn it on first, or wait a minute.
    """
    _manager(actor)
    row = _locked(actor, channel_id)
    if row.sealed is None:
        raise NotFound("Each person tests their own mail, on their page of notices.")
    if not row.active:
        raise ChannelOff("This channel is off; turn it on before you test it.")
    at = clock.now()
    notice = Notice(
        tenant_id=actor.tenant_id,
        channel=row,
        reason=NoticeReason.TEST.value,
        no=int(at.timestamp()) // _MINUTE_S,
        detail="",
        next_at=at,
    )
    Notice.objects.bulk_create([notice], ignore_conflicts=True)
    _require_new(notice)
    record(ChannelTested(channel_id=row.id), actor=actor)


@command
def try_own_mail(*, actor: Actor) -> None:
    """Send the person who asks a test by mail.

    Raises:
        ChannelOff: they want no mail, or nobody gets any.
        JustTested: wait a minute.
    """
    person = own_id(actor)
    mail = own_mail(actor)
    if mail is not None and not mail.active:
        raise ChannelOff("Mail to people is off here; ask an administrator to turn it on.")
    number = int(clock.now().timestamp()) // _MINUTE_S
    mine = Notice.objects.filter(
        tenant_id=actor.tenant_id, person_id=person, reason=NoticeReason.TEST.value
    )
    if mine.filter(no=number).exists():
        raise _just_tested()
    if not notify(actor=actor, people=[person], reason=NoticeReason.TEST, no=number):
        raise ChannelOff("You have turned mail off; turn it on before you test it.")


@command
def set_notices(*, actor: Actor, setting: NoticeSettingCard) -> None:
    """Keep how the person who asks wants to be told.

    Raises:
        BadInput: the zone is none, or only one end of the quiet hours is given.
    """
    person = own_id(actor)
    if setting.zone not in available_timezones():
        raise _bad("zone", "There is no such time zone; write one like Europe/Berlin.")
    _require_both(setting.quiet_from, setting.quiet_until)
    row = NoticeSetting(
        tenant_id=actor.tenant_id,
        person_id=person,
        email=setting.email,
        digest=Digest(setting.digest).value,
        quiet_from=setting.quiet_from,
        quiet_until=setting.quiet_until,
        zone=setting.zone,
        automatic=setting.automatic,
    )
    NoticeSetting.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["tenant_id", "person"],
        update_fields=["email", "digest", "quiet_from", "quiet_until", "zone", "automatic"],
    )


def _manager(actor: Actor) -> UUID:
    accounts.require(actor, Permission.ACCOUNTS_MANAGE)
    if not actor.is_person:
        raise NotAllowed("Only a person says where notices go; sign in and do it there.")
    return UUID(actor.id)


def _locked(actor: Actor, channel_id: UUID) -> Channel:
    row = (
        Channel.objects.select_for_update().filter(tenant_id=actor.tenant_id, pk=channel_id).first()
    )
    if row is None:
        raise NotFound("There is no such channel here; look at the list of channels.")
    return row


def _switch(actor: Actor, row: Channel, *, active: bool, titles: bool) -> None:
    if (row.active, row.titles) == (active, titles):
        return
    row.active, row.titles = active, titles
    row.save(update_fields=["active", "titles"])
    record(ChannelSwitched(channel_id=row.id, active=active, titles=titles), actor=actor)


def _record_added(actor: Actor, row: Channel) -> None:
    record(
        ChannelAdded(
            channel_id=row.id,
            channel_kind=row.kind,
            shown=row.shown,
            group=row.group,
            asks=row.asks,
            outcomes=row.outcomes,
            active=row.active,
        ),
        actor=actor,
    )


def _require_new(notice: Notice) -> None:
    if not Notice.objects.filter(pk=notice.pk).exists():
        raise _just_tested()


def _just_tested() -> JustTested:
    return JustTested("A test left less than a minute ago; look whether it came.")


def _require_both(begin: time | None, end: time | None) -> None:
    if (begin is None) != (end is None):
        name = "quiet_from" if begin is None else "quiet_until"
        raise _bad(name, "Give both ends of the quiet hours, or none.")


def _bad(name: str, sentence: str) -> BadInput:
    return BadInput(sentence, fields={name: [sentence]})
