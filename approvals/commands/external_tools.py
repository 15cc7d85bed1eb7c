"""Which tools external agents may name: without one that is registered a request is blocked.

What a call is worth is never the agent's word alone, so a person says the least tier of each tool.
"""

from typing import Final
from uuid import UUID

from approvals.cards import ExternalToolCard
from approvals.commands.desk import lock
from approvals.errors import ExternalToolTaken
from approvals.events import ExternalToolAdded, ExternalToolRetired
from approvals.models import LABEL_LENGTH, ExternalTool
from approvals.queries.external import live_outside
from approvals.queries.people import tool_id_of
from approvals.states import LIVE, Outcome
from audit.commands import record
from console.accounts.queries import require, require_fresh
from console.accounts.states import Permission
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from console.kernel.lines import require_plain_line
from console.kernel.transactions import command

STEPUP_S: Final = 300
_TOLD: Final = "The tool is not offered any more; the change was not made."


@command
def add_external_tool(*, actor: Actor, name: str, tier: int, summary: str) -> ExternalToolCard:
    """Let external agents ask for calls of a tool; their requests get this tier or a higher one.

    Raises:
        NotAllowed: the actor may not manage policies.
        StepUpRequired: the person proved too long ago who they are.
        ExternalToolTaken: there is such a tool already, here or of a hosted agent.
    """
    require(actor, Permission.POLICIES_MANAGE)
    require_plain_line("name", name)
    require_plain_line("summary", summary)
    require_fresh(actor=actor, within_s=STEPUP_S)
    if tool_id_of(actor=actor, tool=name) is not None:
        raise ExternalToolTaken(f"The hosted agents have a tool named {name}; take another name.")
    row = ExternalTool(
        tenant_id=actor.tenant_id,
        name=name,
        tier=tier,
        summary=summary,
        added_by=actor.label[:LABEL_LENGTH],
    )
    ExternalTool.objects.bulk_create([row], ignore_conflicts=True)
    stored = ExternalTool.objects.filter(pk=row.pk).first()
    if stored is None:
        raise ExternalToolTaken(
            f"There is a tool named {name}; retire it first to register it anew."
        )
    record(ExternalToolAdded(tool_id=row.pk, tool=name, tier=tier), actor=actor)
    return stored.card()


@command
def retire_external_tool(*, actor: Actor, tool_id: UUID) -> int:
    """End a tool and withdraw what was asked for with it; returns how many that were.

    Doing it again changes nothing.

    Raises:
        NotAllowed: the actor may not manage policies.
        NotFound: there is no such tool.
    """
    require(actor, Permission.POLICIES_MANAGE)
    row = ExternalTool.objects.select_for_update().filter(pk=tool_id).first()
    if row is None:
        raise NotFound("There is no such tool here; look at the list of tools.")
    if row.retired_at is not None:
        return 0
    row.retired_at = clock.now()
    row.save(update_fields=["retired_at"])
    gone = sum(
        _withdraw(actor, proposal_id) for proposal_id in live_outside(actor=actor, tool=row.name)
    )
    record(ExternalToolRetired(tool_id=row.pk, tool=row.name, withdrawn=gone), actor=actor)
    return gone


def _withdraw(actor: Actor, proposal_id: UUID) -> int:
    desk = lock(actor=actor, proposal_id=proposal_id)
    at = clock.now()
    if desk is None or desk.settle_clock(at=at) or desk.state not in LIVE:
        return 0
    desk.end(Outcome.WITHDRAWN, at=at, cause="tool retired", told=_TOLD)
    return 1
