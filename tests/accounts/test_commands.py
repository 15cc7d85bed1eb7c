"""Commands of accounts on real PostgreSQL as the bound role: row, event, refusal."""

import threading
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection

from console.accounts import commands, queries
from console.accounts.commands.people import new_password
from console.accounts.errors import AlreadyThere, LastAdmin, NotOurs
from console.accounts.models import GroupMember, Membership
from console.accounts.states import Role
from console.kernel import tenancy
from console.kernel.actors import Actor, system
from console.kernel.errors import BadInput, ConsoleError, NotAllowed, NotFound
from console.kernel.ids import uuid7
from tests.accounts.trail import actions, events
from tests.cast import Cast, make_tenant


def open_session(cast: Cast, name: str, *, tenant_id: UUID | None = None) -> str:
    """Open a session of a member and return its key."""
    key = uuid7().hex
    commands.open_session(
        actor=system("tests", tenant_id or cast.tenant_id),
        person_id=cast.members[name].id,
        session_key=key,
        address="192.0.2.7",
        user_agent="Tester/1",
    )
    return key


def is_open(cast: Cast, key: str) -> bool:
    return queries.presence(tenant_id=cast.tenant_id, session_key=key) is not None


def at_once(*acts: Any) -> list[ConsoleError | None]:
    """Run callables in threads behind one barrier; return the refusal of each, or None."""
    barrier = threading.Barrier(len(acts))
    found: list[ConsoleError | None] = []

    def run(act: Any) -> None:
        barrier.wait()
        try:
            act()
            found.append(None)
        except ConsoleError as error:
            found.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


class TestCreateTenant:
    def test_is_recorded_in_its_own_trail(self, cast: Cast) -> None:
        assert actions(cast)[0] == "tenant.created"

    def test_refuses_a_taken_short_name(self, cast: Cast) -> None:
        with pytest.raises(AlreadyThere):
            commands.create_tenant(actor=system("tests", uuid7()), slug=cast.tenant.slug, name="x")


class TestAddPerson:
    def test_gives_a_password_once_and_it_works(self, cast: Cast) -> None:
        email = f"Vera.{uuid7().hex[-12:]}@Meridian.example"

        made = commands.add_person(
            actor=cast.system, email=email, name="Vera", roles=["reviewer"], groups=["care"]
        )

        proved = commands.prove(actor=queries.DOOR, email=email, password=made.password)
        assert proved.person_id == made.person.id
        assert made.person.groups == ("care",)
        assert events(cast)[-1]["bind"]["roles"] == ["reviewer"]
        assert made.password not in str(events(cast))

    def test_refuses_who_is_here_already(self, cast: Cast) -> None:
        with pytest.raises(AlreadyThere):
            commands.add_person(
                actor=cast.noor, email=cast.email("ruth"), name="Ruth", roles=["admin"]
            )

        assert queries.person_card(actor=cast.noor, person_id=cast.members["ruth"].id).roles == (
            Role.REVIEWER,
        )

    def test_leaves_an_existing_account_as_it_is(self, cast: Cast) -> None:
        made = commands.add_person(
            actor=cast.system, email=cast.email("mallory"), name="Someone", roles=["reviewer"]
        )

        assert made.password == ""
        assert made.person.name == "Mallory"

    @pytest.mark.parametrize("name", ["ruth", "ines", "omar"])
    def test_needs_the_permission(self, cast: Cast, name: str) -> None:
        with pytest.raises(NotAllowed):
            commands.add_person(
                actor=cast.members[name].actor, email="x@y.example", name="X", roles=[]
            )

    def test_refuses_an_unknown_group_and_leaves_no_half(self, cast: Cast) -> None:
        email = f"vera.{uuid7().hex[-12:]}@meridian.example"

        with pytest.raises(BadInput):
            commands.add_person(
                actor=cast.system, email=email, name="Vera", roles=[], groups=["nowhere"]
            )

        assert email not in {card.email for card in queries.people(actor=cast.noor)}


class TestNewPassword:
    def test_has_eighty_bits_and_no_look_alikes(self) -> None:
        words = {new_password() for _ in range(200)}

        assert len(words) == 200
        assert not set("".join(words)) & set("01ilo")


class TestSetMembership:
    def change(self, cast: Cast, name: str, **values: Any) -> None:
        commands.set_membership(
            actor=cast.noor,
            person_id=cast.members[name].id,
            **{"roles": ["reviewer"], "groups": ["care"], "active": True, **values},
        )

    def test_records_what_changed_and_counts_at_the_next_request(self, cast: Cast) -> None:
        key = open_session(cast, "ruth")

        self.change(cast, "ruth", roles=["operator"], groups=[])

        found = queries.presence(tenant_id=cast.tenant_id, session_key=key)
        assert found is not None
        assert found.actor.has("controls.engage")
        assert not found.actor.has("approvals.vote")
        assert found.actor.groups == frozenset()
        assert events(cast)[-1]["action"] == "membership.changed"
        assert {change["path"] for change in events(cast)[-1]["change"]} == {"/roles", "/groups"}

    def test_says_nothing_when_nothing_changed(self, cast: Cast) -> None:
        before = actions(cast)

        self.change(cast, "ruth")

        assert actions(cast) == before

    def test_a_deactivated_person_loses_sessions_and_keys(self, cast: Cast) -> None:
        cast.add("dana", roles=("admin",))
        key = open_session(cast, "dana")
        made = commands.create_key(
            actor=cast.members["dana"].actor, name="ci", scopes=["runs.view"], days=1
        )

        self.change(cast, "dana", roles=["admin"], groups=[], active=False)

        assert not is_open(cast, key)
        assert queries.actor_of_key(secret=made.secret) is None
        assert actions(cast)[-2:] == ["session.ended", "key.revoked"]
        assert "dana" not in {card.name.lower() for card in queries.reviewers(actor=cast.noor)}

    def test_keeps_the_last_administrator(self, cast: Cast) -> None:
        with pytest.raises(LastAdmin):
            self.change(cast, "noor", roles=["auditor"], groups=[])
        with pytest.raises(LastAdmin):
            self.change(cast, "noor", roles=["admin"], groups=[], active=False)

    def test_two_administrators_cannot_remove_each_other(self, cast: Cast) -> None:
        cast.add("dana", roles=("admin",))

        def remove(by: str, whom: str) -> Any:
            return lambda: commands.set_membership(
                actor=cast.members[by].actor,
                person_id=cast.members[whom].id,
                roles=["auditor"],
                groups=[],
                active=True,
            )

        refusals = at_once(remove("noor", "dana"), remove("dana", "noor"))

        assert sorted(type(one).__name__ for one in refusals) == ["LastAdmin", "NoneType"]

    def test_does_not_know_people_of_another_tenant(self, cast: Cast) -> None:
        with pytest.raises(NotFound):
            self.change(cast, "mallory")

    def test_an_unrecorded_change_is_refused_by_the_database(self, cast: Cast) -> None:
        with pytest.raises(DatabaseError, match="no audit event"), tenancy.scope(cast.tenant_id):
            Membership.objects.filter(person_id=cast.members["omar"].id).update(roles=["admin"])

    def test_the_database_hides_and_guards_other_tenants(self, cast: Cast) -> None:
        with tenancy.scope(cast.elsewhere.id):
            assert not Membership.objects.filter(person_id=cast.members["ruth"].id).exists()
            assert not GroupMember.objects.exists()
        with (
            pytest.raises(DatabaseError, match="row-level security"),
            tenancy.scope(cast.elsewhere.id),
        ):
            Membership.objects.create(
                tenant_id=cast.tenant_id, person_id=cast.members["mallory"].id, roles=["admin"]
            )


class TestResetPassword:
    def test_ends_sessions_and_the_old_password(self, cast: Cast) -> None:
        key = open_session(cast, "omar")

        made = commands.reset_password(actor=cast.noor, person_id=cast.members["omar"].id)

        assert not is_open(cast, key)
        commands.prove(actor=queries.DOOR, email=cast.email("omar"), password=made.password)
        assert actions(cast)[-3:] == ["person.password_reset", "session.ended", "session.ended"]

    def test_refuses_an_account_that_others_rely_on(self, cast: Cast) -> None:
        commands.add_person(
            actor=cast.system, email=cast.email("mallory"), name="M", roles=["reviewer"]
        )

        with pytest.raises(NotOurs):
            commands.reset_password(actor=cast.noor, person_id=cast.members["mallory"].id)


class TestCreateGroup:
    def test_refuses_a_second_one_of_that_name(self, cast: Cast) -> None:
        with pytest.raises(AlreadyThere):
            commands.create_group(actor=cast.noor, slug="care", title="Again")

    def test_another_tenant_has_names_of_its_own(self, cast: Cast) -> None:
        commands.create_group(actor=cast.mallory, slug="care", title="Books care")

        assert [group.slug for group in queries.groups(actor=cast.mallory)] == ["care"]


class TestActors:
    def test_a_foreign_admin_changes_nothing_here(self, cast: Cast) -> None:
        stranger: Actor = cast.mallory
        person_id = cast.members["ruth"].id

        for act in (
            lambda: commands.reset_password(actor=stranger, person_id=person_id),
            lambda: commands.end_sessions_of(actor=stranger, person_id=person_id),
            lambda: commands.set_membership(
                actor=stranger, person_id=person_id, roles=[], groups=[], active=False
            ),
        ):
            with pytest.raises(NotFound):
                act()

    def test_tenants_made_alike_are_still_apart(self, cast: Cast) -> None:
        twin = make_tenant("Meridian Retail", "meridian")

        assert queries.people(actor=system("tests", twin.id)) == ()
        assert len(queries.people(actor=cast.noor)) == 4
