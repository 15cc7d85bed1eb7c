"""What people do to a run: cancel it, or say whether a call of unknown outcome has happened."""

from uuid import UUID

from agents.errors import NotUnknown, RunEnded, UnknownCall, UnknownRun
from agents.events import CallReconciled
from agents.models import Run, ToolCall
from agents.runtime import fence, outside, timeline
from agents.states import FINAL_RUN, CallState, FrameKind, RunState, StopReason
from audit.commands import record
from console.kernel.actors import Actor
from console.kernel.errors import NotAllowed
from console.kernel.transactions import command


@command
def cancel_run(*, actor: Actor, run_id: UUID) -> None:
    """End a run that is not over; its open calls are closed and their proposals withdrawn.

    Raises:
        NotAllowed, UnknownRun, RunEnded
    """
    _require(actor, "runs.start")
    run = _locked(run_id)
    if run.state in FINAL_RUN:
        raise RunEnded("This run is over already; nothing is left to cancel.", state=run.state)
    fence.end_row(run, actor=actor, state=RunState.CANCELLED, reason=StopReason.CANCELLED)
    text = "This request was cancelled by the team."
    frame = timeline.notice(FrameKind.PAUSED, text)
    timeline.say(run.conversation_id, run.pk, run.tenant_id, frame)


@command
def reconcile_call(*, actor: Actor, call_id: UUID, happened: bool, result: str = "") -> None:
    """Say whether a call whose outcome nobody knew has happened; the run goes on with that answer.

    Raises:
        NotAllowed, UnknownCall
        NotUnknown: the outcome is on record.
    """
    _require(actor, "runs.start")
    found = ToolCall.objects.filter(pk=call_id).values_list("run_id", flat=True).first()
    if found is None:
        raise UnknownCall("There is no such call here; open the list of runs.")
    run = _locked(found)
    call = ToolCall.objects.select_for_update().get(pk=call_id)
    if call.state != CallState.UNKNOWN:
        raise NotUnknown("The outcome of this call is known; reload the page.", state=call.state)
    outside.settle_unknown(actor=actor, call=call, happened=happened, result=result)
    record(
        CallReconciled(
            call_id=call.pk,
            run_id=run.pk,
            conversation_id=run.conversation_id,
            tool=call.tool,
            args_digest=bytes(call.args_digest).hex(),
            happened=happened,
        ),
        actor=actor,
    )
    if run.state == RunState.NEEDS_RECONCILIATION:
        fence.resume_row(run, actor=actor, cause="reconciled")


def _locked(run_id: UUID) -> Run:
    run = Run.objects.select_for_update().filter(pk=run_id).first()
    if run is None:
        raise UnknownRun("There is no such run here; open the list of runs.")
    return run


def _require(actor: Actor, permission: str) -> None:
    if not actor.has(permission):
        raise NotAllowed(
            f"This needs the permission {permission}; ask an admin of your organisation for it.",
            permission=permission,
        )
