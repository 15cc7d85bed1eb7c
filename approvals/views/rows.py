"""From rows of a list to what its template shows."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final
from urllib.parse import urlencode

from django.urls import reverse

from approvals import policies
from approvals.cards import ClaimCard, QueueRow, Turn
from approvals.states import DECIDABLE, SETTLED, AttentionReason, ProposalState
from console.kernel.templatetags.signs import STATES

_WHY: Final[Mapping[AttentionReason, str]] = {
    AttentionReason.OPENED: "asked of you",
    AttentionReason.REOPENED: "back with people",
    AttentionReason.VOIDED: "your vote no longer counts",
    AttentionReason.WIDENED: "asks your group as well",
    AttentionReason.ANSWERED: "your question was answered",
}
_CAUSES: Final[Mapping[str, str]] = {
    "drift": "the target changed",
    "edited": "somebody edited it",
    "revised": "the agent changed it",
    "authority": "your rights had changed",
    "lapsed": "a stop outlasted the approval",
    "policy": "a rule asks more",
    "escalated": "nobody decided in time",
}


def queue_row(row: QueueRow, *, reader: str, query: str, live: bool) -> dict[str, Any]:
    """Return what `components/row.html` shows.

    Args:
        reader: id of the reader.
        query: of the list's address, so that the proposal's page knows the way back.
        live: whether what is decided leaves this list.
    """
    card = row.card
    waits = card.state in DECIDABLE
    return {
        "card": card,
        "query": query,
        "mine": row.turn is not None,
        "gone": live and not waits,
        "why": why(row.turn) if row.turn else "",
        "since": row.turn.at if row.turn else None,
        "note": "" if card.frozen else _note(row),  # the badge says it
        "claims": [_at_work(claim, reader) for claim in row.claims],
        "snoozed_until": row.snoozed_until,
        "dom_id": f"proposal-{card.id}",
        "signal": "stop" if waits else _signal(card.state),
        "signal_word": _word(row),
        "at": card.decide_by if waits else card.moved_at,
        "at_label": "Decide by" if waits else "",
        **_box(row, waits=waits),
    }


def _box(row: QueueRow, *, waits: bool) -> dict[str, str]:
    """Return the row's box: what it selects, or why it stands there disabled."""
    card = row.card
    if not waits or row.turn is None:
        return {"select": "", "unselected": ""}
    if card.tier > 1:
        return {"select": "", "unselected": policies.never_in_batch(card.title)}
    return {"select": str(card.id), "unselected": ""}


def _note(row: QueueRow) -> str:
    return f"in place of {row.in_place_of}" if row.in_place_of else row.note


def ends() -> list[dict[str, str]]:
    """Return what a row shows of each way in which its proposal can end."""
    return [
        {"state": state.value, "signal": _signal(state), "word": _ended(state)}
        for state in sorted(SETTLED)
    ]


def grouped(rows: Iterable[QueueRow], *, reader: str, query: str, live: bool) -> list[Any]:
    """Return what a list shows: single rows, and one row for identical requests of one run."""
    entries = []
    for _key, group in groupby(rows, key=lambda row: row.group or row.card.id):
        members = [queue_row(row, reader=reader, query=query, live=live) for row in group]
        entries.append(members[0] if len(members) == 1 else _as_one(members))
    return entries


def _as_one(members: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return one row for all of a group: that of the first that still waits."""
    first = next((member for member in members if not member["gone"]), members[0])
    asked = [member["select"] for member in members if member["select"]]
    several = ",".join(asked)
    return {
        **first,
        "dom_id": f"same-{members[0]['card'].id}",
        "select": several,
        "members": [{**member, "select": "", "unselected": ""} for member in members],
        "count": len(members),
        "left": sum(member["gone"] for member in members),
        "asked": len(asked),
        # One act for all is the guarded one of a batch: its table, a digest and an answer for each.
        "decide": f"{reverse('approvals:batch')}?{urlencode({'select': several}, safe=',')}"
        if len(asked) > 1
        else "",
    }


def why(turn: Turn) -> str:
    """Say why it is the reader's turn, as `your vote no longer counts: the target changed`."""
    cause = _CAUSES.get(turn.cause, "")
    return f"{_WHY[turn.reason]}: {cause}" if cause else _WHY[turn.reason]


def _at_work(claim: ClaimCard, reader: str) -> dict[str, Any]:
    mine = str(claim.person_id) == reader
    return {"mine": mine, "name": claim.name, "until": claim.until}


def _word(row: QueueRow) -> str:
    if row.card.state not in DECIDABLE:
        return _ended(row.card.state)
    return "Held by a stop" if row.card.frozen else ""


def _ended(state: ProposalState) -> str:
    return state.value.capitalize()


def _signal(state: ProposalState) -> str:
    return STATES.get(state.value, "quiet")
