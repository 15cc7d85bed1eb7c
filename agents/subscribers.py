"""What happens below and matters here. A fact is a nudge: each handler decides from the tables."""

from typing import Any
from uuid import UUID

from agents.runtime import commands
from console.kernel.actors import Actor, system
from console.kernel.outbox import on


@on("proposal.decided")
def wake_the_run(*, actor: Actor, subject: UUID, data: dict[str, Any]) -> None:
    """Let the run go on, or give its model a typed refusal."""
    commands.make_runnable(actor=_me(actor), proposal_id=subject)


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
