"""Playing one task: its calls go through the gate, its writes through the queue and two people.

The run is claimed in the transaction that takes in the customer's message, so no worker of a
console that is running meanwhile takes it away; the calls come from the data set in place of a
model's answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from agents.conversations import commands as conversations
from agents.errors import Fenced, Parked
from agents.llm import door
from agents.llm.scripted import Reply, Scripted, Use
from agents.models import Run, ToolCall
from agents.runtime import fence, settling, stepping, transcript
from agents.runtime.gate import Waits
from agents.runtime.held import Held
from agents.showcase.replay.stage import Stage, seated
from agents.showcase.replay.tasks import Action, Task
from agents.showcase.retail import images
from agents.states import CallState, RunState, StopReason
from agents.tools import registry
from approvals import commands as approvals
from approvals import queries as desk
from approvals.cards import ProposalCard
from approvals.states import Choice, RejectCode
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError, Refusal
from console.kernel.ids import uuid7
from console.kernel.transactions import command, query

TWO_PEOPLE: Final = 2


class ReplayStopped(ConsoleError):
    """Somebody stopped the replay; what it had changed stays in its own tenant."""

    code = "replay.stopped"
    kind = Refusal.CONFLICT


@dataclass(slots=True, kw_only=True)
class Played:
    """What became of one task."""

    steps: list[images.Changes] = field(default_factory=list)  # the diffs that people saw
    results: list[tuple[bool, str]] = field(default_factory=list)  # of each reference action
    applied: int = 0  # writes that ran
    held: int = 0  # writes that waited for people
    early: int = 0  # two-person writes that ran on one vote: has to stay 0
    waited: int = 0  # two-person writes that were still waiting after one vote


def play(stage: Stage, task: Task, choice: Choice) -> Played:
    """Play a task on a shop in its initial state; every write gets the same verdict from people.

    Raises:
        ReplayStopped: a switch stands against it, or the run was taken away.
    """
    played = Played()
    stage = seated(stage)
    held = _begin(actor=stage.keeper, stage=stage, task=task)
    try:
        with fence.kept_alive(held):
            for group in _groups(task):
                _ask(held, group)
                if not _settled(stage, held, choice, played):
                    break
    except (Parked, Fenced) as stop:
        raise ReplayStopped(
            "The replay was stopped from outside; release the switch and start again."
        ) from stop
    calls = _finish(actor=stage.keeper, held=held)
    played.results = [_outcome(call) for call in calls]
    played.applied = sum(call.effect == "write" and _outcome(call)[0] for call in calls)
    return played


@command
def _begin(*, actor: Actor, stage: Stage, task: Task) -> Held:
    """Take in the message and claim its run at once: no worker can be faster."""
    receipt = conversations.receive_message(
        actor=actor,
        conversation_id=None,
        agent_slug=stage.agent,
        client_id=uuid7().hex,
        text=task.said[:2000],
        channel="replay",
        end_user=f"replay:{task.id}",
        # Most tasks look the customer up; where one does not, the channel has to vouch for them.
        customer="" if _identifies(task) else task.user_id,
    )
    about = fence.about(actor=actor, run_id=_run_of(receipt))
    held = fence.claim(actor=actor, about=about, worker="replay")
    if held is None:
        raise ReplayStopped("A switch stands against the replay; release it and start again.")
    return held


def _run_of(receipt: Any) -> UUID:
    run_id: UUID | None = receipt.run_id
    if run_id is None:
        raise LookupError("The message of a replay started no run.")
    return run_id


def _groups(task: Task) -> Iterator[list[Action]]:
    """Yield the calls step by step: reads up to the next write, then that write.

    A write ends its step, because the next call may rest on what it changed.
    """
    step: list[Action] = []
    for action in task.actions:
        step.append(action)
        if registry.get(action.tool).writes:
            yield step
            step = []
    if step:
        yield step


def _identifies(task: Task) -> bool:
    """Say whether the customer is found before the first call that needs to know them."""
    for action in task.actions:
        tool = registry.get(action.tool)
        if tool.resolves and action.ok:
            return True
        if not tool.resolves:
            return False
    return False


def _ask(held: Held, group: list[Action]) -> None:
    """Put a step's calls in place of a model's answer; everything around it is as always."""
    script = Scripted([Reply(calls=tuple(Use(name=one.tool, args=one.args) for one in group))])
    prepared = transcript.prepared(actor=held.actor, about=held.about)
    if not stepping.reserve(actor=held.actor, held=held, max_tokens=prepared.request.max_tokens):
        raise LookupError("A task of the replay has more steps than its agent may take.")
    call = stepping.model_call(held)
    answer = door.ask(script, prepared.request, call)
    stepping.keep(held, prepared, answer, call, took_ms=0)


def _settled(stage: Stage, held: Held, choice: Choice, played: Played) -> bool:
    """Settle a step's calls; people vote on what has to wait. False: the run left our hands."""
    waits = settling.settle(held)
    while Waits.APPROVAL in waits:
        _decide(stage, held, choice, played)
        waits = settling.settle(held)
    return Waits.NOT_MINE not in waits


def _decide(stage: Stage, held: Held, choice: Choice, played: Played) -> None:
    """Let reviewers look at each proposal of the run and vote on exactly what they saw."""
    first, second = stage.reviewers
    for card in desk.live_of_runs(actor=first, run_ids=[held.run_id]):
        played.held += 1
        if choice is Choice.REJECT:
            _vote(first, card, choice)
            continue
        content = desk.proposal(actor=first, proposal_id=card.id).content
        played.steps.append(images.changes(_plain(content.before), _plain(content.after)))
        _vote(first, card, choice)
        if card.needs >= TWO_PEOPLE:
            _try_with_one(held, card, played)
            _vote(second, card, choice)


def _try_with_one(held: Held, card: ProposalCard, played: Played) -> None:
    """Let the gate try with one vote of two: it has to go on waiting."""
    waits = settling.settle(held)
    still = _call_of(actor=held.actor, proposal_id=card.id)
    if Waits.APPROVAL in waits and still == CallState.WAITING_APPROVAL:
        played.waited += 1
    else:
        played.early += 1


def _vote(reviewer: Actor, card: ProposalCard, choice: Choice) -> None:
    rejected = choice is Choice.REJECT
    # What a page would have shown; nobody approves unseen.
    approvals.serve_parts(
        actor=reviewer,
        proposal_id=card.id,
        revision_no=card.revision_no,
        parts=desk.parts_needed(actor=reviewer, proposal_id=card.id, revision_no=card.revision_no),
        view="replay",
    )
    approvals.cast_vote(
        actor=reviewer,
        proposal_id=card.id,
        revision_no=card.revision_no,
        seen_digest=card.digest,
        choice=choice,
        reason_code=RejectCode.OTHER if rejected else "",
        note="Replay: every write is rejected." if rejected else "",
    )


def _plain(image: Any) -> Any:
    return {
        kind: {key: dict(record) for key, record in records.items()}
        for kind, records in image.items()
    }


@query
def _call_of(*, actor: Actor, proposal_id: UUID) -> str:
    _ = actor
    return ToolCall.objects.values_list("state", flat=True).get(proposal_id=proposal_id)


@command
def _finish(*, actor: Actor, held: Held) -> list[ToolCall]:
    """End the run if it is still ours and return its calls in order."""
    run = Run.objects.select_for_update().get(pk=held.run_id)
    if run.state == RunState.RUNNING and run.epoch == held.epoch:
        fence.end_row(run, actor=actor, state=RunState.COMPLETED, reason=StopReason.DONE)
    return list(ToolCall.objects.filter(run_id=held.run_id).order_by("step_seq", "index"))


def _outcome(call: ToolCall) -> tuple[bool, str]:
    if call.state == CallState.SUCCEEDED:
        return True, ""
    return False, str((call.result or {}).get("message", call.state))
