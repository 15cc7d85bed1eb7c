"""How people decide, from the votes themselves: the time that each took was kept as it was cast."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, F, Max, Q, QuerySet
from django.db.models.functions import TruncDate, TruncHour

from approvals import policies
from approvals.cards import AttentionCard, AttentionDay, AttentionRow
from approvals.models import Vote
from approvals.queries.checks import check_setting, tallies
from approvals.queries.claims import decisions_of
from approvals.queries.metrics import Percentile
from approvals.queries.people import entitled, seen_by
from approvals.states import Choice
from console.accounts.states import Permission
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import NotAllowed
from console.kernel.spans import Span
from console.kernel.transactions import query

_HOUR: Final = timedelta(hours=1)
_APPROVED: Final = Q(choice=Choice.APPROVE.value)
_REJECTED: Final = Q(choice=Choice.REJECT.value)
_TIMED: Final = _APPROVED & Q(taken_ms__isnull=False, expected_s__isnull=False)
_FAST: Final = _TIMED & Q(taken_ms__lt=F("expected_s") * 1000)
_MS: Final = 1000


@query
def attention(*, actor: Actor, span: Span) -> AttentionCard:
    """Return the reader's own figures; for who leads the reviewers, those of everybody, by name.

    Raises:
        NotAllowed: the reader is no person, or may see no proposal at all.
    """
    seen_by(actor)
    leads = actor.has(Permission.APPROVALS_LEAD)
    votes = Vote.objects.filter(
        tenant_id=actor.tenant_id, cast_at__gte=span.starts_at, cast_at__lt=span.ends_at
    )
    own = None if leads else _own(actor)
    if own is not None:
        votes = votes.filter(person_id=own)
        names = {own: actor.label}
    else:
        people = entitled(actor=actor, tools=())
        names = {person: voter.name for person, voter in people.items()}
    at = clock.now()
    return AttentionCard(
        span=span,
        people=_people(votes, names, tallies(actor.tenant_id, span, person=None if leads else own)),
        only_mine=not leads,
        enough=policies.ENOUGH,
        last_hour=decisions_of(actor, since=at - _HOUR),
        days=_days(votes, span),
        planting=check_setting(actor=actor),
        may_switch=actor.has(Permission.POLICIES_MANAGE),
        as_of=at,
    )


def _own(actor: Actor) -> UUID:
    if not actor.is_person:
        raise NotAllowed("Only people have figures of their own; ask somebody who leads them.")
    return UUID(actor.id)


def _people(
    votes: QuerySet[Vote], names: Mapping[UUID, str], checks: Mapping[UUID, tuple[int, int]]
) -> tuple[AttentionRow, ...]:
    counted = votes.values("person_id").annotate(
        name=Max("person_label"),
        decisions=Count("pk"),
        approvals=Count("pk", filter=_APPROVED),
        rejections=Count("pk", filter=_REJECTED),
        timed=Count("pk", filter=_TIMED),
        too_fast=Count("pk", filter=_FAST),
        known=Count("taken_ms"),
        median_ms=Percentile("taken_ms", share=0.5),
    )
    found = {row["person_id"]: row for row in counted}
    hours = _hours(votes)
    rows = [
        _row(
            person,
            names.get(person, ""),
            {**found.get(person, _NOTHING), "checks": checks.get(person, (0, 0))},
            hours[person],
        )
        for person in {*names, *found}
    ]
    return tuple(sorted(rows, key=lambda row: (row.name.casefold(), str(row.person_id))))


_NOTHING: Final[Mapping[str, Any]] = {
    "name": "",
    "decisions": 0,
    "approvals": 0,
    "rejections": 0,
    "timed": 0,
    "too_fast": 0,
    "known": 0,
    "median_ms": None,
}


def _hours(votes: QuerySet[Vote]) -> Mapping[UUID, list[int]]:
    """Return how many each person cast in every hour of the clock in which there was one."""
    rows = (
        votes.annotate(hour=TruncHour("cast_at", tzinfo=UTC))
        .values_list("person_id", "hour")
        .annotate(cast=Count("pk"))
    )
    found: dict[UUID, list[int]] = defaultdict(list)
    for person, _hour, cast in rows:
        found[person].append(cast)
    return found


def _row(person: UUID, name: str, row: Mapping[str, Any], hours: Iterable[int]) -> AttentionRow:
    each = list(hours)
    decisions = row["decisions"]
    median = row["median_ms"] if row["known"] >= policies.ENOUGH else None
    return AttentionRow(
        person_id=person,
        name=name or row["name"],
        decisions=decisions,
        approvals=row["approvals"],
        rejections=row["rejections"],
        timed=row["timed"],
        too_fast=row["too_fast"],
        median_s=None if median is None else round(median / _MS, 1),
        too_fast_share=_share(row["too_fast"], row["timed"]),
        approval_share=_share(row["approvals"], decisions),
        reject_share=_share(row["rejections"], decisions),
        per_hour=round(decisions / len(each), 1) if decisions >= policies.ENOUGH else None,
        busiest=max(each, default=0),
        checks_caught=row["checks"][0],
        checks=row["checks"][1],
    )


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole >= policies.ENOUGH else None


def _days(votes: QuerySet[Vote], span: Span) -> tuple[AttentionDay, ...]:
    rows = (
        votes.annotate(day=TruncDate("cast_at", tzinfo=UTC))
        .values("day")
        .annotate(
            approved=Count("pk", filter=_APPROVED),
            too_fast=Count("pk", filter=_FAST),
            rejected=Count("pk", filter=_REJECTED),
        )
    )
    found: dict[date, Mapping[str, Any]] = {row["day"]: row for row in rows}
    nothing: Mapping[str, Any] = {"approved": 0, "too_fast": 0, "rejected": 0}
    return tuple(_day(day, found.get(day, nothing)) for day in span.days())


def _day(day: date, row: Mapping[str, Any]) -> AttentionDay:
    return AttentionDay(
        day=day,
        in_time=row["approved"] - row["too_fast"],
        too_fast=row["too_fast"],
        rejected=row["rejected"],
    )
