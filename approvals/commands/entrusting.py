"""People who shall decide more, as proposals: who it is, what they are, and what they would be.

`accounts` knows who gains what and refuses whoever gives it alone; it asks here through its port
`consent`. What people agreed to is carried out by the same commands of accounts, in the transaction
that dispatches it, and a person who is something else by then makes the proposal stale.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from approvals.cards import Content, Image, Principal, ProposalFacts, Subject
from approvals.commands.opening import open_proposal
from approvals.errors import NotEditable, PolicyConflict
from approvals.policies import PEOPLE_KIND
from approvals.queries import entrusting as pending
from approvals.queries import founding as founded
from approvals.states import PrincipalRole, ProposalState
from console.accounts import commands as accounts
from console.accounts import queries
from console.accounts.cards import Gain, PasswordSet, PersonCard, Standing, Waiting
from console.accounts.states import ObjectKind, Permission
from console.kernel import canonical
from console.kernel.actors import Actor
from console.kernel.transactions import command

TOOL: Final = "people.entrust"
AGENT: Final = "signalbox/people"  # no agent can have this name
TIER: Final = 2
CONTRACT: Final = canonical.digest({"type": "signalbox/people.entrust/1"}).hex()
_SUMMARY: Final = (
    "Lets this person decide about changes, or about more of them: what waits now, too. Nothing "
    "that waits asks for fewer people by it."
)
_UNDO: Final = "Take it away on the page of the person; that counts at once and asks nobody."


@command
def ask_to_entrust(*, actor: Actor, person_id: UUID, gain: Gain) -> Waiting:
    """Ask two people whether somebody may decide more; what waits about them joins it.

    Raises:
        PolicyConflict: no person asks.
        NotFound: there is no such person.
        NotAllowed: the actor may not manage people.
    """
    queries.require(actor, Permission.ACCOUNTS_MANAGE)
    if not actor.is_person:
        raise PolicyConflict("Only a person asks for this; sign in and ask.")
    accounts.lock_people(actor)
    earlier = pending.waiting_about(actor=actor, person_id=person_id)
    if earlier is not None:
        gain = earlier.gain.joined(gain)
    person = queries.person_card(actor=actor, person_id=person_id)
    content = planned(actor, person_id, args_of(person, gain))
    card = open_proposal(
        actor=actor,
        subject=Subject(kind=PEOPLE_KIND, id=person_id),
        content=content,
        facts=ProposalFacts(
            title=pending.title_of(content.args),
            tier=TIER,
            agent_id=AGENT,
            agent_label=actor.label,
            undo=_UNDO,
            tool_summary=_known_password(actor, person_id) + _SUMMARY,
        ),
        principals=_chain(actor, person),
    )
    return Waiting(
        proposal_id=card.id,
        title=card.title,
        gain=gain,
        blocked=card.state is ProposalState.BLOCKED,
    )


def args_of(person: PersonCard, gain: Gain) -> dict[str, Any]:
    """Return what is asked for, as the arguments of the call."""
    return {
        "person": str(person.id),
        "name": person.name,
        "roles": [role.value for role in gain.roles],
        "groups": list(gain.groups),
        "tools": [str(tool) for tool in gain.tools],
        "active": gain.active,
    }


def planned(actor: Actor, person_id: UUID, args: Mapping[str, Any]) -> Content:
    """Return what it would do to the person as they are now, all people of the tenant locked.

    Raises:
        NotFound: there is no such person.
    """
    accounts.lock_people(actor)
    person = queries.person_card(actor=actor, person_id=person_id)
    before = queries.standing(actor=actor, person_id=person_id)
    after = before.gaining(pending.gain_of(args))
    labels = {one.id: one.label for one in queries.objects_of(actor=actor, kind=ObjectKind.TOOL)}
    password = queries.password_of_another(actor=actor, person_id=person_id)
    return Content(
        tool=TOOL,
        contract_hash=CONTRACT,
        args=args,
        before=_image(person, before, labels, password),
        after=_image(person, after, labels, password),
    )


def carried_out(actor: Actor, person_id: UUID, content: Content, proposal_id: UUID) -> None:
    """Make the person what people agreed to; the caller has dispatched the proposal."""
    gain = pending.gain_of(content.args)
    after = queries.standing(actor=actor, person_id=person_id).gaining(gain)
    accounts.set_membership(
        actor=actor,
        person_id=person_id,
        roles=after.roles,
        groups=after.groups,
        active=after.active,
        agreed_by=proposal_id,
    )
    for tool in gain.tools:
        accounts.give_grant(
            actor=actor,
            person_id=person_id,
            kind=ObjectKind.TOOL,
            object_id=tool,
            agreed_by=proposal_id,
        )


class People:
    """The kind of proposals that let a person decide more."""

    name = PEOPLE_KIND

    def schema(self, *, actor: Actor, tool: str) -> Mapping[str, Any]:
        """Refuse: what somebody else shall get is another request."""
        del actor, tool
        raise NotEditable("Reject this, and have what fits asked for on the page of the person.")

    def content(
        self, *, actor: Actor, subject: Subject, tool: str, args: Mapping[str, Any]
    ) -> Content:
        del tool
        return planned(actor, subject.id, args)

    def observe(
        self, *, actor: Actor, subject: Subject, tool: str, args: Mapping[str, Any]
    ) -> Content:
        return self.content(actor=actor, subject=subject, tool=tool, args=args)

    def apply(self, *, actor: Actor, subject: Subject, content: Content) -> Image | None:
        """Leave it to `carrying.carry_out`, which knows the proposal."""
        del actor, subject, content
        return None

    def title(self, *, tool: str, args: Mapping[str, Any]) -> str:
        del tool
        return pending.title_of(args)

    def gap(self, *, tool: str) -> str:
        del tool
        return ""


class Asking:
    """What accounts asks of this room; see `console.accounts.consent`."""

    def founding(self, *, actor: Actor) -> bool:
        return founded.founding(actor=actor)

    def ask(self, *, actor: Actor, person_id: UUID, gain: Gain) -> Waiting:
        return ask_to_entrust(actor=actor, person_id=person_id, gain=gain)

    def waiting(self, *, actor: Actor, person_id: UUID) -> Waiting | None:
        return pending.waiting_about(actor=actor, person_id=person_id)


def _known_password(actor: Actor, person_id: UUID) -> str:
    """Return what whoever agrees has to know of the password, or ""."""
    found = queries.password_of_another(actor=actor, person_id=person_id)
    if found is None:
        return ""
    return (
        f"{found.by} set this person's password at {found.at:%Y-%m-%d %H:%M} UTC and could sign in "
        "with it. Agree once the person told you, face to face or by phone, that they signed in "
        "with it themselves and chose their own. "
    )


def _image(
    person: PersonCard,
    standing: Standing,
    labels: Mapping[UUID, str],
    password: PasswordSet | None,
) -> Image:
    """Return a person as reviewers read it: a list of words is one line, an empty one is none.

    Who else set their password is in it, so that nobody agrees to somebody whose password is set
    anew afterwards.
    """
    tools = (labels.get(tool, str(tool)) for tool in standing.tools)
    return {
        "people": {
            person.email: {
                "name": person.name,
                "roles": _listed(role.value for role in standing.roles),
                "groups": _listed(standing.groups),
                "tools": _listed(tools),
                "active": standing.active,
                **(
                    {"password": f"set by {password.by}, {password.at:%Y-%m-%d %H:%M:%S} UTC"}
                    if password
                    else {}
                ),
            }
        }
    }


def _listed(words: Iterable[str]) -> str | None:
    return ", ".join(sorted(words)) or None


def _chain(actor: Actor, person: PersonCard) -> tuple[Principal, ...]:
    starter = Principal(
        role=PrincipalRole.STARTER,
        actor_kind=actor.kind.value,
        actor_id=actor.id,
        label=actor.label,
        person_id=UUID(actor.id),
    )
    if str(person.id) == actor.id:
        return (starter,)
    concerned = Principal(
        role=PrincipalRole.SUBJECT,
        actor_kind="person",
        actor_id=str(person.id),
        label=person.name,
        person_id=person.id,
    )
    return starter, concerned
