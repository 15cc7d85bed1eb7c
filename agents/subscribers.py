"""What happens below and matters here. A fact is a nudge: each handler decides from the tables."""

from typing import Any
from uuid import UUID

from agents.runtime import commands
from console.kernel import outbox
from console.kernel.actors import Actor, system
from console.kernel.outbox import on


@on("proposal.decided")
def wake_the_run(*, actor: Actor, subject: UUID, data: dict[str, Any]) -> None:
    """Let the run go on, or give its model a typed refusal."""
    commands.make_runnable(actor=_me(actor), proposal_id=subject)


@on("proposal.widened")
def tell_more_are_asked(*, actor: Actor, subject: UUID, data: dict[str, Any]) -> None:
    """Tell the end user when nobody decided in time and others are asked now."""
    if data["cause"] == "escalated":
        commands.tell_more_are_asked(actor=_me(actor), proposal_id=subject)


@on("proposal.revised")
def follow(*, actor: Actor, subject: UUID, data: dict[str, Any]) -> None:
    """Let the call show what would run now, and tell its end user if people changed it."""
    commands.follow_revision(actor=_me(actor), proposal_id=subject)


@on("proposal.asked")
def answer(*, actor: Actor, subject: UUID, data: dict[str, Any]) -> None:
    """Have a worker answer; a model is never asked inside a transaction."""
    outbox.enqueue_task(
        "agents.answer_question",
        comment_id=str(data["comment_id"]),
        tenant_id=str(actor.tenant_id),
    )


@on("switch.engaged")
def hold(*, actor: Actor, subject: UUID, data: dict[str, Any]) -> None:
    """Park runs in scope and let the clocks of their proposals stand still."""
    commands.hold_scope(actor=_me(actor), switch_id=subject)


@on("switch.released")
def give_back(*, actor: Actor, subject: UUID, data: dict[str, Any]) -> None:
    """Let clocks and runs go on."""
    commands.release_scope(actor=_me(actor), switch_id=subject)


def _me(actor: Actor) -> Actor:
    return system("agents.subscriber", actor.tenant_id)
