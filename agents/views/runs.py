"""The list of runs, one run, and what a person may do about it."""

from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from agents.conversations import commands as conversations
from agents.conversations import replying
from agents.forms import (
    GiveBackForm,
    NothingForm,
    ReconcileForm,
    ReplyForm,
    RunFilterForm,
    cursor,
    read_cursor,
)
from agents.runtime import commands, queries
from agents.states import FINAL_RUN, RunState
from console.kernel.http import actor_of, read, requires, show
from console.kernel.ids import uuid7


@requires("runs.view")
@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    """Show runs, newest first."""
    asked = read(RunFilterForm, request.GET)
    card = queries.run_list(
        actor=actor_of(request),
        state=asked["state"],
        agent=asked["agent"],
        before=read_cursor(asked["after"]),
    )
    kept = {"state": asked["state"], "agent": asked["agent"]}
    last = card.rows[-1] if card.more else None
    older = {**kept, "after": cursor(last.created_at, last.id)} if last else {}
    context = {
        "card": card,
        "asked": asked,
        "states": [
            (state.value, state.value.replace("_", " "), card.counts.get(state.value, 0))
            for state in RunState
        ],
        "query": _query({**kept, "after": asked["after"]}),
        "older_url": f"?{_query(older)}" if older else None,
        "newer_url": f"?{_query(kept)}" if asked["after"] else None,
        "filtered": bool(asked["state"] or asked["agent"]),
    }
    return show(request, "runs/list.html", context)


def _query(values: dict[str, str]) -> str:
    return urlencode({name: value for name, value in values.items() if value})


@requires("runs.view")
@require_GET
def detail(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Show one run."""
    actor = actor_of(request)
    card = queries.run(actor=actor, run_id=run_id)
    over = card.row.state in FINAL_RUN
    context = {
        "card": card,
        "row": card.row,
        "over": over,
        "may_act": actor.has("runs.start"),
        "may_cancel": actor.has("runs.start") and not over,
        "may_stop": actor.has("controls.engage") and not over,
        "may_review": actor.has("approvals.view"),
        "may_audit": actor.has("audit.view"),
        "may_reply": actor.is_person and actor.has("runs.start"),
        "reply_id": str(uuid7()),
        "yes": {"give_back": "yes"},
        "no": {"give_back": "no"},
    }
    return show(request, "runs/detail.html", context)


@requires("runs.start")
@require_POST
def cancel(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """End a run."""
    read(NothingForm, request.POST)
    commands.cancel_run(actor=actor_of(request), run_id=run_id)
    return redirect("runs:detail", run_id)


@requires("runs.start")
@require_POST
def reconcile(request: HttpRequest, run_id: UUID, call_id: UUID) -> HttpResponse:
    """Take a person's word for whether a call happened."""
    values = read(ReconcileForm, request.POST)
    commands.reconcile_call(
        actor=actor_of(request),
        call_id=call_id,
        happened=values["happened"] == "yes",
        result=values["reason"],
    )
    return redirect("runs:detail", run_id)


@requires("runs.start")
@require_POST
def close_handoff(request: HttpRequest, run_id: UUID, conversation_id: UUID) -> HttpResponse:
    """Return a conversation to its agent, or close it."""
    values = read(GiveBackForm, request.POST)
    conversations.close_handoff(
        actor=actor_of(request),
        conversation_id=conversation_id,
        give_back=values["give_back"] == "yes",
    )
    return redirect("runs:detail", run_id)


@requires("runs.start")
@require_POST
def reply(request: HttpRequest, run_id: UUID, conversation_id: UUID) -> HttpResponse:
    """Write to the end user in place of the agent."""
    values = read(ReplyForm, request.POST)
    replying.reply(
        actor=actor_of(request),
        conversation_id=conversation_id,
        client_id=str(values["client_id"]),
        text=values["text"],
    )
    return redirect("runs:detail", run_id)
