"""Trying rules: why a proposal is held, one call, past calls, and what tools come to."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from approvals import commands, policies, queries
from approvals.cards import Call, Covered, EvaluationCard, ReplayCard, ReplayedCall, Simulated
from approvals.errors import PolicyInvalid
from approvals.forms import NothingForm, ReplayForm, ReplayPageForm, SimulateForm
from approvals.states import ReplaySays, ReplayState, Says
from approvals.views import workshop
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError
from console.kernel.http import actor_of, read, requires, show

_SAYS: Final = {
    Says.PASS: ("quiet", "Runs"),
    Says.ALLOW: ("clear", "Automatic"),
    Says.HOLD: ("caution", "Gated"),
    Says.DENY: ("stop", "Denied"),
}
_DIFFERENCES: Final = {
    ReplaySays.HELD: ("caution", "Newly held"),
    ReplaySays.RELEASED: ("clear", "Newly released"),
    ReplaySays.DENIED: ("stop", "Newly denied"),
    ReplaySays.MORE_PEOPLE: ("caution", "More people"),
    ReplaySays.FEWER_PEOPLE: ("info", "Fewer people"),
    ReplaySays.UNCHANGED: ("quiet", "Unchanged"),
    ReplaySays.NOT_REPLAYABLE: ("unknown", "Not replayable"),
}
_LISTED: Final = frozenset(_DIFFERENCES) - {ReplaySays.UNCHANGED}
PER_PAGE: Final = 50
_TRUTHS: Final = {"true": "clear", "false": "quiet", "error": "unknown"}
_HOURS: Final = 24


@requires("")
@require_http_methods(["GET", "HEAD"])
def explain(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Show every rule that was asked about a proposal, and who may decide it."""
    read(NothingForm, request.GET)
    actor = actor_of(request)
    card = queries.proposal(actor=actor, proposal_id=proposal_id).card
    found = queries.explain(actor=actor, proposal_id=proposal_id)
    context = {
        "card": card,
        "found": found,
        "said": _said(found.evaluation) if found.evaluation else None,
        "later": [_said(one) for one in found.later],
        "may": [one for one in found.people if not one.excluded],
        "may_not": [one for one in found.people if one.excluded],
    }
    return show(request, "approvals/policies/explain.html", context)


@requires("approvals.view")
@require_POST
def simulate(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Try a version on one call; nothing is written."""
    typed = {"proposal": request.POST.get("proposal", ""), "call": request.POST.get("call", "")}
    actor = actor_of(request)
    queries.version(actor=actor, version_id=version_id)
    try:
        values = read(SimulateForm, request.POST)
        call = _call(actor, values)
        found = queries.simulate(actor=actor, call=call, version_id=version_id)
    except ConsoleError as refusal:
        return workshop.page(request, version_id, {"typed": typed}, refusal)
    return workshop.page(request, version_id, {"typed": typed, "simulated": _tried(call, found)})


@requires("policies.manage")
@require_POST
def start_replay(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Begin to ask a version about past calls."""
    days = read(ReplayForm, request.POST)["days"]
    card = commands.start_replay(actor=actor_of(request), version_id=version_id, days=days)
    return redirect("approvals:policy-replay", card.id)


@requires("approvals.view")
@require_http_methods(["GET", "HEAD"])
def replay(request: HttpRequest, replay_id: UUID) -> HttpResponse:
    """Show how far a replay has come, and what would have been different."""
    asked = read(ReplayPageForm, request.GET)
    actor = actor_of(request)
    card = queries.replay(actor=actor, replay_id=replay_id)
    context = {
        "card": card,
        **_listed(actor, card, asked),
        "version": queries.version(actor=actor, version_id=card.version_id),
        "running": card.state is ReplayState.RUNNING,
        "cancelled": card.state is ReplayState.CANCELLED,
        "before": _an_hour(card.held_before, card),
        "after": _an_hour(card.held_after, card),
        "may_cancel": queries.may_manage(actor),
    }
    return show(request, "approvals/policies/replay.html", context)


@requires("policies.manage")
@require_POST
def cancel_replay(request: HttpRequest, replay_id: UUID) -> HttpResponse:
    """End a replay where it is."""
    read(NothingForm, request.POST)
    commands.cancel_replay(actor=actor_of(request), replay_id=replay_id)
    return redirect("approvals:policy-replay", replay_id)


@requires("approvals.view")
@require_http_methods(["GET", "HEAD"])
def coverage(request: HttpRequest) -> HttpResponse:
    """Show what the active rules come to for each tool that changes something."""
    read(NothingForm, request.GET)
    found = queries.coverage(actor=actor_of(request))
    sampled = queries.sampled_policies(actor=actor_of(request))
    context = {
        "rows": [_covered(one) for one in found],
        "sampled": [workshop.sampled(rule, of) for of in sampled for rule in of.rules],
    }
    return show(request, "approvals/policies/coverage.html", context)


# -- parts ---------------------------------------------------------------------------------------


def _said(card: EvaluationCard) -> dict[str, Any]:
    signal, word = _SAYS[card.says]
    return {"card": card, "signal": signal, "word": word, "lines": lines_of(card.trace)}


def lines_of(trace: Any) -> list[dict[str, Any]]:
    """Return a trace as rows: each rule, and below it everything that was looked at."""
    return [
        {
            "name": f"{line['policy']}/{line['rule']}",
            "effect": line["effect"],
            "match": line["match"],
            "counts": line.get("counts", False),
            "signal": _TRUTHS.get(line["result"], "unknown") if line["match"] else "quiet",
            "result": line["result"] if line["match"] else "about other calls",
            "hours": line.get("hours", ""),
            "total": line.get("total"),
            "conditions": list(_conditions(line.get("when"))),
        }
        for line in trace
    ]


def _conditions(line: Any) -> Any:
    """Yield the comparisons of a test, from left to right."""
    if not line:
        return
    if "path" in line:
        yield line
        return
    for part in [*line.get("all", []), *line.get("any", []), *([line["not"]] * ("not" in line))]:
        yield from _conditions(part)


def _call(actor: Actor, values: dict[str, Any]) -> Call:
    if values["proposal"]:
        return queries.call_of(actor=actor, proposal_id=values["proposal"])
    if not values["call"].strip():
        raise PolicyInvalid("Name a proposal or write down a call; then try again.", pointer="")
    return queries.call_from(policies.read_json(values["call"]))


def _tried(call: Call, found: Simulated) -> dict[str, Any]:
    signal, word = _SAYS[found.says]
    asked = found.requirement if found.says is Says.HOLD else None
    return {
        "call": call,
        "found": found,
        "signal": signal,
        "word": word,
        "blocks": [policies.in_words(one) for one in asked.blocks] if asked else [],
        "requirement": asked,
        "lines": lines_of(found.trace),
    }


def _listed(actor: Actor, card: ReplayCard, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the counts, each with the list behind it, and a page of that list."""
    difference = ReplaySays(asked["difference"]) if asked["difference"] else None
    after = asked["after"] or 0
    calls = queries.replayed_calls(
        actor=actor,
        replay_id=card.id,
        difference=difference,
        after=after,
        limit=PER_PAGE + 1,
    )
    shown = calls[:PER_PAGE]
    here = {"difference": difference.value} if difference else {}
    more = {**here, "after": shown[-1].no} if calls[PER_PAGE:] else {}
    return {
        "counts": [_count(card, says, difference) for says in _DIFFERENCES],
        "difference": _DIFFERENCES[difference][1] if difference else "",
        "calls": [_call_line(one) for one in shown],
        "most": commands.MOST_NAMED
        if max(card.counts.get(one.value, 0) for one in _LISTED) > commands.MOST_NAMED
        else 0,
        "first_url": f"?{urlencode(here)}" if after else "",
        "more_url": f"?{urlencode(more)}" if more else "",
        "query": urlencode({**here, **({"after": after} if after else {})}),
    }


def _count(card: ReplayCard, says: ReplaySays, shown: ReplaySays | None) -> dict[str, Any]:
    number = card.counts.get(says.value, 0)
    listed = number and says in _LISTED
    return {
        "word": _DIFFERENCES[says][1],
        "number": number,
        "href": f"?{urlencode({'difference': says.value})}" if listed else "",
        "note": "listed below" if says is shown else "",
    }


def _call_line(one: ReplayedCall) -> dict[str, Any]:
    signal, word = _DIFFERENCES[one.difference]
    return {
        "one": one,
        "signal": signal,
        "word": word,
        "was": one.was.value,
        "says": one.says.value if one.says else "",
        "rules": ", ".join(one.rules),
    }


def _an_hour(held: int, card: ReplayCard) -> str:
    """Return how many proposals an hour people would have had, of the part that was looked at."""
    share = card.done / card.total if card.total else 0
    return f"{held / (card.days * _HOURS * share):.1f}" if share else "0.0"


def _covered(one: Covered) -> dict[str, Any]:
    signal, word = _SAYS[one.says]
    return {"one": one, "signal": signal, "word": word, "by": ", ".join(one.settled_by)}
