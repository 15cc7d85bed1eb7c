from uuid import uuid4

import pytest

from agents.showcase.retail import commands
from agents.tools import registry
from agents.tools.contracts import ToolContext
from console.kernel.actors import Actor, system
from console.kernel.ids import uuid7


@pytest.fixture
def keeper() -> Actor:
    """Return who keeps the shop of a tenant that no other test has; the shop is filled."""
    actor = system("test.retail", uuid4())
    commands.seed_shop(actor=actor)
    return actor


def context(actor: Actor, customer: str = "") -> ToolContext:
    scopes = frozenset(scope for tool in registry.every() for scope in tool.scopes)
    return ToolContext(actor=actor, scopes=scopes, end_user=customer, call_id=uuid7())
