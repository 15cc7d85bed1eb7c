"""From cards to what the templates show."""

import json
from collections.abc import Mapping
from typing import Any, Final

from approvals.cards import FieldChange, ProposalDetail, QueueRow
from approvals.states import DECIDABLE, REJECT_LABELS, Choice, DispatchState, ProposalState
from console.kernel.templatetags.signs import STATES

_CHANGE: Final[Mapping[str, str]] = {"add": "added", "del": "removed", "change": "changed"}
_ACTIONS: Final[Mapping[str, str]] = {
    "proposal.opened": "asked for people",
    "proposal.decided": "settled it",
    "proposal.revised": "put it on a new base; earlier votes are void",
    "proposal.staled": "found that the target had changed; nothing ran",
    "proposal.reopened": "took the approval back to people",
    "proposal.frozen": "stopped its clock: a stop was ordered",
    "proposal.thawed": "let its clock run again: the stop was released",
    "proposal.dispatched": "handed it over to execution",
    "vote.cast": "voted",
    "vote.voided": "made a vote void",
    "vote.refused": "was refused a vote",
    "dispatch.refused": "tried to run something else; nothing ran",
    "dispatch.succeeded": "reported success",
    "dispatch.failed": "reported failure",
    "dispatch.unknown": "could not say whether it happened",
    "dispatch.reconciled": "found out what had happened",
}
_SIGNALS: Final[Mapping[str, str]] = {
    "proposal.decided": "clear",
    "proposal.staled": "unknown",
    "proposal.frozen": "stop",
    "vote.refused": "stop",
    "dispatch.refused": "stop",
    "dispatch.succeeded": "clear",
    "dispatch.failed": "stop",
    "dispatch.unknown": "unknown",
}
_EXECUTION: Final[Mapping[DispatchState, tuple[str, str]]] = {
    DispatchState.CLAIMED: ("info", "Sent, not confirmed yet"),
    DispatchState.SUCCEEDED: ("clear", "Executed"),
    DispatchState.FAILED: ("stop", "Failed; the change was not made"),
    DispatchState.UNKNOWN: ("unknown", "Nobody knows whether it happened"),
}
_ENDED: Final[Mapping[str, str]] = {
    "decide_by": "Nobody decided in time. Nothing ran.",
    "execute_by": "The approval ran out before it was executed. Nothing ran.",
    "newer": "A newer request took its place. Nothing ran.",
}
REASONS: Final = [(code.value, label) for code, label in REJECT_LABELS.items()]


def queue_row(row: QueueRow, *, mine: bool) -> dict[str, Any]:
    """Return what `components/row.html` shows."""
    card = row.card
    waits = card.state in DECIDABLE
    return {
        "card": card,
        "mine": mine and waits,
        "gone": mine and not waits,
        "meta": row.note,
        "dom_id": f"proposal-{card.id}",
        "signal": "stop" if waits else STATES.get(card.state.value, "quiet"),
        "signal_word": _word(row),
        "at": card.decide_by if waits else card.moved_at,
        "at_label": "Decide by" if waits else "",
    }


def _word(row: QueueRow) -> str:
    if row.card.state not in DECIDABLE:
        return row.card.state.value.capitalize()
    return "Held by a stop" if row.card.frozen else ""


def page_of(detail: ProposalDetail) -> dict[str, Any]:
    """Return the context of a proposal's page."""
    return {
        "detail": detail,
        "consequence": _consequence(detail),
        "card": detail.card,
        "waits": detail.card.state in DECIDABLE,
        "approved": detail.card.state is ProposalState.APPROVED,
        "changes": [_diff_row(change) for change in detail.diff.changes],
        "unchanged": detail.diff.unchanged,
        "raw": _raw(detail),
        "people": _people(detail),
        "history": [_history(line) for line in detail.history],
        "my_entry": _my_entry(detail),
        "execution": _execution(detail),
        "ended": _ENDED.get(detail.close_cause, ""),
        "reject_reason": dict(REASONS).get(detail.close_cause, ""),
        "reasons": REASONS,
        "bar_refusal": detail.refusal,
        "card_id": str(detail.card.id),
    }


def _consequence(detail: ProposalDetail) -> str:
    """Say in one line what would happen; the undo is ours, so this text is, too."""
    changes = detail.diff.changes
    records = {(change.kind, change.record) for change in changes}
    fields = "1 field" if len(changes) == 1 else f"{len(changes)} fields"
    of = "1 record" if len(records) == 1 else f"{len(records)} records"
    undo = "it can be undone" if detail.facts.undo else "this cannot be undone after dispatch"
    made = detail.dispatch is not None and detail.dispatch.state is DispatchState.SUCCEEDED
    if made:
        return f"{fields} of {of} changed; {undo.removesuffix(' after dispatch')}."
    if detail.card.state in {ProposalState.APPROVED, ProposalState.DISPATCHED}:
        return f"{fields} of {of} may change now; {undo}."
    if detail.card.settled:
        return f"It would have changed {fields} of {of}."
    return f"If approved, {fields} of {of} change; {undo}."


def _diff_row(change: FieldChange) -> dict[str, Any]:
    hidden = (change.before.hidden if change.before else 0) + (
        change.after.hidden if change.after else 0
    )
    notes = [change.note] if change.note else []
    if hidden:
        notes.append(f"{hidden} hidden")
    side = change.after or change.before
    return {
        "path": f"{change.kind} {change.record} {change.path}",
        "change": _CHANGE[change.mark],
        "before": change.before.text if change.before else None,
        "after": change.after.text if change.after else None,
        "before_pieces": _pieces(change, "del"),
        "after_pieces": _pieces(change, "add"),
        "kind": side.type if side else "",
        "note": ", ".join(notes),
    }


def _pieces(change: FieldChange, side: str) -> list[tuple[str, bool]]:
    """Return one side word by word, or nothing where no word stays: then all of it is new."""
    if not any(piece.mark == "same" and piece.text.strip() for piece in change.pieces):
        return []
    return [
        (piece.text, piece.mark == side) for piece in change.pieces if piece.mark in {"same", side}
    ]


def _raw(detail: ProposalDetail) -> list[tuple[str, str]]:
    content = detail.content
    return [
        ("Call", _json({"tool": content.tool, "arguments": content.args})),
        ("Contract", content.contract_hash),
        ("Before", _json(content.before)),
        ("After", _json(content.after)),
    ]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)


def _people(detail: ProposalDetail) -> dict[str, Any]:
    """Return what `components/people.html` shows; while votes are hidden there are none to show."""
    votes = [
        {
            "name": line.name,
            "group": ", ".join(line.groups),
            "choice": line.vote.choice.value,
            "at": line.vote.cast_at,
            "note": line.vote.note,
            "told": line.vote.agent_message,
        }
        for line in detail.reviewers
        if line.vote is not None
    ]
    votes += [
        {
            "name": vote.person,
            "choice": vote.choice.value,
            "at": vote.cast_at,
            "note": vote.note,
            "told": vote.agent_message,
        }
        for vote in detail.others
    ]
    barred = {line.name: line.refusal for line in detail.reviewers if line.refusal}
    for principal in detail.principals:
        if principal.person_id is not None:
            barred.setdefault(principal.label, f"has a part in the request ({principal.role})")
    return {
        "needs": detail.requirement.people,
        "given": detail.given,
        "you": _you(detail),
        "voters": votes,
        "eligible": [
            {"name": line.name, "group": ", ".join(line.groups)}
            for line in detail.reviewers
            if detail.card.state in DECIDABLE and not line.refusal and line.vote is None
        ],
        "ineligible": [{"name": name, "reason": why} for name, why in barred.items()],
    }


def _you(detail: ProposalDetail) -> str:
    if detail.my_vote is not None:
        word = "approve" if detail.my_vote.choice is Choice.APPROVE else "reject"
        return f"you voted to {word}."
    if detail.refusal:
        return detail.refusal
    if detail.my_voided is not None:
        return f"your earlier vote no longer counts ({detail.my_voided.void_cause}); vote again."
    return "eligible." if detail.card.state in DECIDABLE else "you did not vote."


def _history(line: Any) -> dict[str, Any]:
    # A part of the console, such as pulse.reaper, has its own name for a label.
    by_console = line.who == line.actor_id and "." in line.who
    return {
        "line": line,
        "who": "Signalbox" if by_console else line.who,
        "said": _ACTIONS.get(line.action, line.action),
        "signal": _SIGNALS.get(line.action, "info"),
    }


def _my_entry(detail: ProposalDetail) -> int | None:
    """Return the place of the reader's vote in the trail, once it is sealed."""
    if detail.my_vote is None:
        return None
    mine = [
        line.index
        for line in detail.history
        if line.action == "vote.cast" and line.actor_id == str(detail.my_vote.person_id)
    ]
    return mine[-1] if mine else None


def _execution(detail: ProposalDetail) -> dict[str, Any] | None:
    if detail.dispatch is None:
        return None
    signal, word = _EXECUTION[detail.dispatch.state]
    return {"signal": signal, "word": word, "dispatch": detail.dispatch}
