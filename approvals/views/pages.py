"""Views of approvals. They read, call one command, and answer."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from approvals import commands, kinds, queries
from approvals.cards import ProposalDetail, ProposalPage
from approvals.errors import StaleRevision
from approvals.forms import DetailForm, NothingForm, VoteForm
from approvals.states import Choice, ProposalState
from approvals.views.changes import ALL, Address, Change
from approvals.views.claims import claims_context
from approvals.views.clocks import clocks_of
from approvals.views.consequence import consequence_of
from approvals.views.delegations import capacity_of
from approvals.views.finding import found_in
from approvals.views.glass import glass_context
from approvals.views.hidden import sealed_context
from approvals.views.neighbours import KEPT, place_of
from approvals.views.plans import plan_context
from approvals.views.serving import approve_refusal, keep_shown, parts_seen
from approvals.views.shown import page_of, raw_of
from approvals.views.standing import ahead_of
from approvals.views.thread import content_of
from approvals.views.voting import signed_of, signing_of
from console.kernel.actors import Actor
from console.kernel.errors import BadInput, ConsoleError, NotFound
from console.kernel.http import actor_of, read, requires, show

_TYPED: Final = ("choice", "reason_code", "note", "agent_message", "evidence")


@requires("")
@require_http_methods(["GET", "HEAD"])
def detail(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Show one proposal to one reader, and keep which parts of its change they were shown."""
    asked = read(DetailForm, request.GET)
    actor = actor_of(request)
    page = queries.proposal_page(actor=actor, proposal_id=proposal_id)
    if commands.probe_opened(actor=actor, card=page.detail.card):
        page = queries.proposal_page(actor=actor, proposal_id=proposal_id)
    change = _change(request, page.detail, asked)
    answer = show(request, "approvals/detail.html", _context(request, page, asked, change))
    if request.method == "GET":
        keep_shown(actor, page.detail, change)
    return answer


@requires("")
@require_POST
def vote(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Take one vote; a refusal shows the page again, as it is now, with what was typed."""
    try:
        values = read(VoteForm, request.POST)
        values["choice"] = Choice(values["choice"])
        if not values.pop("record") or values.pop("guard"):
            raise BadInput("Nothing was recorded; choose, then press Record vote.", fields={})
        values["signed"] = signed_of(request, values.pop("assertion"))
        commands.cast_vote(actor=actor_of(request), proposal_id=proposal_id, **values)
    except NotFound:
        raise
    except ConsoleError as refusal:
        return again(request, proposal_id, refusal)
    return redirect("approvals:detail", proposal_id)


@requires("")
@require_POST
def withdraw_vote(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Take back the reader's own vote."""
    read(NothingForm, request.POST)
    commands.withdraw_vote(actor=actor_of(request), proposal_id=proposal_id)
    return redirect("approvals:detail", proposal_id)


def again(request: HttpRequest, proposal_id: UUID, refusal: ConsoleError) -> HttpResponse:
    """Show the page of a proposal as it is now, with a refusal and what was typed."""
    page = queries.proposal_page(actor=actor_of(request), proposal_id=proposal_id)
    change = _change(request, page.detail, {})
    context = _context(request, page, {}, change)
    typed = {name: request.POST.get(name, "") for name in _TYPED}
    if isinstance(refusal, StaleRevision):
        typed["choice"] = ""  # what was chosen was chosen for something else
    fields: Any = refusal.details.get("fields", {})
    errors = {name: said if isinstance(said, str) else said[0] for name, said in fields.items()}
    context |= {"refused": refusal, "typed": typed, "errors": errors}
    response = show(request, "approvals/detail.html", context, status=refusal.status)
    keep_shown(actor_of(request), page.detail, change)  # the next vote may come from this very page
    response.refusal = refusal  # type: ignore[attr-defined]  # audit/middleware.py records it
    return response


def _change(request: HttpRequest, found: ProposalDetail, asked: Mapping[str, Any]) -> Change:
    address = Address(
        view=asked.get("view") or "fields",
        opened=asked.get("open") or "",
        kept={name: str(asked.get(name) or "") for name in ("since", *KEPT)},
    )
    change = Change(found.diff, address, seen=parts_seen(actor_of(request), found))
    if not asked.get("find"):
        return change
    return Change(found.diff, found_in(change, asked["find"]), seen=change.seen)


def _context(
    request: HttpRequest, page: ProposalPage, asked: Mapping[str, Any], change: Change
) -> dict[str, Any]:
    actor = actor_of(request)
    found, evidence = page.detail, page.evidence
    card = found.card
    background = kinds.background_of(actor=actor, subject=found.origin, args=found.content.args)
    gap = _gap(found)
    plan = plan_context(found, change)
    return {
        **page_of(found),
        "part": asked.get("part") or "",
        "environment": settings.ENVIRONMENT,
        "content": content_of(actor, found, page.thread),
        "view": change.address.view,
        "here": change.address.link(),
        "change": change.context(),
        "plan": plan,
        **({"raw": raw_of(plan["raw"])} if plan and plan["whole"] else {}),
        "since": _since(actor, found, asked.get("since")),
        "consequence": consequence_of(found, evidence, background, gap),
        "evidence": evidence,
        "background": background,
        "place": None if asked.get("part") else place_of(actor, card.id, asked),
        "approve_refusal": approve_refusal(found, change),
        **({} if asked.get("part") or card.plan_pos else claims_context(request, card.id)),
        "repeats": queries.ending_of(actor=actor, proposal_id=card.id).repeats
        if card.state is ProposalState.BLOCKED
        else None,
        "clocks": clocks_of(actor, found, page.clock, typed=request.POST.get("extend_reason", "")),
        "signing": signing_of(actor, found),
        "glass": glass_context(request, found),
        "ahead": ahead_of(found),
        "sealed": sealed_context(request, found),
        "capacity": capacity_of(found, typed=request.POST.get("in_place_of", "")),
        "draft": f"{actor.id}:{card.id}:{card.revision_no}",
        "may_audit": actor.has("audit.view"),
        "may_export": actor.has("audit.export"),
        "may_runs": actor.has("runs.view"),
        "may_reconcile": actor.is_person and actor.has("runs.start"),
    }


def _gap(found: ProposalDetail) -> str:
    """Return what may happen between the last look and the change; of a plan, of any change."""
    card = found.card
    steps = found.plan.steps if found.plan and card.steps else ()
    gaps = [kinds.gap_of(one.card.subject.kind, one.card.tool) for one in steps]
    return next(filter(None, gaps), "") if steps else kinds.gap_of(card.subject.kind, card.tool)


def _since(actor: Actor, found: ProposalDetail, seen_no: int | None) -> dict[str, Any] | None:
    """Return only what changed since a revision that the reader saw."""
    if not seen_no:
        return None
    diff = queries.since(actor=actor, proposal_id=found.card.id, seen_no=seen_no)
    if diff is None:
        return {"no": seen_no, "change": None}
    change = Change(diff, Address(opened=ALL), anchors=False)
    return {"no": seen_no, "change": change.context()}
