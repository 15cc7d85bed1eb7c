"""Queueing notices: who is told what. They leave later, between transactions; see `sending`.

Only who can decide is asked, and never because somebody voted: a vote that is hidden shows in no
notice, in no count and in no time at which one comes.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from approvals.cards import NoticeSettingCard
from approvals.models import Channel, Notice, Proposal
from approvals.policies import notices as when
from approvals.queries.notices import (
    Asked,
    is_part,
    is_silent,
    leads,
    of_policies,
    requesters,
    settings_of,
    told_before,
    was_automatic,
)
from approvals.queries.people import Voters
from approvals.states import ASKS, URGENT, NoticeReason
from console.accounts import queries as accounts
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.transactions import command

_MOST_DETAIL = 64
# What comes late, or was asked for, reaches those as well who decided very much in the last hour.
_TOLD_TO_ALL = frozenset({NoticeReason.REMINDED, NoticeReason.ANSWERED})


@command
def notify(
    *,
    actor: Actor,
    people: Iterable[UUID],
    reason: NoticeReason,
    proposal_id: UUID | None = None,
    no: int = 0,
    detail: str = "",
) -> int:
    """Tell these people something, each of them once; returns how many are told.

    Whoever is not an active person of the tenant, or wants no mail, is left out.

    Args:
        no: tells two of the same reason about the same proposal apart.
        detail: a word of ours; never anything that somebody wrote.
    """
    row = _row(actor, proposal_id) if proposal_id else None
    who = sorted(accounts.active_among(actor=actor, people=set(people)))
    if row is not None and is_silent(row):
        return 0
    return _tell(actor, row, who, (), reason=reason, no=no, detail=detail)


@command
def ask_deciders(
    *,
    actor: Actor,
    proposal_id: UUID,
    reason: NoticeReason,
    no: int | None = None,
    only: UUID | None = None,
    only_new: bool = False,
) -> int:
    """Tell everybody who can decide a proposal now that it is their turn; returns how many.

    Args:
        no: tells two of the same reason apart; by default they are of two clocks.
        only: nobody but this person, if they can decide it.
        only_new: nobody who was asked about it before.
    """
    row = _row(actor, proposal_id)
    if row is None or is_silent(row) or is_part(row):
        return 0
    asked = Asked(actor, row, Voters(actor))
    if not asked.waits:
        return 0
    people = set(asked.people())
    if reason not in _TOLD_TO_ALL:
        people &= asked.first()
    channels = [] if only else _channels_that_ask(actor, asked)
    if only:
        people &= {only}
    if only_new:
        known, rooms = told_before(row)
        people -= known
        channels = [one for one in channels if one.id not in rooms]
    number = row.clock_no if no is None else no
    return _tell(actor, row, sorted(people), channels, reason=reason, no=number)


@command
def tell_outcome(
    *, actor: Actor, proposal_id: UUID, reason: NoticeReason, detail: str = "", no: int = 0
) -> int:
    """Tell who asked for a change, and the channels for outcomes, how it went; returns how many."""
    row = _row(actor, proposal_id)
    if row is None or is_silent(row) or is_part(row):  # of a plan, its own end tells of all
        return 0
    people = requesters(actor=actor, row=row)
    if reason in {NoticeReason.APPROVED, NoticeReason.EXECUTED} and was_automatic(row):
        wishes = settings_of(actor=actor, people=people)
        people = frozenset(one for one in people if wishes[one].automatic)
    rooms = _shared(actor).filter(outcomes=True)
    return _tell(actor, row, sorted(people), list(rooms), reason=reason, no=no, detail=detail)


@command
def tell_leads(*, actor: Actor, proposal_id: UUID) -> int:
    """Tell who leads the reviewers that nobody can complete a proposal; returns how many."""
    row = _row(actor, proposal_id)
    if row is None or is_silent(row) or row.unfillable_since is None:
        return 0
    number = int(row.unfillable_since.timestamp()) % 2**31
    people = sorted(leads(actor=actor))
    return _tell(actor, row, people, (), reason=NoticeReason.DEAD_END, no=number)


@command
def tell_of_rule(*, actor: Actor, reason: NoticeReason, no: int) -> int:
    """Tell who answers for policies that a rule asks people, or allows again; returns how many.

    Which rule it is stands on the page that it links: a rule's name is somebody's own words.
    """
    people = sorted(of_policies(actor=actor))
    return _tell(actor, None, people, (), reason=reason, no=no)


def _row(actor: Actor, proposal_id: UUID) -> Proposal | None:
    return Proposal.objects.filter(tenant_id=actor.tenant_id, pk=proposal_id).first()


def _shared(actor: Actor) -> QuerySet[Channel]:
    return Channel.objects.filter(tenant_id=actor.tenant_id, active=True, sealed__isnull=False)


def _channels_that_ask(actor: Actor, asked: Asked) -> list[Channel]:
    """Return the shared channels of groups in which somebody can decide; of all, if anybody can."""
    rows = _shared(actor).filter(asks=True)
    return [row for row in rows if asked.entitled and (not row.group or row.group in asked.groups)]


def _tell(
    actor: Actor,
    row: Proposal | None,
    people: Iterable[UUID],
    channels: Iterable[Channel],
    *,
    reason: NoticeReason,
    no: int,
    detail: str = "",
) -> int:
    at = clock.now()
    who = list(people)
    wishes = settings_of(actor=actor, people=who)
    shared = {
        "tenant_id": actor.tenant_id,
        "proposal": row,
        "reason": reason.value,
        "no": no,
        "detail": detail[:_MOST_DETAIL],
        "created_at": at,
    }
    told = [
        Notice(person_id=one, next_at=_leaves_at(wishes[one], row, reason, at), **shared)
        for one in who
        if wishes[one].email
    ]
    told += [Notice(channel=one, next_at=at, **shared) for one in channels]
    Notice.objects.bulk_create(told, ignore_conflicts=True)
    return len(told)


def _leaves_at(
    setting: NoticeSettingCard, row: Proposal | None, reason: NoticeReason, at: datetime
) -> datetime:
    waits = row.decide_by if row is not None and reason in ASKS else None
    return when.leaves_at(setting, at=at, decide_by=waits, urgent=reason in URGENT)
