"""The lists of proposals: my turn, team, waiting on others, decided."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet

from approvals import policies
from approvals.cards import Filter, ListPlace, QueuePage
from approvals.models import Proposal
from approvals.queries.claims import decisions_of, saved_views
from approvals.queries.filtering import rows_of, waiting_rows_of
from approvals.queries.grouping import Alike, Row, kinds_of
from approvals.queries.paging import Order
from approvals.queries.people import seen_by
from approvals.queries.rows import annotated, queue_rows
from approvals.queries.turns import WAITS, Reader, in_lists
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import BadInput
from console.kernel.transactions import query

PAGE_ROWS: Final = 50
MOST_COUNTED: Final = 1000  # a count that reaches it means "999+"
_HOUR: Final = timedelta(hours=1)


class View(StrEnum):
    """Which list."""

    MINE = "mine"
    TEAM = "team"
    WAITING = "waiting"
    DECIDED = "decided"


class Sort(StrEnum):
    """In which order."""

    DEADLINE = "deadline"
    NEWEST = "newest"
    TIER = "tier"


_UNDECIDED: Final = {
    Sort.DEADLINE: Order("deadline", ("decide_by", "-tier", "id")),
    Sort.NEWEST: Order("newest", ("-created_at", "-id")),
    Sort.TIER: Order("tier", ("-tier", "decide_by", "id")),
}
_DECIDED: Final = {
    Sort.NEWEST: Order("decided", ("-moved_at", "-id")),
    Sort.TIER: Order("decided-tier", ("-tier", "-moved_at", "-id")),
}


def sorts_of(view: View) -> tuple[Sort, ...]:
    """Return the orders that a list has; the first is the usual one."""
    return tuple(_orders(view))


@query
def awaiting_review(
    *,
    actor: Actor,
    view: View,
    after: str = "",
    as_of: datetime | None = None,
    words: str = "",
    sort: Sort | None = None,
) -> QueuePage:
    """Return a page of a list, with counts of all lists.

    My turn comes first, then deadline and tier; decided ones are newest first.

    Args:
        after: the cursor of the page before, or "".
        as_of: when the list was opened. Later arrivals are counted and held back, and what left it
            since stays in place, so that nothing moves under a pointer. A list that is opened now
            is given the moment of its last change, as pages do that are opened between two.
        words: what was typed into the filter box.
        sort: another order than the usual one of the list.

    Raises:
        NotAllowed: the actor may see no proposal at all.
        BadInput: the cursor was not made here, a word of the filter cannot be read, or the list has
            no such order.
    """
    asked = policies.parse_filter(words)
    lists = _Lists(actor, asked, as_of)
    order = _order(view, sort)
    segments = lists.segments(view)
    opened = lists.opened  # before the rows: what comes in between is on the page
    found, following = _page(segments, order, after)
    alike = lists.alike(segments, found, order)
    rows = alike.gathered(found, order, begun=bool(after))
    # A list that ends on its first page is as long as that page; counting would read it again.
    seen = None if following or after or as_of else len(rows)
    counts = {
        each: lists.count(each, None if asked.terms or each is not view else seen)
        for each in (View.MINE, View.TEAM, View.WAITING)
    }
    return QueuePage(
        rows=tuple(queue_rows(rows, lists.reader, alike.groups)),
        next=following,
        mine=counts[View.MINE],
        team=counts[View.TEAM],
        waiting=counts[View.WAITING],
        snoozed=lists.snoozed() if view is View.MINE else 0,
        matched=lists.matched(view, segments, counts.get(view) if not asked.terms else seen),
        fresh=lists.fresh(segments) if view is not View.DECIDED else 0,
        as_of=opened if as_of else max([opened, *(row.created_at for row in rows)]),
        pace=lists.pace() if view is View.MINE else 0,
        terms=asked.terms,
        saved=saved_views(actor=actor),
    )


@query
def neighbour(
    *,
    actor: Actor,
    view: View,
    than: UUID | None,
    words: str = "",
    sort: Sort | None = None,
    back: bool,
) -> UUID | None:
    """Return the proposal before or after one in a list, or None at its end.

    Where the one has left the list, its neighbours are those of the place where it would stand.
    """
    order = _order(view, sort)
    lists = _Lists(actor, policies.parse_filter(words), None)
    here = lists.everything.filter(pk=than).first() if than else None
    return _beside(lists.segments(view), order, here, back=back)


@query
def place_in_list(
    *, actor: Actor, view: View, proposal_id: UUID, words: str = "", sort: Sort | None = None
) -> ListPlace:
    """Return where a proposal stands in a list, what stands beside it, and how long the list is.

    Where it has left the list, its neighbours are those of the place where it would stand.
    """
    asked = policies.parse_filter(words)
    lists = _Lists(actor, asked, None)
    order = _order(view, sort)
    segments = lists.segments(view)
    found, following = _page(segments, order, "")
    shown = [
        row.id for row in lists.alike(segments, found, order).gathered(found, order, begun=False)
    ]
    ids = [row.id for _number, row in found]
    at = ids.index(proposal_id) if proposal_id in ids else None
    if at is None or (following and at == len(ids) - 1):
        here = lists.everything.filter(pk=proposal_id).first()
        before, after = (_beside(segments, order, here, back=back) for back in (True, False))
    else:
        before = ids[at - 1] if at else None
        after = ids[at + 1] if at + 1 < len(ids) else None
    seen = None if following else len(shown)
    if seen is None and not asked.terms and view is not View.DECIDED:
        seen = lists.count(view, None)
    return ListPlace(
        no=shown.index(proposal_id) + 1 if proposal_id in shown else None,
        count=lists.matched(view, segments, seen),
        before=before,
        after=after,
    )


@query
def turn_count(*, actor: Actor) -> int:
    """Return how many proposals wait for this person; `MOST_COUNTED` stands for any more."""
    reader = Reader(actor, clock.now())
    return _counted(in_lists(actor).filter(reader.turn))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segment:
    """A part of a list that comes whole before the next part."""

    rows: QuerySet[Proposal]
    left: QuerySet[Proposal] | None = None  # was here when the list was opened, and is decided
    until: datetime | None = None  # later arrivals are held back
    gathers: bool = True  # identical ones of a run stand together

    def take(self, order: Order, behind: Q, limit: int) -> list[Proposal]:
        found = [
            row
            for part in self._parts()
            for row in part.filter(behind).order_by(*order.fields)[:limit]
        ]
        return found if self.left is None else sorted(found, key=order.key)[:limit]

    def among(self, ids: Collection[UUID]) -> list[Proposal]:
        """Return what of these is in it, in no order."""
        return [row for part in self._parts() for row in part.filter(pk__in=ids)]

    def arrivals(self) -> int:
        return _counted(self.rows.filter(created_at__gt=self.until)) if self.until else 0

    def _parts(self) -> Iterator[QuerySet[Proposal]]:
        """Yield what is shown of what waits, and what left since."""
        yield self.rows.filter(created_at__lte=self.until) if self.until else self.rows
        if self.left is not None:
            yield self.left


class _Lists:
    """The lists of one reader under one filter."""

    def __init__(self, actor: Actor, asked: Filter, as_of: datetime | None) -> None:
        now = clock.now()
        self.reader = Reader(actor, now)
        self.asked = asked
        self.as_of = as_of
        self.everything = in_lists(actor).filter(seen_by(actor).rows)
        put_off = asked.names("is", policies.SNOOZED)
        self.mine = self.reader.decidable if put_off else self.reader.turn

    @cached_property
    def opened(self) -> datetime:
        """Return when the list was opened; for one that is opened now, when it last changed."""
        if self.as_of is not None:
            return self.as_of
        came = self.everything.filter(WAITS).order_by("-created_at")
        left = self.everything.filter(~WAITS).order_by("-moved_at")
        newest = (
            came.values_list("created_at", flat=True).first(),
            left.values_list("moved_at", flat=True).first(),
        )
        return max((at for at in newest if at is not None), default=self.reader.at)

    @cached_property
    def left(self) -> QuerySet[Proposal]:
        """Return all that was there when the list was opened and is decided."""
        came, moved = Q(created_at__lte=self.opened), Q(moved_at__gt=self.opened)
        return self.everything.filter(~WAITS, came, moved)

    @cached_property
    def has_left(self) -> bool:
        """Say whether anything left; a page that is opened now need not ask for it in each part."""
        return self.left.exists()

    @cached_property
    def fitting(self) -> Q:
        """Select what fits the filter, among what waits."""
        return waiting_rows_of(self.asked, self.reader)

    def segments(self, view: View) -> list[_Segment]:
        """Return the parts of a list in their order, without what `mine:` leaves out."""
        if view is View.DECIDED:
            rows = self.everything.filter(~WAITS, rows_of(self.asked, self.reader))
            decided = _Segment(rows=annotated(rows, self.reader), gathers=False)
            return [decided] if self._shows(mine=False) else []
        entitled, concerned = self.reader.entitled, self.reader.concerned
        parts: dict[View, tuple[tuple[bool, Q, Q], ...]] = {
            View.MINE: ((True, self.mine, entitled),),
            View.WAITING: ((False, self._waiting(), concerned),),
            View.TEAM: ((True, self.mine, entitled), (False, WAITS & ~self.mine, ~entitled)),
        }
        return [
            self._segment(waits, gone)
            for mine, waits, gone in parts[view]
            if self._shows(mine=mine)
        ]

    def count(self, view: View, seen: int | None) -> int:
        """Return how long a list is without any filter; `seen` is that if it is known."""
        if seen is not None:
            return seen
        waits = {View.MINE: self.reader.turn, View.TEAM: WAITS, View.WAITING: self._waiting()}
        return _counted(self.everything.filter(waits[view]))

    def matched(self, view: View, segments: Sequence[_Segment], seen: int | None) -> int:
        """Return how many rows fit the filter; `seen` is that if it is known."""
        if seen is not None:
            return seen
        if view is View.TEAM and len(segments) > 1:  # both parts are all that waits
            return _counted(self.everything.filter(WAITS, self.fitting))
        return min(sum(_counted(one.rows) for one in segments), MOST_COUNTED)

    def alike(self, segments: Sequence[_Segment], found: Sequence[Row], order: Order) -> Alike:
        """Return what of a page is asked for several times by one run."""
        if not all(one.gathers for one in segments):
            return Alike((), {}, order)
        runs = {row.run_id for _part, row in found if row.run_id is not None}
        kinds = kinds_of(self.reader.actor, runs, self.as_of)
        rows = [(part, row) for part, row in found if row.id in kinds]
        missing = set(kinds).difference(row.id for _part, row in rows)
        for part, segment in enumerate(segments):
            if not missing:
                break
            more = segment.among(missing)
            rows += [(part, row) for row in more]
            missing.difference_update(row.id for row in more)
        return Alike(rows, kinds, order)

    def snoozed(self) -> int:
        return _counted(self.everything.filter(self.reader.snoozed & self.reader.decidable))

    def fresh(self, segments: Sequence[_Segment]) -> int:
        """Return how many arrived after the list was opened."""
        if self.as_of is None:
            return 0
        if not self.everything.filter(WAITS, created_at__gt=self.opened).exists():
            return 0  # nearly always so, and cheap to know
        return min(sum(one.arrivals() for one in segments), MOST_COUNTED)

    def pace(self) -> int:
        return decisions_of(self.reader.actor, since=self.reader.at - _HOUR)

    def _waiting(self) -> Q:
        return WAITS & self.reader.concerned & ~self.reader.decidable

    def _shows(self, *, mine: bool) -> bool:
        """Say whether `mine:yes` and `mine:no` leave room for this part."""
        wanted = "yes" if mine else "no"
        return all(
            (wanted in term.values) is not term.negated
            for term in self.asked.terms
            if term.field == "mine"
        )

    def _segment(self, waits: Q, gone: Q) -> _Segment:
        rows = annotated(self.everything.filter(waits & self.fitting), self.reader)
        if self.as_of is None:
            return _Segment(rows=rows)
        left = self.left.filter(gone, rows_of(self.asked, self.reader, without=("is",)))
        return _Segment(
            rows=rows,
            left=annotated(left, self.reader) if self.has_left else None,
            until=self.opened,
        )


def _page(segments: Sequence[_Segment], order: Order, after: str) -> tuple[list[Row], str]:
    """Return the rows of a page, and the cursor of the page after it or ""."""
    begin, values = order.read(after, segments=len(segments)) if after else (0, ())
    found: list[Row] = []
    for number, segment in enumerate(segments):
        room = PAGE_ROWS + 1 - len(found)
        if number < begin or not room:
            continue
        behind = order.behind(values) if values and number == begin else Q()
        found += [(number, row) for row in segment.take(order, behind, room)]
    shown = found[:PAGE_ROWS]
    following = order.cursor(shown[-1][1], shown[-1][0]) if len(found) > PAGE_ROWS else ""
    return shown, following


def _beside(
    segments: Sequence[_Segment], order: Order, here: Proposal | None, *, back: bool
) -> UUID | None:
    """Return what stands before or after a proposal, or None at the end."""
    if here is None or not segments:
        return _first(segments, order)
    if back:
        order = order.reversed()
        segments = segments[::-1]
    behind = order.behind(order.values(here))
    at = next((n for n, one in enumerate(segments) if one.rows.filter(pk=here.pk).exists()), 0)
    found = segments[at].rows.filter(behind).order_by(*order.fields).first()
    return found.id if found else _first(segments[at + 1 :], order)


def _first(segments: Sequence[_Segment], order: Order) -> UUID | None:
    for segment in segments:
        found = segment.rows.order_by(*order.fields).first()
        if found is not None:
            return found.id
    return None


def _order(view: View, sort: Sort | None) -> Order:
    orders = _orders(view)
    found = orders.get(sort or next(iter(orders)))
    if found is None:
        said = f"This list is sorted by {' or '.join(orders)}; choose one of these."
        raise BadInput(said, fields={"sort": [said]})
    return found


def _orders(view: View) -> Mapping[Sort, Order]:
    return _DECIDED if view is View.DECIDED else _UNDECIDED


def _counted(rows: QuerySet[Proposal]) -> int:
    return rows.order_by().values("pk")[:MOST_COUNTED].count()
