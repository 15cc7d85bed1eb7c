"""A plan on the page of a proposal: its changes in order, each with its difference and progress."""

import json
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import replace
from typing import Any, Final

from approvals.cards import Laid, ProposalDetail, StepCard
from approvals.policies import planning
from approvals.states import PLAN_BROKEN, DispatchState, ProposalState
from approvals.views.changes import Change

_MOST_CHARS: Final = 200
_OUTCOMES: Final[Mapping[DispatchState, tuple[str, str]]] = {
    DispatchState.CLAIMED: ("info", "Running"),
    DispatchState.SUCCEEDED: ("clear", "Done"),
    DispatchState.FAILED: ("stop", "Failed, nothing was changed"),
    DispatchState.STALE: ("unknown", "Not made, the target had changed"),
    DispatchState.UNKNOWN: ("unknown", "Nobody knows whether it happened"),
}
_STATES: Final[Mapping[ProposalState, tuple[str, str]]] = {
    ProposalState.OPEN: ("caution", "Waits for people"),
    ProposalState.APPROVED: ("caution", "Runs next"),
}


def plan_context(found: ProposalDetail, change: Change) -> dict[str, Any] | None:
    """Return what the templates show of the plan that this is, or of which this is one change."""
    plan = found.plan
    if plan is None:
        return None
    whole = plan.id == found.card.id
    place = found.card.plan_pos or 0
    return {
        "card": plan,
        "whole": whole,
        "place": place,
        "count": len(plan.steps),
        "here": "" if whole else _says(plan.steps[place - 1]),
        "steps": [_step(one, change if whole else None) for one in plan.steps],
        "raw": [pair for one in plan.steps for pair in _raw(one)] if whole else [],
        "topics": " ".join(f"proposal:{one.card.id}" for one in plan.steps),
    }


def of_step(change: Change, place: int) -> dict[str, Any]:
    """Return the part of a plan's difference that belongs to one of its changes."""
    part = copy(change)
    part.laid = tuple(_bare(one) for one in change.laid if _place(one) == place)
    return part.context()


def _step(one: StepCard, change: Change | None) -> dict[str, Any]:
    place = one.card.plan_pos or 0
    signal, word, at = _progress(one)
    return {
        "card": one.card,
        "args": [*_arguments(one)],
        "undo": one.undo,
        "change": of_step(change, place) if change else None,
        "signal": signal,
        "word": word,
        "at": at,
        "says": _says(one),
    }


def _arguments(one: StepCard) -> Iterator[tuple[str, str]]:
    """Yield short arguments as they are; a long one is in the difference, and whole under Raw."""
    for name, value in one.content.args.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        yield name, text if len(text) <= _MOST_CHARS else f"{len(text):,} characters, see Raw"


def _progress(one: StepCard) -> tuple[str, str, Any]:
    if one.dispatch is not None:
        sent = one.dispatch
        return (*_OUTCOMES[sent.state], sent.settled_at or sent.claimed_at)
    if one.card.state not in _STATES:
        return "quiet", one.card.state.value.capitalize(), one.card.moved_at
    if one.card.frozen:
        return "stop", "Held by a stop", None
    if one.card.state is ProposalState.APPROVED and one.waits_for is not None:
        return "caution", f"Waits for change {one.waits_for}", None
    return (*_STATES[one.card.state], None)


def _says(one: StepCard) -> str:
    """Return why a change will not be made, as far as its plan is the reason."""
    cause = one.close_cause
    if not cause.startswith(("plan ", PLAN_BROKEN)):
        return ""
    return f"{cause[:1].upper()}{cause[1:]}."


def _raw(one: StepCard) -> list[tuple[str, Any]]:
    no = one.card.plan_pos
    content = one.content
    return [
        (f"Change {no}, call", {"tool": content.tool, "arguments": content.args}),
        (f"Change {no}, contract", content.contract_hash),
        (f"Change {no}, before", content.before),
        (f"Change {no}, after", content.after),
    ]


def _place(laid: Laid) -> int:
    return planning.step_of(laid.change.kind)


def _bare(laid: Laid) -> Laid:
    kind = planning.kind_of_step(laid.change.kind)
    return replace(laid, change=replace(laid.change, kind=kind))
