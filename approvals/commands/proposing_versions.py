"""Asking people whether a version of a policy may speak, or should fall silent.

It takes the word of two people of different groups, and neither of them may be who asks or who
wrote the version.
"""

from typing import Final
from uuid import UUID

from approvals.cards import Principal, ProposalCard, ProposalFacts, Subject
from approvals.commands.governing import Planned, planned, title_of
from approvals.commands.opening import open_proposal
from approvals.commands.versioning import ACTIVATE, RETIRE, SUBJECT
from approvals.errors import PolicyConflict
from approvals.policies import versions
from approvals.states import PolicyState, PrincipalRole
from console.accounts import queries as accounts
from console.accounts.queries import require
from console.accounts.states import Permission
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from console.kernel.transactions import command

AGENT: Final = "signalbox/policies"  # no agent can have this name
TIER: Final = 2
_SUMMARY: Final = {
    ACTIVATE: "Lets this version of the policy decide about calls, in place of the one before it. "
    "Proposals that are open are never loosened by it.",
    RETIRE: "Takes the policy away. What its rules held or denied is then decided by other "
    "policies and the floors of the tiers.",
}
_UNDO: Final = {
    ACTIVATE: "Write the earlier body as a new version and have people agree to it.",
    RETIRE: "Write the same body as a new version and have people agree to it.",
}


@command
def propose_activation(*, actor: Actor, version_id: UUID) -> ProposalCard:
    """Ask two people to let a draft, or a version in the shadow, speak.

    The same question again returns the proposal that waits.

    Raises:
        PolicyConflict: the version speaks already or was put away, or no person asks.
        NotFound: there is no such version.
        NotAllowed: the actor may not manage policies.
    """
    return _propose(actor, version_id, ACTIVATE)


@command
def propose_retirement(*, actor: Actor, version_id: UUID) -> ProposalCard:
    """Ask two people to let the active version fall silent, with nothing in its place.

    Raises:
        PolicyConflict: the version is not active, or no person asks.
        NotFound: there is no such version.
        NotAllowed: the actor may not manage policies.
    """
    return _propose(actor, version_id, RETIRE)


def _propose(actor: Actor, version_id: UUID, tool: str) -> ProposalCard:
    require(actor, Permission.POLICIES_MANAGE)
    if not actor.is_person:
        raise PolicyConflict("Only a person proposes a change of the rules; sign in and propose.")
    found = planned(version_id, tool)
    versions.require_proposable(PolicyState(found.row.state), retire=tool == RETIRE)
    return open_proposal(
        actor=actor,
        subject=Subject(kind=SUBJECT, id=version_id),
        content=found.content,
        facts=ProposalFacts(
            title=title_of(tool, found.content.args),
            tier=TIER,
            agent_id=AGENT,
            agent_label=actor.label,
            undo=_UNDO[tool],
            why=found.row.note,
            tool_summary=_SUMMARY[tool],
        ),
        principals=_chain(actor, found),
    )


def _chain(actor: Actor, found: Planned) -> tuple[Principal, ...]:
    starter = Principal(
        role=PrincipalRole.STARTER,
        actor_kind=actor.kind.value,
        actor_id=actor.id,
        label=actor.label,
        person_id=UUID(actor.id),
    )
    author = _author(actor, found)
    return (starter,) if author is None else (starter, author)


def _author(actor: Actor, found: Planned) -> Principal | None:
    """Return who wrote the version; whoever left the tenant votes on nothing anyway."""
    if found.row.author_id == actor.id:
        return None
    try:
        person = accounts.person_card(actor=actor, person_id=UUID(found.row.author_id))
    except (NotFound, ValueError):  # a program wrote it
        return None
    return Principal(
        role=PrincipalRole.EDITOR,
        actor_kind="person",
        actor_id=found.row.author_id,
        label=found.row.author,
        person_id=person.id,
    )
