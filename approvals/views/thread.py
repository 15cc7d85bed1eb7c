"""What is said about a proposal: the list, and the form that adds to it."""

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from approvals import commands, policies, queries
from approvals.cards import CommentCard, May, ProposalDetail, ThreadLine
from approvals.errors import CheckRevealed
from approvals.forms import AnswerForm, AskForm, ThreadForm
from approvals.states import LIVE, CommentKind, PrincipalRole, ProposalState
from console.kernel.actors import Actor, ActorKind
from console.kernel.errors import ConsoleError, NotFound
from console.kernel.http import actor_of, read, requires, show

_WORDS: Final = {
    CommentKind.QUESTION: "asked the agent",
    CommentKind.REQUEST_CHANGES: "asked the agent for changes",
    CommentKind.ANSWER: "answered",
    CommentKind.NOTE: "noted",
}
_NO_EDIT: Final = (
    "A plan is not changed in place; request changes or reject it, and the agent proposes another."
)


@requires("")
@require_http_methods(["GET", "HEAD"])
def thread(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Show a thread by itself: for a page that refetches it, and for a reader without script."""
    asked = read(ThreadForm, request.GET)
    context = _context(request, proposal_id)
    template = "approvals/thread.html" if asked["part"] else "approvals/discuss.html"
    return show(request, template, context)


@requires("")
@require_POST
def ask(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Add to a thread; a refusal shows it again with what was typed."""
    try:
        values = read(AskForm, request.POST)
        values["kind"] = CommentKind(values["kind"])
        commands.ask(actor=actor_of(request), proposal_id=proposal_id, **values)
    except NotFound:
        raise
    except CheckRevealed:
        return redirect("approvals:detail", proposal_id)  # its page says what it was
    except ConsoleError as refusal:
        context = _context(request, proposal_id)
        context["content"]["said"] = _typed(request)
        return _refused(request, context, refusal)
    return _to_thread(proposal_id)


@requires("")
@require_POST
def reply(request: HttpRequest, proposal_id: UUID, comment_id: UUID) -> HttpResponse:
    """Answer what was asked about one's own proposal; a refusal shows what was typed."""
    try:
        text = read(AnswerForm, request.POST)["text"]
        commands.reply(
            actor=actor_of(request), proposal_id=proposal_id, comment_id=comment_id, text=text
        )
    except NotFound:
        raise
    except ConsoleError as refusal:
        context = _context(request, proposal_id)
        typed = request.POST.get("text", "").replace("\r\n", "\n")
        context["content"]["reply"] = {"to": comment_id, "text": typed}
        return _refused(request, context, refusal)
    return _to_thread(proposal_id)


def _refused(request: HttpRequest, context: dict[str, Any], refusal: ConsoleError) -> HttpResponse:
    context["refused"] = refusal
    response = show(request, "approvals/discuss.html", context, status=refusal.status)
    response.refusal = refusal  # type: ignore[attr-defined]  # audit/middleware.py records it
    return response


def _to_thread(proposal_id: UUID) -> HttpResponse:
    return redirect(f"{reverse('approvals:detail', args=[proposal_id])}#thread")


def content_of(actor: Actor, found: ProposalDetail, said: Iterable[ThreadLine]) -> dict[str, Any]:
    """Return what the page of a proposal shows of its thread and of ways to change its content."""
    card = found.card
    mine = {one.role for one in found.principals if str(one.person_id) == actor.id}
    runs = found.plan is not None and found.plan.runs and card.steps > 0
    part = card.plan_pos is not None  # people decide, ask and edit on the page of the plan
    live = card.state in LIVE and not part
    reviews = live and actor.is_person and (not found.refusal or mine == {PrincipalRole.EDITOR})
    asked = _asked_of(found)
    return {
        "thread": [_line(each, asked) for each in said],
        "asked": asked,
        "may_reply": live and bool(asked) and PrincipalRole.STARTER in mine,
        "said": {"kind": CommentKind.QUESTION.value, "text": "", "pause": ""},
        "may_edit": _may_edit(found, reviews=reviews) if live else None,
        "may_hand_back": reviews,
        "may_pause": live and not found.refusal,
        "may_take_back": May.after(lambda: policies.require_taker(actor, found.principals))
        if live or runs
        else None,
        "runs": runs,
        "live": live,
        "is_stale": card.state is ProposalState.STALE,
    }


def _may_edit(found: ProposalDetail, *, reviews: bool) -> May:
    if reviews and not found.card.steps:
        return May()
    return May(found.refusal or _NO_EDIT)


def _asked_of(found: ProposalDetail) -> str:
    """Return who answers in place of an agent: whoever asked for a change that governs; or ""."""
    if found.card.subject.kind not in policies.GOVERNED_KINDS:
        return ""
    starters = (one.label for one in found.principals if one.role is PrincipalRole.STARTER)
    return next(starters, "")


def _line(line: ThreadLine, asked: str) -> dict[str, Any]:
    return {
        "said": _shown(line.comment, asked),
        "answer": line.answer and _shown(line.answer, asked),
        "waits": line.waits,
    }


def _shown(card: CommentCard, asked: str) -> dict[str, Any]:
    by_agent = card.author_kind in {ActorKind.AGENT, ActorKind.KEY}
    who = f"agent {card.author}" if by_agent else card.author
    by_console = card.author_kind == ActorKind.SYSTEM
    return {
        "card": card,
        "who": "Signalbox" if by_console else who,
        "words": _WORDS[card.kind].replace("the agent", asked or "the agent"),
        "hostile": by_agent,
    }


def _context(request: HttpRequest, proposal_id: UUID) -> dict[str, Any]:
    actor = actor_of(request)
    found = queries.proposal(actor=actor, proposal_id=proposal_id)
    said = queries.thread(actor=actor, proposal_id=proposal_id)
    content = content_of(actor, found, said)
    # Alone on its page, the list follows the proposal by itself.
    return {"card": found.card, "detail": found, "content": content, "alone": True}


def _typed(request: HttpRequest) -> dict[str, str]:
    names = ("kind", "text", "pause")
    return {name: request.POST.get(name, "").replace("\r\n", "\n") for name in names}
