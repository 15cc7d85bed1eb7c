"""How deciding goes, over the proposals that were opened in a range of days.

Everything is counted from the tables that decide; there is no second book that could differ.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    Aggregate,
    Count,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    FloatField,
    Func,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
)
from django.db.models.functions import Coalesce, Extract, NullIf, TruncDate

from approvals.cards import DayTally, MetricsCard, ReviewerRow, Tally, TallyRow
from approvals.models import Decision, Evaluation, PrincipalRow, Proposal, Revision, Served, Vote
from approvals.queries.people import seen_by
from approvals.states import Basis, Choice, Outcome, PrincipalRole, ProposalState, Purpose
from console.accounts.states import Permission
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.spans import Span
from console.kernel.transactions import query

ROWS_SHOWN: Final = 100
NO_RULE: Final = "(tier default)"
_ENDED: Final = {ProposalState.WITHDRAWN.value, ProposalState.SUPERSEDED.value}
_AGREED: Final = {ProposalState.APPROVED.value, ProposalState.DISPATCHED.value}
_AUTOMATIC: Final = [Basis.RULE.value, Basis.STANDING.value]


class By(StrEnum):
    """What the rows stand for."""

    TOOL = "tool"
    AGENT = "agent"
    RULE = "rule"


class Percentile(Aggregate):
    """`percentile_cont`: the value below which this share lies, interpolated."""

    template = "percentile_cont(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()

    def __init__(self, expression: Any, *, share: float, **extra: Any) -> None:
        super().__init__(expression, share=share, **extra)


class Unnest(Func):
    """One row for each member of an array."""

    function = "unnest"
    output_field = TextField()
    set_returning = True


@query
def metrics(*, actor: Actor, span: Span, by: By, limit: int = ROWS_SHOWN) -> MetricsCard:
    """Return counts and times to decide, whole and by tool, agent or rule.

    Raises:
        NotAllowed: the actor may see no proposal at all.
    """
    rows = _cohort(actor, span)
    grouped = rows.annotate(key=_KEYS[by]()).values("key").annotate(**_SUMS)
    found = list(grouped.order_by(F("held").desc(), "key"))
    only_mine = not actor.has(Permission.AUDIT_VIEW)
    return MetricsCard(
        span=span,
        total=_tally(rows.aggregate(**_SUMS)),
        rows=tuple(TallyRow(key=row["key"], tally=_tally(row)) for row in found[:limit]),
        groups=len(found),
        reviewers=_reviewers(actor, span, only_mine=only_mine),
        only_mine=only_mine,
        days=_days(actor, span),
        as_of=clock.now(),
    )


def _cohort(actor: Actor, span: Span) -> QuerySet[Proposal]:
    """Return the proposals that were opened in the range, with what became of them."""
    decisions = Decision.objects.filter(proposal=OuterRef("pk"), voided_at__isnull=True)
    revisions = Revision.objects.filter(proposal=OuterRef("pk"))
    decided = decisions.filter(basis=Basis.PEOPLE.value).order_by("-decided_at")
    return (
        Proposal.objects.filter(
            tenant_id=actor.tenant_id,
            plan__isnull=True,  # people decide about the plan
            created_at__gte=span.starts_at,
            created_at__lt=span.ends_at,
        )
        .filter(seen_by(actor).rows)
        .annotate(
            is_automatic=Exists(decisions.filter(basis__in=_AUTOMATIC)),
            is_blocked=Q(state=ProposalState.BLOCKED.value)
            & ~Exists(Decision.objects.filter(proposal=OuterRef("pk"))),
            is_approved=Exists(
                decisions.filter(outcome=Outcome.APPROVED.value).exclude(basis__in=_AUTOMATIC)
            ),
            was_stale=Q(staled_at__isnull=False),
            was_edited=Exists(revisions.filter(cause="edited")),
            took_s=Extract(
                ExpressionWrapper(
                    Subquery(decided.values("decided_at")[:1]) - F("created_at"), DurationField()
                ),
                "epoch",
            ),
        )
    )


def _by_rule() -> Unnest:
    """Return a row for each rule that matched when the proposal opened; one for none."""
    first = Evaluation.objects.filter(
        proposal=OuterRef("pk"), purpose=Purpose.PROPOSE.value, revision_no=1
    )
    texts: ArrayField[Any, Any] = ArrayField(TextField())
    named = NullIf(Subquery(first.values("rules")[:1]), Value([], output_field=texts))
    return Unnest(Coalesce(named, Value([NO_RULE], output_field=texts)))


_KEYS: Final[dict[By, Callable[[], Any]]] = {
    By.TOOL: lambda: F("tool"),
    By.AGENT: lambda: F("agent_label"),
    By.RULE: _by_rule,
}
_HELD: Final = Q(is_automatic=False, is_blocked=False)
_SUMS: Final[dict[str, Aggregate]] = {
    "automatic": Count("pk", filter=Q(is_automatic=True)),
    "blocked": Count("pk", filter=Q(is_blocked=True)),
    "held": Count("pk", filter=_HELD),
    "approved": Count("pk", filter=_HELD & Q(is_approved=True)),
    "rejected": Count("pk", filter=Q(state=ProposalState.REJECTED.value)),
    "expired": Count("pk", filter=Q(state=ProposalState.EXPIRED.value, is_approved=False)),
    "withdrawn": Count("pk", filter=_HELD & Q(state__in=_ENDED, is_approved=False)),
    "stale": Count("pk", filter=_HELD & Q(was_stale=True)),
    "edited": Count("pk", filter=_HELD & Q(was_edited=True)),
    "median_s": Percentile("took_s", share=0.5),
    "p95_s": Percentile("took_s", share=0.95),
}


def _tally(row: Mapping[str, Any]) -> Tally:
    return Tally(**{name: row[name] for name in _SUMS})


# -- people --------------------------------------------------------------------------------------


def _reviewers(actor: Actor, span: Span, *, only_mine: bool) -> tuple[ReviewerRow, ...]:
    votes = Vote.objects.filter(
        tenant_id=actor.tenant_id, cast_at__gte=span.starts_at, cast_at__lt=span.ends_at
    )
    if only_mine:
        votes = votes.filter(person_id=UUID(actor.id)) if actor.is_person else votes.none()
    shown = Served.objects.filter(
        revision=OuterRef("revision"), person=OuterRef("person")
    ).order_by("served_at")
    took = ExpressionWrapper(
        F("cast_at") - Subquery(shown.values("served_at")[:1]), DurationField()
    )
    rows = (
        votes.annotate(took_s=Extract(took, "epoch"))
        .values("person_id")
        .annotate(
            name=Max("person_label"),
            votes=Count("pk"),
            approvals=Count("pk", filter=Q(choice=Choice.APPROVE.value)),
            rejections=Count("pk", filter=Q(choice=Choice.REJECT.value)),
            median_s=Percentile("took_s", share=0.5),
            p95_s=Percentile("took_s", share=0.95),
        )
    )
    edits = dict(_edits(actor, span))
    found = [
        ReviewerRow(edits=edits.get(str(row["person_id"]), 0), **_without_person(row))
        for row in rows
    ]
    return tuple(sorted(found, key=lambda row: row.name))


def _edits(actor: Actor, span: Span) -> Iterable[tuple[str, int]]:
    edited = PrincipalRow.objects.filter(
        tenant_id=actor.tenant_id,
        role=PrincipalRole.EDITOR.value,
        created_at__gte=span.starts_at,
        created_at__lt=span.ends_at,
    )
    rows = edited.values("person_id").annotate(count=Count("proposal", distinct=True))
    return ((str(row["person_id"]), row["count"]) for row in rows)


def _without_person(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "person_id"}


# -- days ----------------------------------------------------------------------------------------


def _days(actor: Actor, span: Span) -> tuple[DayTally, ...]:
    """Return how many were settled on each day, whenever they were opened."""
    rows = (
        Proposal.objects.filter(
            tenant_id=actor.tenant_id,
            plan__isnull=True,
            moved_at__gte=span.starts_at,
            moved_at__lt=span.ends_at,
        )
        .filter(seen_by(actor).rows)
        .annotate(day=TruncDate("moved_at", tzinfo=UTC))
        .values("day")
        .annotate(
            approved=Count("pk", filter=Q(state__in=_AGREED)),
            rejected=Count("pk", filter=Q(state=ProposalState.REJECTED.value)),
            expired=Count("pk", filter=Q(state=ProposalState.EXPIRED.value)),
        )
    )
    found = {row["day"]: row for row in rows}
    nothing: dict[str, Any] = {"approved": 0, "rejected": 0, "expired": 0}
    return tuple(DayTally(**{**nothing, **found.get(day, {}), "day": day}) for day in span.days())
