"""A write and those who decide it: ask the end user, propose, read the decision."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from agents.events import CallApproved, CallAsked, CallProposed
from agents.models import ToolCall
from agents.runtime import calls, endings, following, handoffs, timeline
from agents.runtime.endings import End
from agents.runtime.facts import facts_of, principals_of, undo_of
from agents.runtime.held import Held
from agents.runtime.summary import lines
from agents.runtime.timeline import Frame, Note
from agents.runtime.transcript import REFUSALS
from agents.states import CallState, Confirmation, FrameKind, Role, RunState, StopReason
from agents.tools.contracts import Image, Tool
from approvals import commands as approvals
from approvals import queries as desk
from approvals.cards import Content, ProposalCard, RevisionCard, Subject
from approvals.states import REJECT_LABELS, ProposalState
from audit.commands import record
from audit.events import Event
from console.kernel.actors import Actor, system
from console.kernel.transactions import command, query

SUBJECT: Final = "tool_call"


class Settled(StrEnum):
    """How far agreement has got."""

    ASKED_USER = "asked_user"
    WAITS = "waits"
    ALLOWED = "allowed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What the records are, and what the call would make of them."""

    contract_hash: str
    args: Mapping[str, Any]
    before: Image
    after: Image

    def content(self, tool: Tool) -> Content:
        return Content(
            tool=tool.name,
            contract_hash=self.contract_hash,
            args=self.args,
            before=self.before,
            after=self.after,
        )


def propose(held: Held, call_id: UUID, tool: Tool, planned: Planned) -> Settled:
    """Ask whoever has to be asked; part of a transaction that has the stop lock."""
    content = planned.content(tool)
    timeline.step(held, Note(type="call.planned", payload={"call": str(call_id)}))
    call = calls.locked(call_id)
    if call.confirmation == Confirmation.REFUSED:
        refused_by_user(held, call)
        return Settled.CLOSED
    agreed = (
        call.confirmation == Confirmation.AGREED and bytes(call.digest or b"") == content.digest
    )
    call.title = tool.describe(planned.args)[:200]
    bind(call, content)
    if tool.tier in held.about.confirm_tiers and not agreed:
        ask_user(held, call, tool, content)
        return Settled.ASKED_USER
    return _open(held, call, tool, content)


def bind(call: ToolCall, content: Content) -> None:
    call.before = dict(content.before)
    call.before_digest = content.before_digest
    call.after = dict(content.after)
    call.digest = content.digest


def ask_user(held: Held, call: ToolCall, tool: Tool, content: Content) -> None:
    """Show the end user exactly what would change; they agree to this digest and no other."""
    call.confirmation = Confirmation.ASKED
    call.save()
    parts = {
        "call": str(call.pk),
        "digest": content.digest.hex(),
        "title": call.title,
        "lines": lines(content.before, content.after),
        "undo": undo_of(tool),
    }
    text = f"Please confirm: {call.title}. Shall I go ahead?"
    calls.tell(held, Frame(role=Role.AGENT, kind=FrameKind.CONFIRM, text=text, parts=parts))
    say(held, CallAsked(**calls.what(call, held), digest=content.digest.hex()))


def _open(held: Held, call: ToolCall, tool: Tool, content: Content) -> Settled:
    card = approvals.open_proposal(
        actor=held.actor,
        subject=Subject(kind=SUBJECT, id=call.pk),
        content=content,
        facts=facts_of(held, call, tool),
        principals=principals_of(held),
    )
    call.proposal_id = card.id
    call.state = CallState.WAITING_APPROVAL
    call.save()
    event = CallProposed(**calls.what(call, held), proposal_id=card.id, digest=content.digest.hex())
    say(held, event)
    if card.state is ProposalState.OPEN:
        _tell_waiting(held, call, card)
        return Settled.WAITS
    return _settle(held, call, card)


def _tell_waiting(held: Held, call: ToolCall, card: ProposalCard) -> None:
    needs = "one person" if card.needs == 1 else f"{card.needs} people"
    text = f"This has to be agreed to by {needs} of our team first: {call.title}."
    parts = {"call": str(call.pk), "needs": card.needs, "decide_by": card.decide_by.isoformat()}
    calls.tell(held, timeline.notice(FrameKind.WAITING, text, **parts))


# --- the decision


@command
def decided(*, actor: Actor, held: Held, call_id: UUID) -> Settled:
    """Read how the proposal of a call stands; a final no closes the call."""
    timeline.pass_fence(held)
    call = calls.locked(call_id)
    if call.proposal_id is None:
        return Settled.ALLOWED
    card = card_of(actor=actor, call_id=call.pk)
    now = following.follow(call, card, actor=held.actor, conversation_id=held.about.conversation_id)
    if now is not None:
        timeline.step(held, revised(call, now))
    return _settle(held, call, card)


def revised(call: ToolCall, now: RevisionCard) -> Note:
    return Note(
        type="call.revised",
        payload={"call": str(call.pk), "revision": now.no, "cause": now.cause},
    )


@query
def card_of(*, actor: Actor, call_id: UUID) -> ProposalCard:
    """Return the proposal of a call, as it stands."""
    card = desk.proposal_for_subject(actor=actor, subject=Subject(kind=SUBJECT, id=call_id))
    if card is None:
        raise LookupError("A call waits for a proposal that is not there.")
    return card


@query
def any_decided(*, actor: Actor, run_id: UUID) -> bool:
    """Tell whether people have decided about some waiting call of a run."""
    return bool(_decided(actor, ToolCall.objects.filter(run_id=run_id)))


@query
def decided_runs(*, actor: Actor, limit: int) -> list[UUID]:
    """Return runs that wait although people have decided, those that wait longest first."""
    waiting = ToolCall.objects.filter(
        run__state__in=[RunState.WAITING_APPROVAL, RunState.WAITING_USER]
    )
    return _decided(actor, waiting.order_by("run__state_at", "run_id"))[:limit]


def _decided(actor: Actor, among: QuerySet[ToolCall]) -> list[UUID]:
    """Return the runs of calls that wait for people who have decided."""
    waiting = among.filter(
        state__in=[CallState.WAITING_APPROVAL, CallState.APPROVED], proposal_id__isnull=False
    )
    asked = list(waiting.values_list("run_id", "proposal_id"))
    settled = desk.settled(actor=actor, proposal_ids=[one for _, one in asked if one])
    return list(dict.fromkeys(run for run, one in asked if one in settled))


def _settle(held: Held, call: ToolCall, card: ProposalCard) -> Settled:
    match card.state:
        case ProposalState.OPEN | ProposalState.STALE:
            # Stale: somebody looked at the target before the run did; people see what changed.
            return Settled.WAITS
        case ProposalState.APPROVED if call.state == CallState.WAITING_APPROVAL:
            call.state = CallState.APPROVED
            call.save(update_fields=["state"])
            say(held, CallApproved(**calls.what(call, held), proposal_id=card.id))
            return Settled.ALLOWED
        case ProposalState.APPROVED | ProposalState.DISPATCHED:
            return Settled.ALLOWED
        case _:
            close(held, call)
            return Settled.CLOSED


def close(held: Held, call: ToolCall) -> None:
    """Close a call whose proposal is over and will not run."""
    end = endings.of_call(call) or End.WITHDRAWN
    closed, code = endings.CLOSES[end]
    told = REFUSALS[code]
    rejected = endings.decided_on(call) if end is End.REJECTED else endings.rejected_before(call)
    if rejected is not None:
        told = " ".join([told, *_words_for_agent(held, rejected)])
    calls.close_row(held, call, closed, code=code, told=told)
    endings.tell(held.about.conversation_id, call)
    if end is End.PARKED:
        # Other calls of this run keep their proposals: one that nobody decided is no reason to
        # take the others back.
        handoffs.escalate(
            held, trigger=handoffs.PARKED, reason=StopReason.HANDED_OFF, keeps_calls=True
        )


def _words_for_agent(held: Held, proposal_id: UUID) -> list[str]:
    """Return the reason class and what the reviewers meant for the agent; never their notes."""
    reader = system("agents.gate", held.about.tenant_id)
    detail = desk.proposal(actor=reader, proposal_id=proposal_id)
    votes = [line.vote for line in detail.reviewers if line.vote is not None]
    rejects = [vote for vote in (*votes, *detail.others) if vote.reason_code is not None]
    classes = {
        f"Reason: {REJECT_LABELS[vote.reason_code]}." for vote in rejects if vote.reason_code
    }
    return [*sorted(classes), *(vote.agent_message for vote in rejects if vote.agent_message)]


def refused_by_user(held: Held, call: ToolCall) -> None:
    code = call.error_code or "user.refused"
    calls.close_row(held, call, CallState.WITHDRAWN, code=code, told=REFUSALS[code])


def say(held: Held, event: Event) -> None:
    record(event, actor=held.actor)
