"""The figures of the home page, each asked of the room that owns it."""

from datetime import datetime
from typing import Final

from django.urls import reverse

from agents.runtime import queries as runs
from agents.states import FINAL_RUN, RunState
from approvals import queries as approvals
from audit import queries as audit
from console.kernel.actors import Actor
from console.kernel.spans import Span
from console.kernel.templatetags.signalbox import money
from console.shell.cards import StopLine, Tile
from console.shell.queries.waiting import Waiting
from costs import queries as costs
from costs.cards import CostCard
from costs.states import GroupBy

ENDED_SHOWN: Final = (RunState.COMPLETED, RunState.FAILED, RunState.PAUSED)


def tiles(
    actor: Actor, waiting: Waiting, standing: tuple[StopLine, ...], now: datetime
) -> tuple[Tile, ...]:
    found = []
    if actor.has("approvals.view"):
        found += _review_tiles(actor, waiting, now)
    if actor.has("controls.view"):
        found.append(_stop_tile(standing))
    if actor.has("runs.view"):
        found.append(_run_tile(actor))
    if actor.has("costs.view"):
        found.append(_cost_tile(_spent(actor, now)))
    if actor.has("audit.view"):
        found.append(_audit_tile(actor))
    return tuple(found)


def _review_tiles(actor: Actor, waiting: Waiting, now: datetime) -> list[Tile]:
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
