"""Which tools external agents may name: without one that is registered a request is blocked.

What a call is worth is never the agent's word alone, so people say the least tier of each tool. One
person registers a name that was never there, with the highest tier: then whoever asks for it needs
as many people as anything here can need, so nothing is loosened. All else is for two people to
agree to (`gating`): a lower tier, a name that was there before, and the end of a tool. Until a
tenant has the people who could agree, one person does all of it, as they choose the reviewers.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.db import connection

from approvals.cards import ExternalToolCard, ToolChange
from approvals.commands import gating
from approvals.commands.desk import lock
from approvals.errors import ExternalToolTaken
from approvals.events import ExternalToolAdded, ExternalToolRetired
from approvals.models import LABEL_LENGTH, ExternalTool
from approvals.policies.schemas import schema_refusal
from approvals.queries.external import live_outside
from approvals.queries.founding import founding
from approvals.queries.people import tool_id_of
from approvals.states import LIVE, Outcome
from audit.commands import record
from console.accounts.queries import require, require_fresh
from console.accounts.states import Permission
from console.kernel import canonical, clock
from console.kernel.actors import Actor
from console.kernel.canonical import NotCanonical
from console.kernel.errors import BadInput, NotFound
from console.kernel.lines import require_plain_line
from console.kernel.transactions import command

STEPUP_S: Final = 300
STRICTEST: Final = 2
_TOLD: Final = "The tool is not offered any more; the change was not made."


@command
def add_external_tool(
    *,
    actor: Actor,
    name: str,
    tier: int,
    summary: str,
    args_schema: Mapping[str, Any] | None = None,
) -> ToolChange:
    """Let external agents ask for calls of a tool; their requests get this tier or a higher one.

    Args:
        args_schema: what the arguments have to fit; by it a reviewer can edit them.

    Returns:
        The tool, or the proposal that asks two people whether it may be there so.

    Raises:
        NotAllowed: the actor may not manage policies.
        StepUpRequired: the person proved too long ago who they are.
        ExternalToolTaken: there is such a tool already, here or of a hosted agent.
        PolicyConflict: it takes two people, and no person asks.
        BadInput: the schema is none, or has words that are not used here.
    """
    require(actor, Permission.POLICIES_MANAGE)
    require_plain_line("name", name)
    require_plain_line("summary", summary)
    _require_schema(args_schema)
    require_fresh(actor=actor, within_s=STEPUP_S)
    _lock_name(actor.tenant_id, name)  # of two who add it at once the second sees the first
    _require_free(actor, name)
    # Whoever registers and retires the name this moment leaves no tier behind that is higher.
    strictest = tier >= STRICTEST and not _named(name).exists()
    said = {"name": name, "tier": tier, "summary": summary, "schema": args_schema}
    if strictest or founding(actor=actor):
        return ToolChange(tool=enter(actor, said, by=actor.label))
    if _named(name).filter(retired_at__isnull=True).exists():
        raise _taken(name)
    return ToolChange(waiting=gating.ask_to_register(actor, said))


@command
def retire_external_tool(*, actor: Actor, tool_id: UUID) -> ToolChange:
    """Have two people agree to the end of a tool; what waits for people is withdrawn then.

    Asking again returns the proposal that waits; of a tool that is retired nothing is asked.

    Raises:
        NotAllowed: the actor may not manage policies.
        NotFound: there is no such tool.
        PolicyConflict: it takes two people, and no person asks.
    """
    require(actor, Permission.POLICIES_MANAGE)
    row = _locked(tool_id)
    if row.retired_at is not None:
        return ToolChange(tool=row.card())
    if founding(actor=actor):
        return _end(actor, row)
    return ToolChange(tool=row.card(), waiting=gating.ask_to_retire(actor, row))


@command
def register_agreed(
    *, actor: Actor, subject_id: UUID, args: Mapping[str, Any], proposal_id: UUID
) -> ExternalToolCard:
    """Register what people agreed to; called in the transaction that dispatches their proposal.

    Raises:
        PolicyConflict: nobody agreed to it.
        ExternalToolTaken: a hosted agent has a tool of this name by now.
    """
    asker = gating.asker_of(actor, proposal_id, gating.REGISTER, subject_id)
    _require_free(actor, args["name"])
    return enter(actor, args, by=asker, agreed_by=proposal_id)


@command
def retire_agreed(*, actor: Actor, tool_id: UUID, proposal_id: UUID) -> ToolChange:
    """End a tool as people agreed; called in the transaction that dispatches their proposal.

    Raises:
        PolicyConflict: nobody agreed to it.
    """
    gating.asker_of(actor, proposal_id, gating.RETIRE, tool_id)
    return _end(actor, _locked(tool_id), agreed_by=proposal_id)


# -- parts ---------------------------------------------------------------------------------------


def _require_schema(schema: Mapping[str, Any] | None) -> None:
    wrong = schema_refusal(schema) if schema is not None else ""
    if not wrong:
        try:
            canonical.dumps(schema)
        except NotCanonical as error:
            wrong = error.message
    if wrong:
        raise BadInput(f"Schema: {wrong}", fields={"args_schema": [wrong]})


def _lock_name(tenant_id: UUID, name: str) -> None:
    with connection.cursor() as cursor:
        words = f"{tenant_id}/{name}/external-tool"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [words])


def _named(name: str) -> Any:
    return ExternalTool.objects.filter(name=name)


def _locked(tool_id: UUID) -> ExternalTool:
    row = ExternalTool.objects.select_for_update().filter(pk=tool_id).first()
    if row is None:
        raise NotFound("There is no such tool here; look at the list of tools.")
    return row


def _require_free(actor: Actor, name: str) -> None:
    if tool_id_of(actor=actor, tool=name) is not None:
        raise ExternalToolTaken(f"The hosted agents have a tool named {name}; take another name.")


def _taken(name: str) -> ExternalToolTaken:
    return ExternalToolTaken(
        f"There is a tool named {name}; have it retired first to register it anew."
    )


def enter(
    actor: Actor, said: Mapping[str, Any], *, by: str, agreed_by: UUID | None = None
) -> ExternalToolCard:
    """Put a tool there; whoever calls it answers for who agreed, and the trigger asks again.

    Args:
        said: name, tier, summary and schema, as the arguments of the proposal have them.
    """
    name, tier = said["name"], said["tier"]
    row = ExternalTool(
        tenant_id=actor.tenant_id,
        name=name,
        tier=tier,
        summary=said["summary"],
        args_schema=said["schema"],
        added_by=by[:LABEL_LENGTH],
        agreed_by=agreed_by,
    )
    ExternalTool.objects.bulk_create([row], ignore_conflicts=True)
    stored = ExternalTool.objects.filter(pk=row.pk).first()
    if stored is None:
        raise _taken(name)
    event = ExternalToolAdded(tool_id=row.pk, tool=name, tier=tier, proposal_id=agreed_by)
    record(event, actor=actor)
    return stored.card()


def _end(actor: Actor, row: ExternalTool, *, agreed_by: UUID | None = None) -> ToolChange:
    row.retired_at, row.end_agreed_by = clock.now(), agreed_by
    row.save(update_fields=["retired_at", "end_agreed_by"])
    gone = sum(
        _withdraw(actor, proposal_id) for proposal_id in live_outside(actor=actor, tool=row.name)
    )
    event = ExternalToolRetired(
        tool_id=row.pk, tool=row.name, withdrawn=gone, proposal_id=agreed_by
    )
    record(event, actor=actor)
    return ToolChange(tool=row.card(), withdrawn=gone)


def _withdraw(actor: Actor, proposal_id: UUID) -> int:
    desk = lock(actor=actor, proposal_id=proposal_id)
    at = clock.now()
    if desk is None or desk.settle_clock(at=at) or desk.state not in LIVE:
        return 0
    desk.end(Outcome.WITHDRAWN, at=at, cause="tool retired", told=_TOLD)
    return 1
