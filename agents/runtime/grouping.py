"""Several writes of one answer as one plan: people decide about them together, in their order.

Only where the agent's version asks for it. A call that comes later, in another answer, is no part
of the plan and opens a proposal of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from agents.events import CallProposed
from agents.models import ToolCall
from agents.runtime import calls, proposing, timeline
from agents.runtime.facts import facts_of, principals_of
from agents.runtime.held import Held
from agents.runtime.proposing import SUBJECT, Planned, Settled
from agents.runtime.timeline import Note
from agents.states import CallState, Confirmation, FrameKind
from agents.tools.contracts import Effect, Tool
from approvals import commands as approvals
from approvals.cards import Content, OpenedPlan, PlanStep, Subject
from approvals.states import MOST_STEPS, PLAN, ProposalState
from console.kernel.errors import ConsoleError


class Misfit(Exception):
    """One call of the plan cannot be planned; nothing of the plan was stored."""

    def __init__(self, call_id: UUID, refusal: ConsoleError) -> None:
        super().__init__(refusal.message)
        self.call_id = call_id
        self.refusal = refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A call of the plan, as the gate planned it on what the earlier ones leave."""

    call_id: UUID
    tool: Tool
    planned: Planned

    @property
    def content(self) -> Content:
        return self.planned.content(self.tool)


def beside(held: Held, call: ToolCall) -> list[ToolCall]:
    """Return the other writes of the same answer that nobody was asked about yet, in order."""
    if not held.about.plan_writes:
        return []
    same = [
        one
        for one in calls.open_calls(actor=held.actor, run_id=held.run_id)
        if one.step_seq == call.step_seq and one.pk != call.pk
    ]
    writes = [
        one for one in same if one.state == CallState.PROPOSED and one.effect == Effect.WRITE.value
    ]
    return writes[: MOST_STEPS - 1]


def propose(held: Held, members: Sequence[Member]) -> Settled:
    """Ask whoever has to be asked; part of a transaction that has the stop lock."""
    names = [str(one.call_id) for one in members]
    timeline.step(held, Note(type="plan.planned", payload={"calls": names}))
    found = [(one, calls.locked(one.call_id)) for one in members]
    asked = False
    for one, call in found:
        digest = one.content.digest
        agreed = call.confirmation == Confirmation.AGREED and bytes(call.digest or b"") == digest
        call.title = one.tool.describe(one.planned.args)[:200]
        proposing.bind(call, one.content)
        call.save()
        if one.tool.tier in held.about.confirm_tiers and not agreed:
            proposing.ask_user(held, call, one.tool, one.content)
            asked = True
    return Settled.ASKED_USER if asked else _open(held, found)


def _open(held: Held, found: Sequence[tuple[Member, ToolCall]]) -> Settled:
    first = found[0][1]
    opened = approvals.open_plan(
        actor=held.actor,
        subject=Subject(kind=PLAN, id=first.pk),
        changes=[
            PlanStep(
                subject=Subject(kind=SUBJECT, id=call.pk),
                content=one.content,
                facts=facts_of(held, call, one.tool),
            )
            for one, call in found
        ],
        principals=principals_of(held),
    )
    for (one, call), card in zip(found, opened.steps, strict=True):
        call.proposal_id = card.id
        call.state = CallState.WAITING_APPROVAL
        call.save()
        digest = one.content.digest.hex()
        proposing.say(
            held, CallProposed(**calls.what(call, held), proposal_id=card.id, digest=digest)
        )
    if opened.plan.state is not ProposalState.OPEN:
        return Settled.ALLOWED  # or blocked: each call reads how its own proposal stands
    _tell_waiting(held, first, opened)
    return Settled.WAITS


def _tell_waiting(held: Held, first: ToolCall, opened: OpenedPlan) -> None:
    plan = opened.plan
    needs = "one person" if plan.needs == 1 else f"{plan.needs} people"
    names = "; ".join(card.title for card in opened.steps)
    text = f"These changes have to be agreed to by {needs} of our team first, together: {names}."
    parts = {"call": str(first.pk), "needs": plan.needs, "decide_by": plan.decide_by.isoformat()}
    calls.tell(held, timeline.notice(FrameKind.WAITING, text, **parts))
