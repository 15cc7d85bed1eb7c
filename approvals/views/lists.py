"""The lists of reviews. An address says all of a list: which, filter, order, page, moment."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from approvals import policies, queries
from approvals.cards import QueuePage, Term
from approvals.forms import NextForm, QueueForm
from approvals.queries import MOST_COUNTED, Sort, View
from approvals.views.markup import markup
from approvals.views.rows import ends, grouped
from console.accounts.states import Permission
from console.kernel.errors import BadInput
from console.kernel.http import actor_of, read, requires, show

_TITLES: Final = {
    View.MINE: "My turn",
    View.TEAM: "Team",
    View.WAITING: "Waiting on others",
    View.DECIDED: "Decided",
}
_SORTS: Final = {
    Sort.DEADLINE: "Deadline",
    Sort.NEWEST: "Newest",
    Sort.TIER: "Tier",
}
_ORDERS: Final = {
    Sort.DEADLINE: "by deadline",
    Sort.NEWEST: "newest first",
    Sort.TIER: "by tier",
}

# What else there is about reviews: title, address, and the permission it asks for.
_MORE: Final = (
    ("Decisions in figures", "approvals:metrics", Permission.APPROVALS_VIEW),
    ("Attention", "approvals:attention", ""),
    ("Duties", "approvals:duties", Permission.APPROVALS_VIEW),
    ("Delegations", "approvals:delegations", Permission.APPROVALS_VIEW),
    ("Standing approvals", "approvals:standing", Permission.APPROVALS_VIEW),
    ("Policies", "approvals:policies", Permission.APPROVALS_VIEW),
    ("Coverage of tools", "approvals:coverage", Permission.APPROVALS_VIEW),
    ("External tools", "approvals:tools", Permission.POLICIES_MANAGE),
    ("Channels", "approvals:channels", Permission.ACCOUNTS_MANAGE),
    ("Break-glass", "approvals:break-glass", Permission.ACCOUNTS_MANAGE),
)


@requires("")
@require_http_methods(["GET", "HEAD"])
def queue(request: HttpRequest) -> HttpResponse:
    """List proposals; without any address of its own, as the reader's default view has it."""
    actor = actor_of(request)
    if not request.GET:
        kept = next((one for one in queries.saved_views(actor=actor) if one.is_default), None)
        if kept is not None:
            return redirect(f"{reverse('approvals:queue')}?{kept.address}")
    asked = read(QueueForm, request.GET)
    try:
        page = queries.awaiting_review(
            actor=actor,
            view=_view(asked),
            after=asked["after"],
            as_of=asked["as_of"],
            words=asked["q"],
            sort=_sort(asked),
        )
    except BadInput as refusal:
        if "q" not in refusal.details.get("fields", {}):  # type: ignore[operator]
            raise
        return _refused(request, asked, refusal)
    # The frame shows the same number beside the name of the room; it need not count again.
    request.turns = page.mine  # type: ignore[attr-defined]
    return show(request, "approvals/queue.html", _context(request, asked, page))


@requires("")
@require_http_methods(["GET", "HEAD"])
def following(request: HttpRequest) -> HttpResponse:
    """Go to the neighbour of a proposal in a list, or to what comes first, or to the list."""
    asked = read(NextForm, request.GET)
    found = queries.neighbour(
        actor=actor_of(request),
        view=_view(asked),
        than=asked["than"],
        words=asked["q"],
        sort=_sort(asked),
        back=asked["way"] == "prev",
    )
    if found is None:
        return redirect(f"{reverse('approvals:queue')}{_query(asked)}")
    return redirect("approvals:detail", found)


def _view(asked: Mapping[str, Any]) -> View:
    return View(asked["view"] or View.MINE)


def _sort(asked: Mapping[str, Any]) -> Sort | None:
    return Sort(asked["sort"]) if asked["sort"] else None


def _query(asked: Mapping[str, Any], **other: str) -> str:
    """Return the query of a list's address with some of it changed; page and moment are left."""
    names = ("view", "q", "sort")
    values = {**{name: str(asked[name] or "") for name in names}, **other}
    kept = {name: value for name, value in values.items() if value}
    return f"?{urlencode(kept)}" if kept else ""


def _context(request: HttpRequest, asked: Mapping[str, Any], page: QueuePage) -> dict[str, Any]:
    view = _view(asked)
    row_query = _query({**asked, "view": ""}, list=asked["view"])
    actor = actor_of(request)
    rows = grouped(page.rows, reader=actor.id, query=row_query, live=view is not View.DECIDED)
    batch = [row for row in rows if row["select"]]
    if len(batch) == 1:  # a box alone would do nothing; one group is decided by its own link
        batch[0]["select"] = ""
    return {
        **_frame(asked),
        "part": asked["part"],
        "brings_nav": True,
        "ends": [] if view is View.DECIDED else ends(),
        "more": [
            (title, reverse(name)) for title, name, asks in _MORE if not asks or actor.has(asks)
        ],
        "page": page,
        "rows": [{**row, "markup": markup(row)} for row in rows],
        "tabs": [_tab(one, view, asked, page) for one in View],
        "batch": batch,
        "chips": [_chip(term, page.terms, asked) for term in page.terms],
        "snoozed": counted(page.snoozed) if view is View.MINE and page.snoozed else "",
        "fresh": counted(page.fresh) if page.fresh else "",
        "items": _items(page.matched) if view is not View.DECIDED or page.terms else "",
        "paced": page.pace if page.pace > policies.DECISIONS_AN_HOUR else 0,
        "saved": page.saved,
        "src": _src(asked, page.as_of),
        "as_of": _iso(page.as_of),
        "next_query": _query(asked, after=page.next, as_of=_iso(page.as_of)),
    }


def _frame(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a list shows even when its filter cannot be read."""
    view = _view(asked)
    sort = _sort(asked) or queries.sorts_of(view)[0]
    return {
        "view": view.value,
        "title": _TITLES[view],
        "label": f"{_TITLES[view]}, {_ORDERS[sort]}",
        "q": asked["q"],
        "sort": asked["sort"],
        "after": asked["after"],
        "sorts": [
            {"value": one.value, "label": _SORTS[one], "on": one is sort}
            for one in queries.sorts_of(view)
        ],
        # The list is always named: a bare address goes to the reader's default view.
        "plain_query": _query(asked, view=view.value),
        "clear_query": _query(asked, view=view.value, q=""),
    }


def _refused(request: HttpRequest, asked: Mapping[str, Any], refusal: BadInput) -> HttpResponse:
    """Show the list with its filter as it was typed, what is wrong with it, and no rows."""
    context = {
        **_frame(asked),
        "tabs": [_tab(one, _view(asked), asked, None) for one in View],
        "wrong": refusal.message,
    }
    response = show(request, "approvals/queue.html", context, status=refusal.status)
    response.refusal = refusal  # type: ignore[attr-defined]  # audit/middleware.py records it
    return response


def _tab(one: View, view: View, asked: Mapping[str, Any], page: QueuePage | None) -> dict[str, Any]:
    counts = (
        {View.MINE: page.mine, View.TEAM: page.team, View.WAITING: page.waiting} if page else {}
    )
    sort = asked["sort"] if asked["sort"] in queries.sorts_of(one) else ""
    return {
        "title": _TITLES[one],
        "query": _query(asked, view=one.value, sort=sort),
        "on": one is view,
        "count": counted(counts[one]) if one in counts else "",
    }


def _chip(term: Term, terms: tuple[Term, ...], asked: Mapping[str, Any]) -> dict[str, Any]:
    rest = tuple(one for one in terms if one is not term)
    return {"word": term.word, "query": _query(asked, q=policies.filter_text(rest))}


def _items(matched: int) -> str:
    return "1 item" if matched == 1 else f"{counted(matched)} items"


def counted(number: int) -> str:
    """Return a count that is looked for no further than `MOST_COUNTED`."""
    return f"{MOST_COUNTED - 1}+" if number >= MOST_COUNTED else str(number)


def _src(asked: Mapping[str, Any], as_of: datetime) -> str:
    more = {"after": asked["after"]} if asked["after"] else {}
    return _query(asked, part="rows", as_of=_iso(as_of), **more)


def _iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"
