"""The home page: what stands, what wants a person, and what changed, at one moment."""

from typing import Final

from django.conf import settings
from django.urls import reverse

from audit import queries as audit
from audit.cards import EntryCard
from audit.search import Search
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.templatetags.signalbox import short
from console.kernel.transactions import query
from console.shell.cards import Change, Home
from console.shell.queries.attention import attention
from console.shell.queries.frame import stops
from console.shell.queries.steps import steps
from console.shell.queries.tiles import tiles
from console.shell.queries.waiting import proposals

CHANGES_SHOWN: Final = 8
# What people and the console changed; what the agents do by the minute has its own pages.
CHANGED: Final = (
    "action:vote.cast,proposal.decided,dispatch.*,switch.engaged,switch.released,person.*,membership.*,"
    "grant.*,key.*,prices.*,agent.*,widget_key.*,call.unknown"
)


@query
def home(*, actor: Actor) -> Home:
    """Return what stands, what wants a person, and what changed, as far as the actor may see."""
    now = clock.now()
    waiting = proposals(actor)
    standing = stops(actor=actor)
    return Home(
        tiles=tiles(actor, waiting, standing, now),
        attention=attention(actor, waiting, standing, now),
        changes=_changes(actor) if actor.has("audit.view") else None,
        steps=steps(actor) if settings.DEMO else (),
        audit_url=reverse("audit:explorer") if actor.has("audit.view") else "",
        topics="reviews.queue controls" + (" audit.alarms" if actor.has("audit.view") else ""),
        as_of=now,
    )


def _changes(actor: Actor) -> tuple[Change, ...]:
    page = audit.entries(actor=actor, search=Search.of(CHANGED), limit=CHANGES_SHOWN)
    return tuple(_change(card) for card in page.entries)


def _change(card: EntryCard) -> Change:
    return Change(
        at=card.received_at,
        action=card.action,
        target=f"{card.target_type} {short(card.target_id)}",
        who=card.actor_label,
        href="" if card.index is None else reverse("audit:entry", args=[card.index]),
    )
