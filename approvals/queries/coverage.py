"""Each tool as gated, automatic or denied under the active policies.

This room knows no tools of its own but those of external agents; the room that has others says so
by `register_tools`.
"""

from collections.abc import Callable
from typing import Any, Final

from approvals import policies
from approvals.cards import Covered, ToolFacts
from approvals.models import ExternalTool, PolicyVersion
from approvals.queries.sampling import turned_rules
from approvals.states import PolicyState
from console.accounts.queries import require
from console.accounts.states import Permission
from console.kernel.actors import Actor
from console.kernel.transactions import query

_READERS: Final[dict[str, Callable[[], tuple[ToolFacts, ...]]]] = {}


def register_tools(name: str, read: Callable[[], tuple[ToolFacts, ...]]) -> None:
    """Make known which tools a room has; called when its app is ready."""
    _READERS[name] = read


def every_tool() -> tuple[ToolFacts, ...]:
    """Return the tools of all rooms, by name; the same in every tenant."""
    found = [one for read in _READERS.values() for one in read()]
    return tuple(sorted(found, key=lambda one: one.name))


@query
def coverage(*, actor: Actor, writes_only: bool = True) -> tuple[Covered, ...]:
    """Return what the active policies come to for each tool, those that change things first."""
    require(actor, Permission.APPROVALS_VIEW)
    active = _active(actor)
    turned = turned_rules(actor.tenant_id, [one.version for one in active])
    outside = ExternalTool.objects.filter(tenant_id=actor.tenant_id, retired_at__isnull=True)
    theirs = [
        ToolFacts(name=one.name, tier=one.tier, writes=True, summary=one.summary)
        for one in outside.order_by("name")
    ]
    tools = [one for one in (*every_tool(), *theirs) if one.writes or not writes_only]
    found = [policies.covered(one, active, turned=turned) for one in tools]
    return tuple(sorted(found, key=lambda one: (not one.tool.writes, -one.tool.tier)))


def _active(actor: Actor) -> list[Any]:
    rows = PolicyVersion.objects.filter(
        tenant_id=actor.tenant_id, state=PolicyState.ACTIVE.value
    ).order_by("policy")
    return [row.active() for row in rows]
