"""What the frame and the home page ask of the rooms, each in one transaction."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.urls import reverse

from agents.controls import queries as controls
from agents.runtime import queries as runs
from agents.states import FINAL_RUN, RunState
from approvals import queries as approvals
from approvals.cards import ProposalCard
from approvals.queries import View
from audit import queries as audit
from audit.cards import EntryCard
from audit.search import Search
from console.accounts import queries as accounts
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.spans import Span
from console.kernel.templatetags.signalbox import money, short
from console.kernel.transactions import query
from console.shell.cards import Attention, Change, Counts, Home, Step, StopLine, Tile, Who
from costs import queries as costs
from costs.cards import CostCard
from costs.states import GroupBy

SOON: Final = timedelta(minutes=20)
CHANGES_SHOWN: Final = 8
ENDED_SHOWN: Final = (RunState.COMPLETED, RunState.FAILED, RunState.PAUSED)
# What people and the console changed; what the agents do by the minute has its own pages.
CHANGED: Final = (
    "vote.cast,proposal.decided,dispatch.*,switch.engaged,switch.released,person.*,membership.*,"
    "grant.*,key.*,prices.*,agent.*,widget_key.*,call.unknown"
)


@query
def counts(*, actor: Actor, part: str, turns: int | None) -> Counts:
    """Return who is signed in, what waits for them, and which stops stand, all at one moment.

    Args:
        part: of a page, that is refetched most and shows no names; the banner no counts either.
        turns: how many proposals wait for the person, where the page has counted them.
    """
    if turns is None:
        counted = part != "banner" and actor.has("approvals.vote")
        turns = approvals.turn_count(actor=actor) if counted else 0
    return Counts(
        person=None if part else _who(actor),
        tenant="" if part else _tenant(actor),
        turns=turns,
        stops=stops(actor=actor),
        at=None if part else clock.now(),
    )


def _who(actor: Actor) -> Who:
    card = accounts.person_card(actor=actor, person_id=UUID(actor.id))
    roles = tuple(role.value for role in card.roles)
    return Who(id=card.id, name=card.name, email=card.email, roles=roles)


def _tenant(actor: Actor) -> str:
    mine = accounts.tenants_of(actor=actor, person_id=UUID(actor.id))
    return next((tenant.name for tenant in mine if tenant.id == actor.tenant_id), "")


@query
def stops(*, actor: Actor) -> tuple[StopLine, ...]:
    """Return the stops that stand, newest first."""
    lines = [
        StopLine(
            target=_target(str(card.scope)),
            who=card.engaged_by,
            why=card.reason,
            at=card.engaged_at,
            confirmed=card.confirmation.confirmed,
            of=card.confirmation.of,
        )
        for card in controls.banner(actor=actor)
    ]
    return tuple(sorted(lines, key=lambda line: line.at, reverse=True))


@query
def home(*, actor: Actor) -> Home:
    """Return what stands, what wants a person, and what changed, as far as the actor may see."""
    now = clock.now()
    waiting = _proposals(actor)
    standing = stops(actor=actor)
    return Home(
        tiles=_tiles(actor, waiting, standing, now),
        attention=_attention(actor, waiting, standing, now),
        changes=_changes(actor) if actor.has("audit.view") else None,
        steps=_steps(actor) if settings.DEMO else (),
        audit_url=reverse("audit:explorer") if actor.has("audit.view") else "",
        topics="reviews.queue controls",
        as_of=now,
    )


def parts() -> dict[str, str]:
    """Ask the database whether it answers.

    Raises:
        django.db.Error: it does not.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return {"database": "ok"}


def _target(scope: str) -> str:
    kind, _, value = scope.partition(":")
    if kind == "run":
        value = short(value)
    return f"{kind} {value}" if value else "everything"


class _Waiting:
    """Open proposals that this person may see; `cut` when there are more than one page of them."""

    def __init__(self, cards: list[ProposalCard], mine: int, *, cut: bool) -> None:
        self.cards = [card for card in cards if not card.settled]
        self.mine = mine
        self.cut = cut

    def soon(self, now: datetime) -> int:
        return sum(1 for card in self.cards if not card.frozen and card.decide_by <= now + SOON)

    @property
    def stale(self) -> int:
        return sum(1 for card in self.cards if card.state.value == "stale")


def _proposals(actor: Actor) -> _Waiting:
    if not actor.has("approvals.view"):
        return _Waiting([], 0, cut=False)
    pages = [
        approvals.awaiting_review(actor=actor, view=View.MINE),
        approvals.awaiting_review(actor=actor, view=View.TEAM, words="mine:no"),
    ]
    cards = [row.card for page in pages for row in page.rows]
    return _Waiting(cards, pages[0].mine, cut=any(page.next for page in pages))


def _tiles(
    actor: Actor, waiting: _Waiting, standing: tuple[StopLine, ...], now: datetime
) -> tuple[Tile, ...]:
    tiles = []
    if actor.has("approvals.view"):
        tiles += _review_tiles(actor, waiting, now)
    if actor.has("controls.view"):
        tiles.append(_stop_tile(standing))
    if actor.has("runs.view"):
        tiles.append(_run_tile(actor))
    if actor.has("costs.view"):
        tiles.append(_cost_tile(_spent(actor, now)))
    if actor.has("audit.view"):
        tiles.append(_audit_tile(actor))
    return tuple(tiles)


def _review_tiles(actor: Actor, waiting: _Waiting, now: datetime) -> list[Tile]:
    url = reverse("approvals:queue")
    soon = waiting.soon(now)
    opened = f"{len(waiting.cards)}{'+' if waiting.cut else ''}"
    note = f"{soon} pass their deadline in 20 min" if soon else "none close to its deadline"
    rest = "" if len(waiting.cards) == waiting.mine else "?view=team"
    tiles = [Tile(label="Open proposals", value=opened, note=note, href=f"{url}{rest}")]
    if actor.has("approvals.vote"):
        signal = "caution" if waiting.mine else ""
        mine = Tile(
            label="Your turn",
            value=str(waiting.mine) if waiting.mine < approvals.MOST_COUNTED else "999+",
            note="waiting for your vote" if waiting.mine else "nothing waits for you",
            href=url,
            signal=signal,
        )
        tiles.insert(0, mine)
    return tiles


def _stop_tile(standing: tuple[StopLine, ...]) -> Tile:
    newest = standing[0].target if standing else ""
    return Tile(
        label="Active stops",
        value=str(len(standing)),
        note=f"newest: {newest}" if newest else "nothing is stopped",
        href=reverse("controls:board"),
        signal="stop" if standing else "",
    )


def _run_tile(actor: Actor) -> Tile:
    found = runs.counts(actor=actor)
    live = {state: count for state, count in found.items() if state not in FINAL_RUN}
    waiting = live.get(RunState.WAITING_APPROVAL, 0)
    notes = [f"{waiting} waiting for people"] if waiting else []
    notes += [f"{found[state]} {state.value}" for state in ENDED_SHOWN if found.get(state)]
    return Tile(
        label="Runs under way",
        value=str(sum(live.values())),
        note=", ".join(notes) or "no run yet",
        href=reverse("runs:list"),
    )


def _spent(actor: Actor, now: datetime) -> CostCard:
    today = Span(first=now.date(), last=now.date())
    return costs.spend(actor=actor, span=today, group_by=GroupBy.AGENT).total


def _cost_tile(spent: CostCard) -> Tile:
    return Tile(
        label="Spend today (UTC)",
        value=None if spent.cost_usd is None else money(spent.cost_usd),
        note=_cost_note(spent),
        href=reverse("costs:spend"),
    )


def _cost_note(spent: CostCard) -> str:
    if spent.unpriced_calls:
        return f"{spent.unpriced_calls} calls without a price, {money(spent.known_usd)} known"
    if not spent.calls:
        return "no model call yet"
    if spent.only_rules:
        return f"{spent.calls} calls, no language model"
    return f"{spent.model_calls} model calls"


def _audit_tile(actor: Actor) -> Tile:
    known = audit.completeness(actor=actor)
    return Tile(
        label="Audit sealed up to",
        value=f"#{known.newest_sealed:,}" if known.sealed else "nothing yet",
        note=f"{known.unsealed:,} not yet sealed",
        href=reverse("audit:explorer"),
    )


def _attention(
    actor: Actor, waiting: _Waiting, standing: tuple[StopLine, ...], now: datetime
) -> tuple[Attention, ...]:
    found = []
    if standing and actor.has("controls.view"):
        found += [_stopped(line) for line in standing[:3]]
    if actor.has("approvals.vote") and waiting.mine:
        found.append(_my_turn(waiting.mine))
    if actor.has("approvals.view"):
        found += _reviews_that_press(waiting, now)
    if actor.has("runs.view"):
        found += _runs_that_stand(actor)
    return tuple(found)


def _runs_that_stand(actor: Actor) -> list[Attention]:
    url = reverse("runs:list")
    found = runs.counts(actor=actor)
    lines = (
        (
            runs.unknown_calls(actor=actor),
            RunState.NEEDS_RECONCILIATION,
            "tool call may or may not have happened|tool calls may or may not have happened",
        ),
        (
            found.get(RunState.ESCALATED, 0),
            RunState.ESCALATED,
            "conversation waits for a person|conversations wait for a person",
        ),
    )
    return [
        Attention(
            signal="unknown" if state is RunState.NEEDS_RECONCILIATION else "caution",
            word="Unknown" if state is RunState.NEEDS_RECONCILIATION else "Hand-off",
            text=f"{count} {text.split('|')[count != 1]}",
            href=f"{url}?state={state.value}",
            link="Open",
        )
        for count, state, text in lines
        if count
    ]


def _stopped(line: StopLine) -> Attention:
    confirmed = "" if line.confirmed >= line.of else f", {line.confirmed} of {line.of} confirmed"
    return Attention(
        signal="stop",
        word="Stop",
        text=f"{line.target} is stopped by {line.who}: {line.why}{confirmed}",
        href=reverse("controls:board"),
        link="Board",
    )


def _my_turn(count: int) -> Attention:
    text = (
        "1 proposal waits for your vote" if count == 1 else f"{count} proposals wait for your vote"
    )
    url = reverse("approvals:queue")
    return Attention(signal="caution", word="Your turn", text=text, href=url, link="Vote")


def _reviews_that_press(waiting: _Waiting, now: datetime) -> list[Attention]:
    url = reverse("approvals:queue")
    lines = (
        (
            waiting.soon(now),
            "caution",
            "Deadline",
            "{} pass their deadline in 20 min; then they are refused",
        ),
        (waiting.stale, "unknown", "Stale", "{}: the target changed after they were proposed"),
    )
    return [
        Attention(
            signal=signal,
            word=word,
            text=text.format("1 proposal" if count == 1 else f"{count} proposals"),
            href=f"{url}?view=team",
            link="Open",
        )
        for count, signal, word, text in lines
        if count
    ]


def _changes(actor: Actor) -> tuple[Change, ...]:
    page = audit.entries(actor=actor, search=Search(action=CHANGED), limit=CHANGES_SHOWN)
    return tuple(_change(card) for card in page.entries)


def _change(card: EntryCard) -> Change:
    return Change(
        at=card.received_at,
        action=card.action,
        target=f"{card.target_type} {short(card.target_id)}",
        who=card.actor_label,
        href="" if card.index is None else reverse("audit:entry", args=[card.index]),
    )


def _steps(actor: Actor) -> tuple[Step, ...]:
    """Return the first steps; each is done when somebody did it, whoever it was.

    Where no agent is registered there is no shop to walk through.
    """
    if _done(actor, "agent.registered") is None:
        return ()
    wanted = (
        (
            _done(actor, "message.received"),
            "Chat in the demo shop",
            "Ask there to cancel an order, as a customer would.",
            "/demo/shop/",
            "Open the shop",
            "",
        ),
        (
            approvals.runs_voted_at(actor=actor),  # the demo's rules were voted on before
            "Vote on a waiting change",
            "It needs two people: sign in as Ruth, then as Ines.",
            reverse("approvals:queue"),
            "Open the queue",
            "approvals.view",
        ),
        (
            _done(actor, "switch.engaged"),
            "Stop the agent",
            "One step and a reason; the next message is refused. Sign in as Omar.",
            reverse("controls:board"),
            "Open the board",
            "controls.engage",
        ),
        (
            _done(actor, "audit.viewed"),
            "Verify an audit entry",
            "Its page proves it up to a signed checkpoint. Sign in as Noor.",
            reverse("audit:explorer"),
            "Open the trail",
            "audit.view",
        ),
    )
    return tuple(
        Step(
            title=title,
            text=text,
            href=href if not permission or actor.has(permission) else "",
            link=link,
            done_at=done_at,
        )
        for done_at, title, text, href, link, permission in wanted
    )


def _done(actor: Actor, action: str) -> datetime | None:
    page = audit.entries(actor=actor, search=Search(action=action, kind="all"), limit=1)
    return page.entries[0].received_at if page.entries else None
