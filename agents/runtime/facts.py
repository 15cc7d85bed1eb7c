"""What people are told of a write beside its content: the facts, and who had a part in it."""

from uuid import UUID

from agents.models import Conversation, ToolCall
from agents.runtime import timeline
from agents.runtime.held import Held
from agents.tools.contracts import Tool, UndoKind
from approvals.cards import Principal, ProposalFacts
from approvals.states import PrincipalRole
from console.kernel.actors import ActorKind


def facts_of(held: Held, call: ToolCall, tool: Tool) -> ProposalFacts:
    about = held.about
    return ProposalFacts(
        title=call.title,
        tier=tool.tier,
        agent_id=about.agent_slug,
        agent_label=about.agent_title,
        run_id=about.run_id,
        conversation_id=about.conversation_id,
        undo="" if tool.undo.kind is UndoKind.NONE else undo_of(tool),
        why=_why(call),
        tool_summary=tool.summary,
        channel=about.channel,
        target={"customer": _customer(held)},
        sensitive=_sensitive(tool),
    )


def _customer(held: Held) -> str:
    """Return whom the conversation is with, once that was found out; "" before."""
    rows = Conversation.objects.filter(pk=held.about.conversation_id)
    return rows.values_list("customer", flat=True).get()


def _sensitive(tool: Tool) -> tuple[str, ...]:
    """Return where the contract's masked fields stand in what the rules look at."""
    roots = ("/args", "/before/*/*", "/after/*/*")
    return tuple(f"{root}{pointer}" for root in roots for pointer in tool.redact)


def _why(call: ToolCall) -> str:
    """Return what the agent said in the step that made this call: a claim, nothing more."""
    frame = timeline.said_in(call.run_id, call.step_seq)
    return frame[:2000]


def undo_of(tool: Tool) -> str:
    match tool.undo.kind:
        case UndoKind.BEFORE_IMAGE:
            return "The old values can be put back as long as nothing else changes them."
        case UndoKind.TOOL:
            return f"The tool {tool.undo.tool} reverses it."
        case UndoKind.NONE:
            return f"It cannot be taken back: {tool.undo.reason}"


def principals_of(held: Held) -> tuple[Principal, ...]:
    """Return everybody who had a part in the request, so that none of them decides it."""
    about, starter = held.about, held.about.starter
    found = [
        Principal(
            role=PrincipalRole.AGENT,
            actor_kind=ActorKind.AGENT,
            actor_id=about.agent_slug,
            label=about.agent_title,
        ),
        Principal(
            role=PrincipalRole.STARTER,
            actor_kind=starter["kind"],
            actor_id=starter["id"],
            label=starter["label"],
            person_id=UUID(starter["person_id"]) if starter.get("person_id") else None,
        ),
    ]
    if about.owner is not None:
        found.append(
            Principal(
                role=PrincipalRole.OWNER,
                actor_kind=ActorKind.PERSON,
                actor_id=str(about.owner),
                label=about.owner_label,
                person_id=about.owner,
            )
        )
    return tuple(found)
