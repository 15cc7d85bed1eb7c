"""What people are asked about a person who shall decide more."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from approvals.models import TITLE_LENGTH, Proposal, Revision
from approvals.policies import PEOPLE_KIND
from approvals.states import LIVE
from console.accounts.cards import Gain, Waiting
from console.accounts.queries import require
from console.accounts.states import Permission, Role
from console.kernel.actors import Actor
from console.kernel.transactions import query


@query
def waiting_about(*, actor: Actor, person_id: UUID) -> Waiting | None:
    """Return the live proposal about a person, or None."""
    require(actor, Permission.ACCOUNTS_MANAGE)
    row = Proposal.objects.filter(
        tenant_id=actor.tenant_id,
        subject_kind=PEOPLE_KIND,
        subject_id=person_id,
        state__in=[state.value for state in LIVE],
    ).first()
    if row is None:
        return None
    content = Revision.objects.get(proposal=row, no=row.revision_no).content(row.tool)
    return Waiting(proposal_id=row.id, title=row.title, gain=gain_of(content.args))


def gain_of(args: Mapping[str, Any]) -> Gain:
    """Read what `commands.entrusting.args_of` wrote."""
    return Gain(
        roles=tuple(Role(role) for role in args["roles"]),
        groups=tuple(args["groups"]),
        tools=tuple(UUID(tool) for tool in args["tools"]),
        active=bool(args["active"]),
    )


def title_of(args: Mapping[str, Any]) -> str:
    """Return who gets what, as one line."""
    gain = gain_of(args)
    parts = [f"the role {role.value}" for role in gain.roles]
    if gain.groups:
        parts.append(f"the {_many('group', gain.groups)} {', '.join(gain.groups)}")
    if gain.tools:
        parts.append(f"the right to review {len(gain.tools)} {_many('tool', gain.tools)}")
    if gain.active:
        parts.append("their place back")
    return f"Give {args['name']} {' and '.join(parts)}"[:TITLE_LENGTH]


def _many(word: str, some: tuple[Any, ...]) -> str:
    return word if len(some) == 1 else f"{word}s"
