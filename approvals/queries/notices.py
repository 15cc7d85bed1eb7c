"""Who is to be told what, and how telling them went."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Count, Max, Q

from approvals import policies
from approvals.cards import ChannelCard, Delivery, NoticeSettingCard, Requirement, Voter
from approvals.models import (
    Channel,
    Comment,
    Decision,
    Freeze,
    Notice,
    NoticeSetting,
    PrincipalRow,
    Proposal,
    RequirementRow,
    Snooze,
    Vote,
)
from approvals.queries.claims import busy_people
from approvals.queries.people import Voters, tools_of
from approvals.states import (
    ASKS,
    Basis,
    ChannelKind,
    NoticeReason,
    NoticeState,
    PrincipalRole,
    ProposalState,
)
from console.accounts import queries as accounts
from console.accounts.cards import PersonCard
from console.accounts.states import PERMISSIONS_OF, Permission
from console.kernel import clock, tenancy
from console.kernel.actors import Actor, ActorKind
from console.kernel.errors import NotAllowed, NotFound
from console.kernel.transactions import query

OWN_MAIL: Final = "E-mail to each person"
MOST_PEOPLE: Final = 2000
_DAYS_COUNTED: Final = 7
_ASKING: Final = sorted(reason.value for reason in ASKS)
_HEAR: Final = [PrincipalRole.OWNER.value, PrincipalRole.STARTER.value]
_NOBODY_ASKED: Final = [Basis.RULE.value, Basis.STANDING.value]


class Asked:
    """Who can decide one proposal at this moment. Nothing here looks at what others voted."""

    def __init__(self, actor: Actor, row: Proposal, voters: Voters) -> None:
        self.actor = actor
        self.row = row
        self.requirement: Requirement = RequirementRow.newest(row).card()
        chain = [one.card() for one in PrincipalRow.objects.filter(proposal=row)]
        self.entitled: Mapping[UUID, Voter] = {
            voter.person_id: voter
            for voter in voters.of(tools_of(row)).values()
            if policies.who_refusal(voter, self.requirement, chain) is None
        }
        self.held = Freeze.objects.filter(proposal=row, until__isnull=True).exists()

    @property
    def waits(self) -> bool:
        return self.row.state == ProposalState.OPEN.value

    @property
    def groups(self) -> frozenset[str]:
        """Return the groups of which somebody can decide it."""
        return frozenset(group for voter in self.entitled.values() for group in voter.reach)

    def people(self) -> frozenset[UUID]:
        """Return who can decide it and has not voted themselves."""
        return frozenset(self.entitled) - self.voted()

    def first(self) -> frozenset[UUID]:
        """Return whom to tell first: others before those who decided very much in the last hour."""
        busy = busy_people(self.actor, at=clock.now())
        return policies.others_first(self.entitled.values(), busy, self.requirement)

    def voted(self) -> frozenset[UUID]:
        mine = Vote.objects.filter(proposal=self.row, voided_at__isnull=True)
        return frozenset(mine.values_list("person_id", flat=True))

    def put_off_until(self, person: UUID, *, at: datetime) -> datetime | None:
        """Return until when somebody put it off, if it is as it was then."""
        mine = Snooze.objects.filter(
            proposal=self.row, person_id=person, until__gt=at, row_version=self.row.row_version
        )
        return mine.values_list("until", flat=True).first()


def is_silent(row: Proposal) -> bool:
    """Say whether nobody is told of a proposal: a planted check."""
    return bool(getattr(row, "is_check", False))


def is_part(row: Proposal) -> bool:
    """Say whether a proposal takes no votes because the plan that it belongs to does."""
    return row.plan_id is not None


def told_before(row: Proposal) -> tuple[frozenset[UUID | None], frozenset[UUID | None]]:
    """Return which people and which channels were asked about a proposal already."""
    told = Notice.objects.filter(proposal=row, reason__in=_ASKING)
    people = told.filter(person_id__isnull=False).values_list("person_id", flat=True)
    rooms = told.filter(channel_id__isnull=False).values_list("channel_id", flat=True)
    return frozenset(people), frozenset(rooms)


def requesters(*, actor: Actor, row: Proposal) -> frozenset[UUID]:
    """Return the people who started it or own the agent, as far as they belong to the tenant."""
    chain = PrincipalRow.objects.filter(
        proposal=row, role__in=_HEAR, person_id__isnull=False
    ).values_list("person_id", flat=True)
    return accounts.active_among(actor=actor, people=[one for one in chain if one])


def leads(*, actor: Actor) -> frozenset[UUID]:
    """Return the active people who lead the reviewers."""
    return _holders(actor, {Permission.APPROVALS_LEAD})


def of_policies(*, actor: Actor) -> frozenset[UUID]:
    """Return the active people who answer for policies: who may change them, and who leads."""
    return _holders(actor, {Permission.APPROVALS_LEAD, Permission.POLICIES_MANAGE})


def _holders(actor: Actor, rights: Collection[Permission]) -> frozenset[UUID]:
    roles = {role for role, held in PERMISSIONS_OF.items() if held.intersection(rights)}
    everybody = accounts.people(actor=actor, limit=MOST_PEOPLE)
    return frozenset(one.id for one in everybody if one.active and roles.intersection(one.roles))


def member(*, actor: Actor, person_id: UUID) -> PersonCard | None:
    """Return an active person of the tenant, or None."""
    try:
        card = accounts.person_card(actor=actor, person_id=person_id)
    except NotFound:
        return None
    return card if card.active else None


def was_automatic(row: Proposal) -> bool:
    """Say whether a rule or a standing approval agreed, and nobody was asked."""
    return Decision.objects.filter(
        proposal=row, voided_at__isnull=True, basis__in=_NOBODY_ASKED
    ).exists()


def settings_of(*, actor: Actor, people: Collection[UUID]) -> Mapping[UUID, NoticeSettingCard]:
    """Return how each of these people wants to be told."""
    rows = NoticeSetting.objects.filter(tenant_id=actor.tenant_id, person_id__in=people)
    kept = {row.person_id: row.card() for row in rows}
    return {person: kept.get(person, NoticeSettingCard()) for person in people}


def own_mail(actor: Actor) -> Channel | None:
    """Return what the tenant says of mail to people; None as long as it says nothing."""
    return Channel.objects.filter(tenant_id=actor.tenant_id, sealed__isnull=True).first()


def tenants_to_tell() -> frozenset[UUID]:
    """Return the tenants in which a notice is due: one question for all of them, and only ids."""
    at = clock.now()
    with tenancy.unscoped(), connection.cursor() as cursor:
        cursor.execute("SELECT approvals_tenants_to_tell(%s)", [at])
        return frozenset(row[0] for row in cursor.fetchall())


@query
def notice_setting(*, actor: Actor) -> NoticeSettingCard:
    """Return how the person who asks wants to be told."""
    person = own_id(actor)
    return settings_of(actor=actor, people=[person])[person]


@query
def own_notices(*, actor: Actor, limit: int = 50) -> tuple[Delivery, ...]:
    """Return what the person who asks was told lately, newest first."""
    return _log(Q(tenant_id=actor.tenant_id, person_id=own_id(actor)), None, limit)


@query
def channels(*, actor: Actor) -> tuple[ChannelCard, ...]:
    """Return the ways out, mail to people first, then by title; counts are of the last week."""
    accounts.require(actor, Permission.ACCOUNTS_MANAGE)
    rows = Channel.objects.filter(tenant_id=actor.tenant_id).select_related("made_by")
    tallies = _tallies(actor)
    mine = next((row for row in rows if row.sealed is None), None)
    shared = sorted((row for row in rows if row.sealed is not None), key=lambda row: row.title)
    own = tallies.get(None)
    return (
        _card(mine, own, made_by=mine.made_by.name)
        if mine
        else _card(_unsaid(actor), own, made_by=""),
        *(_card(row, tallies.get(row.id), made_by=row.made_by.name) for row in shared),
    )


@query
def deliveries(
    *,
    actor: Actor,
    failed: bool = False,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 100,
) -> tuple[Delivery, ...]:
    """Return what was sent or is to be, newest first; `before` is (at, id) of the last seen."""
    accounts.require(actor, Permission.ACCOUNTS_MANAGE)
    wanted = Q(tenant_id=actor.tenant_id)
    if failed:
        wanted &= Q(state=NoticeState.FAILED.value)
    return _log(wanted, before, limit)


@query
def asker_of(*, actor: Actor, comment_id: UUID) -> UUID | None:
    """Return the person who asked something, or None if it was no person of the console."""
    found = Comment.objects.filter(
        tenant_id=actor.tenant_id, pk=comment_id, author_kind=ActorKind.PERSON.value
    ).first()
    return UUID(found.author_id) if found else None


def own_id(actor: Actor) -> UUID:
    if not actor.is_person:
        raise NotAllowed("Only people are told by mail; a program takes a webhook.")
    return UUID(actor.id)


def _tallies(actor: Actor) -> Mapping[UUID | None, Mapping[str, Any]]:
    """Return counts by channel; mail to people is under None."""
    since = clock.now() - timedelta(days=_DAYS_COUNTED)
    rows = Notice.objects.filter(tenant_id=actor.tenant_id, created_at__gte=since).values(
        "channel_id"
    )
    counted = rows.annotate(
        waiting=Count("id", filter=Q(state=NoticeState.QUEUED.value)),
        failed=Count("id", filter=Q(state=NoticeState.FAILED.value)),
        last=Max("sent_at"),
    )
    return {row["channel_id"]: row for row in counted}


def _unsaid(actor: Actor) -> Channel:
    """Return what holds of mail to people until somebody says something else."""
    return Channel(
        tenant_id=actor.tenant_id,
        kind=ChannelKind.EMAIL.value,
        title=OWN_MAIL,
        shown="",
        group="",
        asks=True,
        outcomes=True,
    )


def _card(row: Channel, tally: Mapping[str, Any] | None, *, made_by: str) -> ChannelCard:
    counts = tally or {"waiting": 0, "failed": 0, "last": None}
    return ChannelCard(
        id=row.id,
        kind=ChannelKind(row.kind),
        title=row.title,
        shown=row.shown,
        group=row.group,
        asks=row.asks,
        outcomes=row.outcomes,
        titles=row.titles,
        active=row.active,
        own_mail=row.sealed is None,
        made_by=made_by,
        waiting=counts["waiting"],
        failed=counts["failed"],
        sent_at=counts["last"],
    )


def _log(wanted: Q, before: tuple[datetime, UUID] | None, limit: int) -> tuple[Delivery, ...]:
    rows = Notice.objects.filter(wanted).select_related("person", "channel", "proposal")
    if before is not None:
        at, last = before
        rows = rows.filter(Q(created_at__lt=at) | Q(created_at=at, id__lt=last))
    return tuple(
        Delivery(
            id=row.id,
            at=row.created_at,
            reason=NoticeReason(row.reason),
            tool=row.proposal.tool if row.proposal else "",
            proposal_id=row.proposal_id,
            to=_to(row),
            state=NoticeState(row.state),
            attempts=row.attempts,
            next_at=row.next_at,
            sent_at=row.sent_at,
            last_error=row.last_error,
        )
        for row in rows.order_by("-created_at", "-id")[:limit]
    )


def _to(row: Notice) -> str:
    if row.channel is not None:
        return row.channel.title
    return row.person.name if row.person else ""
