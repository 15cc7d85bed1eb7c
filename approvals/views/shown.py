"""From cards to what the templates show."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from approvals.cards import ProposalDetail
from approvals.states import DECIDABLE, REJECT_LABELS, SETTLED, Choice, ProposalState
from approvals.views.receipts import stages_of

_THEN: Final[Mapping[str, str]] = {
    "refuse": "then: refused",
    "return": "then: back to the agent",
    "park": "then: waits for an operator",
    "escalate": "then: more people are asked",
    "approve": "then: approved by its rule",
}
_ACTIONS: Final[Mapping[str, str]] = {
    "proposal.opened": "asked for people",
    "proposal.decided": "settled it",
    "proposal.revised": "made a new revision; earlier votes are void",
    "proposal.asked": "asked a question",
    "proposal.answered": "answered",
    "proposal.noted": "left a note",
    "proposal.staled": "found that the target had changed; nothing ran",
    "proposal.reopened": "took the approval back to people",
    "proposal.frozen": "stopped its clock, for a stop or a question",
    "proposal.extended": "gave people more time",
    "proposal.reminded": "reminded those who are asked",
    "proposal.widened": "asked more people",
    "proposal.unfillable": "found that nobody can complete it any more",
    "proposal.fillable": "found that enough people may vote again",
    "proposal.thawed": "let its clock run again",
    "proposal.taken_over": "ended the claims of others",
    "proposal.dispatched": "handed it over to execution",
    "proposal.break_glass": "broke glass: decided in place of everybody who is asked",
    "break_glass.refused": "was refused break-glass",
    "review_task.opened": "opened a review of it",
    "review_task.closed": "closed its review",
    "plan.proposed": "asked for these changes as one plan",
    "plan.broken": "found that the plan cannot go on; the rest of it was withdrawn",
    "check.planted": "planted it as a check",
    "check.answered": "answered the check",
    "check.lapsed": "ended the check, which nobody had answered",
    "vote.cast": "voted",
    "vote.voided": "made a vote void",
    "vote.refused": "was refused a vote",
    "dispatch.refused": "tried to run something else; nothing ran",
    "dispatch.succeeded": "reported success",
    "dispatch.failed": "reported failure",
    "dispatch.staled": "reported that the target was another one than people saw; nothing was made",
    "dispatch.unknown": "could not say whether it happened",
    "dispatch.reconciled": "found out what had happened",
}
_SIGNALS: Final[Mapping[str, str]] = {
    "proposal.decided": "clear",
    "proposal.staled": "unknown",
    "proposal.frozen": "stop",
    "proposal.unfillable": "stop",
    "proposal.break_glass": "stop",
    "break_glass.refused": "stop",
    "plan.broken": "stop",
    "vote.refused": "stop",
    "dispatch.refused": "stop",
    "dispatch.succeeded": "clear",
    "dispatch.failed": "stop",
    "dispatch.staled": "unknown",
    "dispatch.unknown": "unknown",
}
REASONS: Final = [(code.value, label) for code, label in REJECT_LABELS.items()]


def page_of(detail: ProposalDetail) -> dict[str, Any]:
    """Return the context of a proposal's page, but for its change and its evidence."""
    return {
        "detail": detail,
        "card": detail.card,
        "waits": detail.card.state in DECIDABLE,
        "approved": detail.card.state is ProposalState.APPROVED,
        "unchanged": detail.diff.unchanged,
        "raw": _raw(detail),
        "people": _people(detail),
        "history": [_history(line) for line in detail.history],
        "stages": stages_of(detail),
        "then": _THEN[detail.requirement.on_expiry],
        "reasons": REASONS,
        "ends": sorted(SETTLED),
        "bar_refusal": detail.refusal,
        "card_id": str(detail.card.id),
    }


def _raw(detail: ProposalDetail) -> list[tuple[str, str]]:
    content = detail.content
    return [
        ("Call", _json({"tool": content.tool, "arguments": content.args})),
        ("Contract", content.contract_hash),
        ("Before", _json(content.before)),
        ("After", _json(content.after)),
    ]


def raw_of(pairs: Iterable[tuple[str, Any]]) -> list[tuple[str, str]]:
    """Return named values as the text that their digest covers."""
    return [(name, one if isinstance(one, str) else _json(one)) for name, one in pairs]


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
            "signed": line.vote.signed_with,
            "instead": line.vote.in_place_of,
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
            "signed": vote.signed_with,
            "instead": vote.in_place_of,
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
            {
                "name": line.name,
                "group": ", ".join(line.groups),
                "instead": line.in_place_of,
            }
            for line in detail.reviewers
            if detail.card.state in DECIDABLE and not line.refusal and line.vote is None
        ],
        "ineligible": [{"name": name, "reason": why} for name, why in barred.items()],
    }


def _you(detail: ProposalDetail) -> str:
    if detail.check is not None and detail.check.answer is not None:
        return "you answered it; it was a planted check."
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
        "said": f"{_ACTIONS.get(line.action, line.action)} {line.word}".strip(),
        "signal": _SIGNALS.get(line.action, "info"),
    }
