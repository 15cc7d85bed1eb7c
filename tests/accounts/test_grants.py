"""Rights on single agents and tools (django-guardian), under row-level security."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError
from guardian.shortcuts import get_objects_for_user, get_user_perms

from agents.runtime.commands import register_agent
from console.accounts import commands, queries
from console.accounts.models import ObjectGrant, Person
from console.accounts.states import ObjectKind
from console.kernel import tenancy
from console.kernel.actors import system
from console.kernel.errors import NotAllowed, NotFound
from console.kernel.ids import uuid7
from tests.accounts.trail import actions
from tests.cast import Cast


@pytest.fixture
def agent_id(cast: Cast) -> UUID:
    """Return the id of a new agent of the cast's tenant."""
    return make_agent(cast, cast.tenant_id)


def make_agent(cast: Cast, tenant_id: UUID) -> UUID:
    return register_agent(actor=system("tests", tenant_id), slug=f"a{uuid7().hex}", title="Refunds")


def give(cast: Cast, name: str, object_id: UUID, *, by: str = "noor") -> bool:
    return commands.give_grant(
        actor=cast.members[by].actor,
        person_id=cast.members[name].id,
        kind="agent",
        object_id=object_id,
    )


def may(cast: Cast, name: str, object_id: UUID, permission: str = "controls.engage") -> bool:
    return queries.may(
        actor=cast.members[name].actor, permission=permission, obj_kind="agent", obj_id=object_id
    )


class TestMay:
    def test_a_role_is_enough_for_every_object(self, cast: Cast, agent_id: UUID) -> None:
        assert may(cast, "omar", agent_id)
        assert not may(cast, "ruth", agent_id)

    def test_a_right_counts_for_its_object_only(self, cast: Cast, agent_id: UUID) -> None:
        other = make_agent(cast, cast.tenant_id)
        give(cast, "ruth", agent_id)

        assert may(cast, "ruth", agent_id)
        assert not may(cast, "ruth", other)
        assert not may(cast, "ruth", agent_id, "controls.release")
        assert not may(cast, "ines", agent_id)

    def test_does_not_reach_into_another_tenant(self, cast: Cast, agent_id: UUID) -> None:
        commands.add_person(
            actor=cast.system, email=cast.email("mallory"), name="M", roles=["reviewer"]
        )
        give(cast, "mallory", agent_id)

        from_elsewhere = queries.may(
            actor=replace(cast.mallory, permissions=frozenset()),
            permission="controls.engage",
            obj_kind="agent",
            obj_id=agent_id,
        )

        assert not from_elsewhere


class TestGiveGrant:
    def test_is_recorded_once(self, cast: Cast, agent_id: UUID) -> None:
        assert give(cast, "ruth", agent_id)
        assert not give(cast, "ruth", agent_id)

        assert actions(cast, "grant.") == ["grant.given"]
        assert [one.object_id for one in queries.grants(actor=cast.noor)] == [agent_id]

    def test_is_guardians_own_right(self, cast: Cast, agent_id: UUID) -> None:
        give(cast, "ruth", agent_id)

        with tenancy.scope(cast.tenant_id, read_only=True):
            ruth = Person.objects.get(pk=cast.members["ruth"].id)
            found: Any = get_objects_for_user(
                ruth,
                "agents.operate_agent",
                use_groups=False,  # rights come from memberships and from single objects only
                accept_global_perms=False,
            )
            assert [row.pk for row in found] == [agent_id]
            assert set(get_user_perms(ruth, found[0])) == {"operate_agent"}

    @pytest.mark.parametrize("name", ["ruth", "omar"])
    def test_needs_the_permission(self, cast: Cast, agent_id: UUID, name: str) -> None:
        with pytest.raises(NotAllowed):
            give(cast, "ines", agent_id, by=name)

    def test_knows_no_foreign_people_or_objects(self, cast: Cast, agent_id: UUID) -> None:
        with pytest.raises(NotFound):
            give(cast, "mallory", agent_id)
        with pytest.raises(NotFound):
            give(cast, "ruth", uuid7())
        with pytest.raises(NotFound):
            give(cast, "mallory", agent_id, by="mallory")
        assert queries.grants(actor=cast.mallory) == ()

    def test_an_unrecorded_right_is_refused_by_the_database(
        self, cast: Cast, agent_id: UUID
    ) -> None:
        give(cast, "ruth", agent_id)

        with pytest.raises(DatabaseError, match="no audit event"), tenancy.scope(cast.tenant_id):
            ObjectGrant.objects.filter(object_pk=str(agent_id)).delete()


class TestTakeGrant:
    def test_counts_at_once(self, cast: Cast, agent_id: UUID) -> None:
        give(cast, "ruth", agent_id)
        values: Any = {"person_id": cast.members["ruth"].id, "kind": "agent", "object_id": agent_id}

        assert commands.take_grant(actor=cast.noor, **values)
        assert not commands.take_grant(actor=cast.noor, **values)

        assert not may(cast, "ruth", agent_id)
        assert actions(cast, "grant.") == ["grant.given", "grant.taken"]


class TestObjectsOf:
    def test_lists_what_rights_can_be_given_on(self, cast: Cast, agent_id: UUID) -> None:
        mine = queries.objects_of(actor=cast.noor, kind=ObjectKind.AGENT)

        assert agent_id in {found.id for found in mine}
        assert agent_id not in {
            found.id for found in queries.objects_of(actor=cast.mallory, kind=ObjectKind.AGENT)
        }

    def test_the_page_offers_them(self, cast: Cast, agent_id: UUID) -> None:
        client = cast.client("noor")
        sent = {"kind": "agent", "object_id": str(agent_id), "give": "1"}

        assert str(agent_id) in client.get(f"/people/{cast.ruth.id}/").content.decode()
        assert client.post(f"/people/{cast.ruth.id}/grants/", sent).status_code == 302
        assert may(cast, "ruth", agent_id)
