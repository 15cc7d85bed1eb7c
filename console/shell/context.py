"""The frame of every page: navigation with counts, stops, theme, freshness."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from console.kernel.actors import Actor
from console.kernel.freshness import seen_by
from console.kernel.http import part_of
from console.shell import queries, styles
from console.shell.cards import Counts, Frame, NavItem
from console.shell.queries.places import OWN, ROOMS

THEME_COOKIE: Final = "signalbox_theme"
THEMES: Final = ("system", "light", "dark")
VERSION: Final = "0.1.0"
STOPS_SHOWN: Final = 2

# Which room a page belongs to, by the namespace of its URL name.
ROOM_OF: Final = {
    "approvals": "reviews",
    "runs": "runs",
    "controls": "switches",
    "costs": "cost",
    "audit": "audit",
    "widget": "embed",
}


def frame(request: HttpRequest) -> Mapping[str, Any]:
    """Give `frame` to every template, before sign-in too.

    It is looked up when a template asks for it: most live regions never do, and are refetched most.
    """
    return {"frame": SimpleLazyObject(lambda: _frame(request))}


def _frame(request: HttpRequest) -> Frame:
    actor: Actor | None = getattr(request, "actor", None)
    bare = Frame(
        environment=settings.ENVIRONMENT,
        theme=theme_of(request),
        stylesheet=reverse("shell:stylesheet", args=[styles.sheet().digest]),
        version=VERSION,
        model=model_badge(),
        request_id=str(getattr(request, "request_id", "")),
        zone=settings.TIME_ZONE,
        here=request.get_full_path(),
        as_of=datetime.fromtimestamp(0, tz=UTC),
    )
    if actor is None or not actor.is_person:
        return replace(bare, as_of=_process_time())
    turns: int | None = getattr(request, "turns", None)
    counts = queries.counts(actor=actor, part=part_of(request), turns=turns)
    return replace(
        bare,
        room=room_of(request),
        as_of=counts.at or bare.as_of,
        person=counts.person,
        tenant=counts.tenant,
        within_reach=counts.within_reach,
        nav=nav(actor, counts),
        own=own(),
        stops=counts.stops[:STOPS_SHOWN],
        more_stops=max(0, len(counts.stops) - STOPS_SHOWN),
        switches_url=reverse("controls:board") if actor.has("controls.view") else "",
        sign_out_url=reverse("accounts:sign-out"),
        seen=seen_by(request),
    )


def theme_of(request: HttpRequest) -> str:
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return theme if theme in THEMES else "system"


def model_badge() -> str:
    """Say which model answers; without credentials nothing but our rules does."""
    if settings.ANTHROPIC_API_KEY or settings.ANTHROPIC_BASE_URL:
        return f"anthropic - {settings.MODEL_NAME}"
    return "rules - no language model"


def room_of(request: HttpRequest) -> str:
    """Return the room of the page; a refresh of the frame says which page it is for."""
    asked = request.GET.get("at", "")
    if asked in {name for name, *_rest in ROOMS}:
        return asked
    match = request.resolver_match
    if match is None:
        return ""
    if match.namespace == "accounts":
        return {"people": "people", "person": "people", "keys": "keys"}.get(
            match.url_name or "", ""
        )
    return ROOM_OF.get(match.namespace, "")


def nav(actor: Actor, counts: Counts) -> tuple[NavItem, ...]:
    """Return the rooms this person may enter."""
    waiting = {
        "reviews": (counts.turns, "caution", "waiting for your vote"),
        "switches": (len(counts.stops), "stop", "active"),
    }
    items = []
    for name, label, url_name, permission, key, icon in ROOMS:
        if not actor.has(permission):
            continue
        count, signal, counted = waiting.get(name, (0, "", ""))
        items.append(
            NavItem(
                name=name,
                label=label,
                url=reverse(url_name),
                key=key,
                icon=icon,
                count=count,
                signal=signal,
                counted=counted,
            )
        )
    return tuple(items)


def own() -> tuple[NavItem, ...]:
    """Return the entries of the person menu."""
    return tuple(
        NavItem(name=name, label=label, url=reverse(url_name), key=key, icon=icon)
        for name, label, url_name, key, icon in OWN
    )


def _process_time() -> datetime:
    # Before sign-in no tenant's transaction is open; this time only labels the page.
    return timezone.localtime().astimezone(UTC)
