"""A worker that ends itself with SIGKILL at one point of its work; jobs of `processes.py`."""

import os
import signal
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from agents.llm import door
from agents.llm.scripted import Reply, Scripted, Use
from agents.runtime import engine, faults
from approvals import commands
from approvals.states import ReplayState
from console.kernel import clock
from console.kernel.actors import system
from tests.agents import outside_tools
from tests.crashes.killing import Killer, Point


def work(
    tenant: UUID, run: UUID, *, point: str, since: str, script: list[Any], folder: str
) -> None:
    """Advance a run up to this point: one between the transactions of a step, or inside of one.

    Args:
        script: the model's answers, each a text or a list of [tool, arguments].
        folder: where the tools outside of the database have their effects.
    """
    os.environ[outside_tools.FOLDER] = folder
    outside_tools.register()
    Killer(point, since).watch()

    def kill(reached: faults.Point) -> None:
        if reached.name == point:
            os.kill(os.getpid(), signal.SIGKILL)

    faults.observers.append(kill)
    replies = [
        Reply(text=(one,))
        if isinstance(one, str)
        else Reply(calls=tuple(Use(name=name, args=args) for name, args in one))
        for one in script
    ]
    with door.answering(Scripted(replies)):
        engine.advance(tenant_id=tenant, run_id=run)


# What pulse and the runtime do about one proposal, by name.
DUTIES: Final[dict[str, Callable[[UUID, UUID], object]]] = {
    "deadline": lambda tenant, _proposal: commands.settle_due(
        actor=system("pulse.approvals", tenant)
    ),
    "carry out": lambda tenant, _proposal: commands.carry_out_due(
        actor=system("approvals.policies", tenant)
    ),
    "freeze": lambda tenant, proposal: commands.freeze(
        actor=system("tests", tenant), proposal_ids=[proposal], cause="a stop", since=clock.now()
    ),
    "thaw": lambda tenant, proposal: commands.thaw(
        actor=system("tests", tenant), proposal_ids=[proposal], cause="a stop"
    ),
    "withdraw": lambda tenant, proposal: commands.withdraw(
        actor=system("tests", tenant), proposal_id=proposal, cause="run ended"
    ),
    "delegations": lambda tenant, _proposal: commands.lapse_delegations(
        actor=system("pulse.approvals", tenant)
    ),
    "answers": lambda tenant, _proposal: commands.give_up(
        actor=system("approvals.answers", tenant)
    ),
}


def do(tenant: UUID, proposal: UUID, *, name: str, at: str, point: Point, since: str = "") -> None:
    """Do a duty at a moment, up to this point."""
    Killer(point, since).watch()
    with clock.frozen(datetime.fromisoformat(at)):
        DUTIES[name](tenant, proposal)


def ask(tenant: UUID, replay: UUID, *, point: str, piece: int) -> None:
    """Ask a policy about past calls, so many at a time, up to this point."""
    Killer(point).watch()
    actor = system("tests.replay", tenant)
    state = ReplayState.RUNNING
    while state is ReplayState.RUNNING:
        state = commands.advance_replay(actor=actor, replay_id=replay, most=piece).state
