"""Lists of entries: pinned, newest first, page by page."""

from typing import Any, Final

from django.db import OperationalError, connection
from django.db.models import Q, QuerySet

from audit.cards import SearchPage
from audit.errors import TooSlow
from audit.queries.completeness import MOST_COUNTED, completeness_of, tenant_log
from audit.queries.entries import NEWEST, cards_of
from audit.queries.facets import facets
from audit.queries.matching import matching
from audit.queries.pinning import pinned, sealed_by
from audit.search import Place, Search
from console.kernel.actors import Actor
from console.kernel.transactions import query

PAGE: Final = 50
# Compiling a plan costs more than it saves here, and nobody waits longer than two seconds.
_BOUNDED: Final = "SET LOCAL jit = off; SET LOCAL statement_timeout = '2s'"


@query
def entries(
    *, actor: Actor, search: Search, limit: int = PAGE, with_facets: bool = False
) -> SearchPage:
    """Return a page of sealed entries, newest first.

    Raises:
        TooSlow: the answer took longer than two seconds.
    """
    log = tenant_log(actor)
    known = completeness_of(log, actor=actor)
    pin = pinned(log, known, search)
    matches = matching(actor=actor, query=search.query).filter(index__lt=pin.size)
    if log is not None and pin.size < known.searched:
        until = sealed_by(log, pin.size)
        matches = matches if until is None else matches.filter(received_us__lte=until)
    try:
        with connection.cursor() as cursor:
            cursor.execute(_BOUNDED)
        rows, has_newer, has_older = _page(matches, search, limit)
        is_all = search.before is None and search.after is None and not has_older
        total = len(rows) if is_all else matches[: MOST_COUNTED + 1].count()
        found = facets(actor, search.query, matches, known, pin) if with_facets else None
    except OperationalError as error:
        raise TooSlow("The search took more than 2 s; narrow the time or name a field.") from error
    return SearchPage(
        entries=cards_of(rows),
        completeness=known,
        pin=pin,
        total=min(total, MOST_COUNTED),
        total_is_cut=total > MOST_COUNTED,
        has_newer=has_newer,
        has_older=has_older,
        facets=found,
    )


def _page(matches: QuerySet[Any], search: Search, limit: int) -> tuple[list[Any], bool, bool]:
    """Return the rows, and whether there are newer and older ones; one row more tells of those."""
    if search.after is not None:
        newer = matches.filter(_after(search.after)).order_by("received_us", "index")
        found = list(newer[: limit + 1])
        rows = found[:limit][::-1]
        older = bool(rows) and matches.filter(behind(_place(rows[-1]))).exists()
        return rows, len(found) > limit, older
    asked = matches if search.before is None else matches.filter(behind(search.before))
    found = list(asked.order_by(*NEWEST)[: limit + 1])
    rows = found[:limit]
    begins = search.before is None or not rows
    newer_too = not begins and matches.filter(_after(_place(rows[0]))).exists()
    return rows, newer_too, len(found) > limit


def _place(row: Any) -> Place:
    return Place(row.received_us, row.index)


def behind(place: Place) -> Q:
    """Select what stands behind a place; the first condition is where an index begins to read."""
    behind = Q(received_us__lt=place.received_us) | Q(index__lt=place.index)
    return Q(received_us__lte=place.received_us) & behind


def _after(place: Place) -> Q:
    ahead = Q(received_us__gt=place.received_us) | Q(index__gt=place.index)
    return Q(received_us__gte=place.received_us) & ahead
