"""What matching entries have in common: from daily counts where they hold it, else counted live."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet, Sum

from audit.cards import Completeness, Facet, Facets, FacetValue, Pin
from audit.envelope import moment_of
from audit.models import AuditFacetDay
from audit.search import Exact, Query, Term, span_of
from console.kernel.actors import Actor

FIELDS: Final = ("action", "actor", "agent", "outcome", "kind", "created")
MOST_VALUES: Final = 12
MOST_LIVE: Final = 10_000
_LIVE: Final = """
    WITH m (action, actor_id, actor_label, agent, agent_label, outcome, kind, received_us)
      AS MATERIALIZED ({})
    SELECT 'action', action, '', count(*) FROM m GROUP BY 2
    UNION ALL SELECT 'actor', actor_id, max(actor_label), count(*) FROM m GROUP BY 2
    UNION ALL SELECT 'agent', agent, max(agent_label), count(*) FROM m GROUP BY 2
    UNION ALL SELECT 'outcome', outcome, '', count(*) FROM m GROUP BY 2
    UNION ALL SELECT 'kind', kind, '', count(*) FROM m GROUP BY 2
    UNION ALL SELECT 'created',
      to_char(to_timestamp(received_us / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD'), '', count(*)
      FROM m GROUP BY 2
"""
_COLUMNS: Final = (
    "action", "actor_id", "actor_label", "agent", "agent_label", "outcome", "kind", "received_us",
)  # fmt: skip
Counted = tuple[str, str, str, int]  # field, value, label, how many


def facets(
    actor: Actor, query: Query, matches: QuerySet[Any], known: Completeness, pin: Pin
) -> Facets:
    """Return the facets of what matches.

    Daily counts answer a question about kinds and whole days over all that can be searched.
    Anything else is counted among the newest 10,000 that match, and the answer says so.
    """
    days = _whole_days(query) if pin.size == known.searched else None
    if days is None:
        rows = _live(matches)
        counted = sum(count for field, *_, count in rows if field == "kind")
        return Facets(facets=_grouped(rows), newest_only=counted >= MOST_LIVE, counted=counted)
    rows = _daily(actor, query, *days)
    counted = sum(count for field, *_, count in rows if field == "kind")
    return Facets(facets=_grouped(rows), newest_only=False, counted=counted)


def _whole_days(query: Query) -> tuple[date | None, date | None] | None:
    """Return first and last day, where daily counts hold the answer; None where they do not."""
    first: date | None = None
    last: date | None = None
    for term in query.terms:
        if term.field == "kind":
            continue
        if term.field != "created" or term.negated or len(term.values) > 1:
            return None
        low, high = (None if us is None else moment_of(us) for us in _span(term))
        if any(at is not None and at.time() != datetime.min.time() for at in (low, high)):
            return None
        first = max(filter(None, (first, low.date() if low else None)), default=None)
        end = (high - timedelta(days=1)).date() if high else None
        last = min(filter(None, (last, end)), default=None)
    return first, last


def _span(term: Term) -> tuple[int | None, int | None]:
    return span_of("created", term.values[0])


def _daily(actor: Actor, query: Query, first: date | None, last: date | None) -> list[Counted]:
    rows = AuditFacetDay.objects.filter(tenant_id=actor.tenant_id, facet__in=FIELDS)
    if first is not None:
        rows = rows.filter(day__gte=first)
    if last is not None:
        rows = rows.filter(day__lte=last)
    for term in query.of("kind"):
        kinds = [value.text for value in term.values if isinstance(value, Exact)]
        rows = rows.exclude(kind__in=kinds) if term.negated else rows.filter(kind__in=kinds)
    sums = rows.values_list("facet", "value", "label").annotate(n=Sum("count"))
    found = [(field, value, label, int(n)) for field, value, label, n in sums]
    by_day = rows.filter(facet="kind").values_list("day").annotate(n=Sum("count"))
    return [*found, *(("created", day.isoformat(), "", int(n)) for day, n in by_day)]


def _live(matches: QuerySet[Any]) -> list[Counted]:
    newest = matches.order_by("-received_us", "-index")[:MOST_LIVE]
    try:
        sql, values = newest.values_list(*_COLUMNS).query.sql_with_params()
    except EmptyResultSet:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_LIVE.format(sql), values)
        return [tuple(row) for row in cursor.fetchall()]


def _grouped(rows: Iterable[Counted]) -> tuple[Facet, ...]:
    """Return each field's commonest values; days stand newest first."""
    summed: dict[tuple[str, str], tuple[str, int]] = {}
    for field, value, label, count in rows:
        if value:
            before = summed.get((field, value), ("", 0))
            summed[field, value] = (label or before[0], before[1] + count)
    ordered = sorted(summed.items(), key=lambda one: one[0][0])
    by_field = {
        field: [FacetValue(value=key[1], label=label, count=n) for key, (label, n) in group]
        for field, group in groupby(ordered, key=lambda one: one[0][0])
    }
    return tuple(_facet(field, by_field[field]) for field in FIELDS if field in by_field)


def _facet(field: str, values: list[FacetValue]) -> Facet:
    if field == "created":
        values.sort(key=lambda one: one.value, reverse=True)
    else:
        values.sort(key=lambda one: (-one.count, one.value))
    return Facet(
        field=field, values=tuple(values[:MOST_VALUES]), more=max(0, len(values) - MOST_VALUES)
    )
