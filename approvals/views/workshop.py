"""The workshop of policies: versions, drafts, and asking people to let them speak."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from approvals import commands, diffs, policies, queries
from approvals.cards import PolicyVersionCard, Subject
from approvals.cards.reviewing import SampledPolicy, SampledRule
from approvals.forms import (
    NothingForm,
    PolicyDraftForm,
    PolicyFromForm,
    PolicyProposeForm,
    PolicyShadowForm,
)
from approvals.states import LIVE, PolicyState
from approvals.views import shadow
from approvals.views.changes import Address, Change
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError
from console.kernel.http import actor_of, read, requires, show

SIGNALS: Final = {
    PolicyState.ACTIVE: ("clear", "Active"),
    PolicyState.SHADOW: ("info", "In the shadow"),
    PolicyState.DRAFT: ("caution", "Draft"),
    PolicyState.RETIRED: ("quiet", "Retired"),
}
EXAMPLE: Final = {
    "policy": "shop-writes",
    "rules": [
        {
            "id": "refund-large",
            "priority": 80,
            "match": {"tool": "refund.*"},
            "when": {"all": [{"path": "/args/amount", "op": "gt", "value": "1000.00"}]},
            "effect": "hold",
            "require": {"all": [{"slots": [{"groups": ["finance"], "n": 1}]}], "blind": True},
            "decide": "4h",
            "execute": "10m",
            "on_expiry": "refuse",
        }
    ],
}
DAYS: Final = (7, 30, 90)


@requires("approvals.view")
@require_http_methods(["GET", "HEAD"])
def policies_list(request: HttpRequest) -> HttpResponse:
    """List every policy with its versions: which speaks, which is tried, which wait."""
    read(NothingForm, request.GET)
    actor = actor_of(request)
    cards = queries.policy_versions(actor=actor)
    agreed = queries.agreed_by(
        actor=actor, proposal_ids=[card.activated_by for card in cards if card.activated_by]
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for card in cards:
        line = {
            **_line(card),
            "agreed": agreed.get(card.activated_by) if card.activated_by else None,
        }
        found.setdefault(card.policy, []).append(line)
    context = {"policies": list(found.items()), "may_draft": queries.may_manage(actor)}
    return show(request, "approvals/policies/list.html", context)


@requires("approvals.view")
@require_http_methods(["GET", "HEAD"])
def policy_version(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Show one version: its rules in words, what it would change, and what can be done with it."""
    read(NothingForm, request.GET)
    return page(request, version_id, {})


@requires("policies.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def draft_policy(request: HttpRequest) -> HttpResponse:
    """Write a new version; a refusal names where the fault is and keeps the text."""
    if request.method != "POST":
        return _form(request, _start(request), "", None)
    body, note = request.POST.get("body", ""), request.POST.get("note", "")
    try:
        values = read(PolicyDraftForm, request.POST)
        card = commands.add_version(
            actor=actor_of(request), body=policies.read_json(values["body"]), note=values["note"]
        )
    except ConsoleError as refusal:
        return _form(request, body, note, refusal)
    return redirect("approvals:policy-version", card.id)


@requires("policies.manage")
@require_POST
def shadow_policy(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Have a version asked beside the active one, or no longer."""
    on = read(PolicyShadowForm, request.POST)["on"]
    commands.shadow_version(actor=actor_of(request), version_id=version_id, on=on)
    return redirect("approvals:policy-version", version_id)


@requires("policies.manage")
@require_POST
def discard_policy(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Put away a version that never spoke."""
    read(NothingForm, request.POST)
    commands.discard_version(actor=actor_of(request), version_id=version_id)
    messages.success(request, "Put away; nothing depended on it.", extra_tags="clear")
    return redirect("approvals:policies")


@requires("policies.manage")
@require_POST
def propose_policy(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Ask two people whether a version may speak, or should fall silent; shows what they see."""
    what = read(PolicyProposeForm, request.POST)["what"]
    act = commands.propose_activation if what == "activate" else commands.propose_retirement
    card = act(actor=actor_of(request), version_id=version_id)
    return redirect("approvals:detail", card.id)


def page(
    request: HttpRequest,
    version_id: UUID,
    more: Mapping[str, Any],
    refusal: ConsoleError | None = None,
) -> HttpResponse:
    """Return the page of a version, with what a form below it found or refused."""
    actor = actor_of(request)
    card = queries.version(actor=actor, version_id=version_id)
    found = queries.sampled_rules(actor=actor, version_id=version_id)
    context = {
        **_line(card),
        **_standing(actor, card),
        "rules": _rules(card),
        "sampled": [sampled(one) for one in found],
        "body": pretty(card.body),
        "may": queries.version_acts(actor=actor, version_id=version_id),
        "days": DAYS,
        "refusal": refusal,
        "replays": queries.replays_of(actor=actor, version_id=version_id),
        **more,
    }
    status = refusal.status if refusal else 200
    response = show(request, "approvals/policies/version.html", context, status=status)
    if refusal:
        response.refusal = refusal  # type: ignore[attr-defined]  # audit/middleware.py records it
    return response


def pretty(value: Any) -> str:
    """Return JSON as people read it."""
    return json.dumps(value, indent=2, ensure_ascii=False)


# -- parts ---------------------------------------------------------------------------------------


def _standing(actor: Actor, card: PolicyVersionCard) -> dict[str, Any]:
    """Return what the version is compared with, who agreed to it, and what waits about it."""
    versions = queries.policy_versions(actor=actor, policy=card.policy)
    active = next((one for one in versions if one.state is PolicyState.ACTIVE), None)
    subject = Subject(kind=policies.GOVERNED_KIND, id=card.id)
    proposal = queries.proposal_for_subject(actor=actor, subject=subject)
    by = [card.activated_by] if card.activated_by else []
    return {
        "active": active,
        "change": _change(active, card),
        "waiting": proposal if proposal and proposal.state in LIVE else None,
        "agreed": queries.agreed_by(actor=actor, proposal_ids=by).get(card.activated_by)
        if card.activated_by
        else None,
        **(_shadow(actor, card) if card.state is PolicyState.SHADOW else {}),
    }


def _shadow(actor: Actor, card: PolicyVersionCard) -> dict[str, Any]:
    tally = queries.shadow_tally(actor=actor, version_id=card.id, days=shadow.DAYS)
    return {
        "tally": tally,
        "tally_days": shadow.DAYS,
        "shadow_columns": shadow.COLUMNS,
        "shadow_numeric": shadow.NUMERIC,
        "shadow_rows": [shadow.row_of(day) for day in tally.days],
    }


def _change(active: PolicyVersionCard | None, card: PolicyVersionCard) -> dict[str, Any] | None:
    if active is not None and active.id == card.id:
        return None
    diff = diffs.between(_image(active), _image(card))
    return Change(diff, Address(opened="all"), anchors=False).context()


def _image(card: PolicyVersionCard | None) -> dict[str, Any]:
    return {"policies": {card.policy: {"rules": card.body["rules"]}}} if card else {}


def _rules(card: PolicyVersionCard) -> list[dict[str, Any]]:
    return [
        {
            "id": rule.id,
            "effect": rule.effect.value,
            "signal": {"allow": "clear", "hold": "caution", "deny": "stop"}[rule.effect.value],
            "priority": rule.priority,
            "sentence": policies.sentence_of(rule),
            "note": rule.note,
        }
        for rule in policies.parse(card.body).rules
    ]


def sampled(one: SampledRule, of: SampledPolicy | None = None) -> dict[str, Any]:
    """Return a rule's samples with shares as people read them; with its policy, where many are."""
    share = f"{(Decimal(one.rate) * 100).normalize():f}"
    return {
        "one": one,
        "of": of,
        "rate": f"{share} %",
        "between": f"{one.low:.0%} to {one.high:.0%}".replace("%", " %") if one.answered else "",
    }


def _line(card: PolicyVersionCard) -> dict[str, Any]:
    signal, word = SIGNALS[card.state]
    return {
        "card": card,
        "signal": signal,
        "word": word,
        "is_draft": card.state in (PolicyState.DRAFT, PolicyState.SHADOW),
        "is_shadow": card.state is PolicyState.SHADOW,
        "is_active": card.state is PolicyState.ACTIVE,
        "count": len(card.body["rules"]),
    }


def _start(request: HttpRequest) -> str:
    """Return what a new draft starts from: the active body, the newest, or an example."""
    name = read(PolicyFromForm, request.GET)["policy"]
    if not name:
        return pretty(EXAMPLE)
    cards = queries.policy_versions(actor=actor_of(request), policy=name)
    active = [card for card in cards if card.state is PolicyState.ACTIVE]
    return pretty((active or list(cards))[0].body) if cards else pretty({**EXAMPLE, "policy": name})


def _form(request: HttpRequest, body: str, note: str, refusal: ConsoleError | None) -> HttpResponse:
    details: Mapping[str, Any] = refusal.details if refusal else {}
    context = {
        "body": body,
        "note": note,
        "refusal": refusal,
        "pointer": details.get("pointer", ""),
        "wrong": details.get("fields", {}),
    }
    status = refusal.status if refusal else 200
    response = show(request, "approvals/policies/draft.html", context, status=status)
    if refusal:
        response.refusal = refusal  # type: ignore[attr-defined]  # audit/middleware.py records it
    return response
