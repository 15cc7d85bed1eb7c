"""The explorer and the page of one entry."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from audit import commands, queries
from audit.answers import as_file
from audit.bundles import Asked, export_bundle
from audit.cards import EntryCard, Facet, SearchPage
from audit.envelope import microseconds_of
from audit.errors import BadQuery, BadSearch, TooSlow, UnknownField
from audit.forms import (
    BundleForm,
    ExecutedForm,
    is_shorthand,
    read_address,
    search_of,
    written_out,
)
from audit.queries.pinning import ROOT_SHOWN
from audit.queries.proofs import SELF_ATTESTED
from audit.search import FIELDS, USUAL, Exact, Place, Query, Search, presets
from console.kernel import clock
from console.kernel.errors import BadInput, ConsoleError
from console.kernel.http import actor_of, part_of, read, requires, show
from console.kernel.ranges import DAYS

WORDS: Mapping[str, str] = {"created": "day"}  # of facets


@requires("audit.view")
@require_safe
def explorer(request: HttpRequest) -> HttpResponse:
    """Show a page of the trail; the address holds the whole question."""
    typed = request.GET.get("q", USUAL)
    context: dict[str, Any] = {
        "typed": typed,
        "fields": FIELDS,
        "presets": [
            {"words": words, "url": f"?{urlencode({'q': query})}"}
            for words, query in presets(today=clock.now().date())
        ],
        "asked_anything": bool(request.GET),
    }
    try:
        values = read_address(request.GET)
        if is_shorthand(values):
            query = written_out(values, today=clock.now().date())
            return redirect(_address(query))
        search = search_of(values)
        whole = not part_of(request)
        page = commands.search_trail(actor=actor_of(request), search=search, with_facets=whole)
    except (BadInput, UnknownField, BadSearch, BadQuery, TooSlow) as refusal:
        return _refused(request, context, refusal)
    context |= {"page": page, "typed": str(search.query) if "q" not in values else typed}
    context["may_export"] = actor_of(request).has("audit.export")
    return show(request, "audit/explorer.html", context | _shown(search, page))


@requires("audit.view")
@require_safe
def executed(request: HttpRequest) -> HttpResponse:
    """Show what ran beside what was approved."""
    before = read(ExecutedForm, request.GET)["before"]
    cards = commands.list_executed(
        actor=actor_of(request), before=Place.parse(before) if before else None
    )
    older = None
    if len(cards) == queries.PAGE:
        older = f"?before={Place(microseconds_of(cards[-1].at), cards[-1].index)}"
    context = {"cards": cards, "older_url": older, "before": before}
    return show(request, "audit/executed.html", context)


@requires("audit.view")
@require_safe
def entry(request: HttpRequest, index: int) -> HttpResponse:
    """Show one entry: what changed, who for whom, four times, and the proof verified now."""
    detail = commands.open_entry(actor=actor_of(request), index=index)
    context = {
        "entry": detail,
        "proof": detail.proof,
        "self_attested": SELF_ATTESTED,
        "may_export": actor_of(request).has("audit.export"),
    }
    return show(request, "audit/entry.html", context)


@requires("audit.export")
@require_safe
def bundle(request: HttpRequest) -> HttpResponse:
    """Send evidence as a zip, made while it is sent."""
    asked_for = Asked(**read(BundleForm, request.GET))
    found = export_bundle(actor=actor_of(request), asked=asked_for)
    return as_file(found, request)


@requires("audit.view")
@require_safe
def watch(request: HttpRequest) -> HttpResponse:
    """Show what watches the trail: its alarms, and what the self-check last saw."""
    actor = actor_of(request)
    context = {
        "guards": queries.guards(actor=actor),
        "alarms": queries.alarms(actor=actor),
        "drill": queries.last_drill(actor=actor),
        "patrols": queries.patrols(actor=actor),
        "sealed": queries.completeness(actor=actor).sealed,
    }
    return show(request, "audit/watch.html", context)


def _refused(request: HttpRequest, context: dict[str, Any], refusal: ConsoleError) -> HttpResponse:
    """Show the sentence above the form, with what was typed in it and what is wrong marked."""
    typed = context["typed"]
    start, end = refusal.details.get("start"), refusal.details.get("end")
    marked = None
    if isinstance(start, int) and isinstance(end, int):
        marked = {"before": typed[:start], "wrong": typed[start:end], "behind": typed[end:]}
    response = show(
        request,
        "audit/explorer.html",
        {**context, "refusal": refusal, "marked": marked},
        status=refusal.status,
    )
    response.refusal = refusal  # type: ignore[attr-defined]  # the middleware records it
    return response


def _address(query: Query, **more: object) -> str:
    return f"{reverse('audit:explorer')}?{urlencode({'q': str(query), **more})}"


def _shown(search: Search, page: SearchPage) -> dict[str, Any]:
    """Return what the page shows around the rows: chips, links, facets."""
    query = search.query
    pin = {"at": page.pin.size, "root": (search.root or page.pin.root)[:ROOT_SHOWN]}
    pin = {name: value for name, value in pin.items() if value != ""}
    first, last = (_place(page.entries[end]) if page.entries else None for end in (0, -1))
    newer = page.completeness.searched > page.pin.size
    return {
        "chips": [
            {"text": str(term), "without": _address(query.without(term))} for term in query.terms
        ],
        "rows": [_row(card) for card in page.entries],
        "facets": [_facet(query, one) for one in page.facets.facets] if page.facets else (),
        "clear_url": _address(Query()),
        "pinned_url": _address(query, **pin),
        "newest_url": _address(query),
        "has_news": newer,
        "is_live": search.at is None and search.before is None and search.after is None,
        "newer_url": _address(query, **pin, after=first) if page.has_newer else None,
        "older_url": _address(query, **pin, before=last) if page.has_older else None,
        "days": [{"days": n, "url": f"{_address(query)}&days={n}"} for n in DAYS],
        "created": " ".join(str(value) for term in query.of("created") for value in term.values),
    }


def _place(card: EntryCard) -> Place:
    return Place(microseconds_of(card.received_at), card.index or 0)


def _row(card: EntryCard) -> dict[str, Any]:
    """Return a row with links that ask for its own values."""
    return {
        "card": card,
        "actor_url": _address(Query().asking("actor", Exact(card.actor_id))),
        "action_url": _address(Query().asking("action", Exact(card.action))),
        "target_url": _address(Query().asking("target", Exact(card.target_id))),
        "agent_url": _address(Query().asking("agent", Exact(card.agent))),
    }


def _facet(query: Query, facet: Facet) -> dict[str, Any]:
    """Return a facet whose values narrow the question, and say which of them it asks for."""
    asked = {value for term in query.of(facet.field) if not term.negated for value in term.values}
    return {
        "title": WORDS.get(facet.field, facet.field),
        "more": facet.more,
        "values": [
            {
                "text": one.label or one.value,
                "count": one.count,
                "on": Exact(one.value) in asked,
                "url": _address(query.asking(facet.field, Exact(one.value))),
            }
            for one in facet.values
        ],
    }
