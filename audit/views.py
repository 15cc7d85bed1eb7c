"""The explorer and the page of one entry."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from audit import commands, queries
from audit.answers import as_file
from audit.bundles import Asked, export_bundle
from audit.cards import SearchPage
from audit.errors import BadSearch, UnknownField
from audit.forms import BundleForm, SearchForm, asked
from audit.queries.proofs import SELF_ATTESTED
from console.kernel.errors import BadInput, ConsoleError
from console.kernel.http import actor_of, read, requires, show

PAGING = frozenset({"at", "before", "after", "part"})


@requires("audit.view")
@require_safe
def explorer(request: HttpRequest) -> HttpResponse:
    """Show a page of the trail; the address holds the whole question."""
    context: dict[str, Any] = {"form": SearchForm(request.GET), "kept": _kept(request)}
    try:
        search = asked(request.GET)
        page = commands.search_trail(actor=actor_of(request), search=search)
    except (BadInput, UnknownField, BadSearch) as refusal:
        return _refused(request, context, refusal)
    context |= {"page": page, "search": search, **_links(request, page)}
    return show(request, "audit/explorer.html", context)


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
    }
    return show(request, "audit/watch.html", context)


def _refused(request: HttpRequest, context: dict[str, Any], refusal: ConsoleError) -> HttpResponse:
    """Show the sentence above the form, with everything that was typed still in it."""
    response = show(
        request, "audit/explorer.html", {**context, "refusal": refusal}, status=refusal.status
    )
    response.refusal = refusal  # type: ignore[attr-defined]  # the middleware records it
    return response


def _kept(request: HttpRequest) -> dict[str, str]:
    return {name: str(value) for name, value in request.GET.items() if value and name not in PAGING}


def _links(request: HttpRequest, page: SearchPage) -> dict[str, str | None]:
    kept = _kept(request)
    pinned = {**kept, "at": str(page.pinned_size)}

    def link(**more: object) -> str:
        return "?" + urlencode({**pinned, **more})

    newest = page.completeness.searched
    return {
        "pinned_url": link(),
        "newest_url": "?" + urlencode(kept) if newest > page.pinned_size else None,
        "newer_url": None if page.newer_than is None else link(after=page.newer_than),
        "older_url": None if page.older_than is None else link(before=page.older_than),
    }
