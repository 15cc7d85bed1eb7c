"""What wants a person on the home page: stops, votes, deadlines, unknown calls, hand-offs."""

from datetime import datetime

from django.urls import reverse

from agents.runtime import queries as runs
from agents.states import RunState
from audit import queries as audit
from console.kernel.actors import Actor
from console.shell.cards import Attention, StopLine
from console.shell.queries.waiting import Waiting


def attention(
    actor: Actor, waiting: Waiting, standing: tuple[StopLine, ...], now: datetime
) -> tuple[Attention, ...]:
    found = _trail(actor) if actor.has("audit.view") else []
    if standing and actor.has("controls.view"):
        found += [_stopped(line) for line in standing[:3]]
    if actor.has("approvals.vote") and waiting.mine:
        found.append(_my_turn(waiting.mine))
    if actor.has("approvals.view"):
        found += _reviews_that_press(waiting, now)
    if actor.has("runs.view"):
        found += _runs_that_stand(actor)
    return tuple(found)


def _trail(actor: Actor) -> list[Attention]:
    return [
        Attention(
            signal="stop",
            word="Trail",
            text=card.sentences[0] + _and_more(len(card.sentences) - 1),
            href=reverse("audit:watch"),
            link="Look",
        )
        for card in audit.alarms(actor=actor)
    ]


def _and_more(count: int) -> str:
    return f" And {count} more." if count else ""


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


def _reviews_that_press(waiting: Waiting, now: datetime) -> list[Attention]:
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
