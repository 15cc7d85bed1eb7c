"""Nobody in the principal chain votes, whatever else they are."""

from uuid import UUID

import psycopg
import pytest

from approvals import commands
from approvals.cards import Principal, ProposalCard, Subject
from approvals.errors import VoteByPrincipal
from approvals.states import PrincipalRole, ProposalState
from console.accounts.models import Person
from console.kernel.actors import Actor, ActorKind, Link
from console.kernel.ids import uuid7
from tests.approvals.desk import approve, content, facts, now, opened
from tests.approvals.sql import as_owner
from tests.approvals.test_constraints import vote_sql
from tests.cast import Cast

EVERY_ROLE = ("reviewer", "operator", "auditor", "admin")


def behind(who: Actor, role: PrincipalRole, kind: str = "person") -> Principal:
    """Return somebody in the chain: by themselves, or behind a key that they made."""
    return Principal(
        role=role,
        actor_kind=kind,
        actor_id=who.id if kind == "person" else str(uuid7()),
        label=who.label,
        person_id=UUID(who.id),
    )


CHAINS = [(role, "person") for role in PrincipalRole if role is not PrincipalRole.AGENT]
CHAINS.append((PrincipalRole.STARTER, "key"))


@pytest.mark.parametrize(("role", "kind"), CHAINS, ids=str)
class TestAPersonOfEveryRole:
    def opened(self, cast: Cast, role: PrincipalRole, kind: str) -> tuple[ProposalCard, Actor]:
        dana = cast.add("dana", roles=EVERY_ROLE, groups=("care", "finance"))
        return opened(cast, tier=2, chain=(behind(dana, role, kind),)), dana

    def test_is_refused_and_recorded(self, cast: Cast, role: PrincipalRole, kind: str) -> None:
        card, dana = self.opened(cast, role, kind)
        with pytest.raises(VoteByPrincipal) as refusal:
            approve(card, dana)
        assert refusal.value.status == 403
        assert now(cast, card).history[-1].action == "vote.refused"
        assert now(cast, card).card.state is ProposalState.OPEN

    def test_is_refused_by_the_database_even_as_its_owner(
        self, cast: Cast, role: PrincipalRole, kind: str
    ) -> None:
        card, dana = self.opened(cast, role, kind)
        with as_owner() as owner, pytest.raises(psycopg.Error, match="vote_not_by_principal"):
            owner.execute(vote_sql(), {"person": dana.id, "proposal": card.id})


class TestTheMakerOfAKey:
    def test_stands_behind_what_the_key_asks_for(self, cast: Cast) -> None:
        """The chain holds whoever made the key, although nobody named them."""
        dana = cast.add("dana", roles=EVERY_ROLE, groups=("care",))
        key = Actor(
            tenant_id=cast.tenant_id,
            kind=ActorKind.KEY,
            id=str(uuid7()),
            label="ci",
            via=(Link(kind=ActorKind.PERSON, id=dana.id, label="Dana"),),
        )
        card = commands.open_proposal(
            actor=key,
            subject=Subject(kind="tool_call", id=uuid7()),
            content=content(),
            facts=facts(),
            principals=(),
        )
        with pytest.raises(VoteByPrincipal):
            approve(card, dana)
        assert approve(card, cast.ruth).state is ProposalState.APPROVED


class TestSuperusers:
    def test_are_not_there(self, cast: Cast) -> None:
        columns = {field.name for field in Person._meta.get_fields()}
        assert not {"is_superuser", "is_staff"} & columns
        person = Person.objects.get(pk=cast.ruth.id)
        assert not person.is_superuser
