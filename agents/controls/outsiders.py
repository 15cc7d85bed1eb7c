"""Stops that meet agents which run elsewhere: approvals asks by its port before they act."""

from collections.abc import Mapping
from typing import Final

from agents.controls.cards import Fields
from agents.controls.permits import require_permitted
from agents.controls.states import Point
from approvals import kinds
from approvals.cards import Subject
from approvals.states import Act
from console.kernel.actors import Actor

_POINTS: Final[Mapping[Act, Point]] = {
    Act.OPEN: Point.PROPOSAL_OPEN,
    Act.DISPATCH: Point.PROPOSAL_DISPATCH,
}


def permit(*, actor: Actor, act: Act, agent: str, tool: str, tier: int, subject: Subject) -> None:
    """Raise if a switch stands against the act; stops wait until the transaction ends.

    Such an agent has no run here, so what it asks about stands for its run.
    """
    fields = Fields(tenant=actor.tenant_id, agent=agent, tool=tool, tier=tier, run=subject.id)
    require_permitted(_POINTS[act], fields, guard=True)


def register() -> None:
    kinds.register_permit(permit)
