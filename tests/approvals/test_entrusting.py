"""Who may decide is changed by the word of two people, once; taking a say away asks nobody."""

from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.core.management import CommandError, call_command

from agents.runtime import commands as runtime
from approvals import commands, queries
from approvals.cards import DispatchCard
from approvals.states import ProposalState
from console.accounts import commands as accounts
from console.accounts import consent
from console.accounts import queries as members
from console.accounts.cards import Changed, Standing
from console.accounts.errors import NeedsAgreement
from console.accounts.states import ObjectKind, Role
from console.kernel import relay
from console.kernel.actors import Actor
from console.kernel.ids import uuid7
from tests.accounts import trail
from tests.approvals import desk
from tests.approvals.desk import approve, now, opened, reject
from tests.approvals.sql import as_owner, refused, run
from tests.cast import Cast, make_tenant, signed_in
from tests.races.test_votes import at_once


def changed(cast: Cast, name: str, **other: Any) -> Changed:
    """Have Noor ask for somebody to become this; what is not said stays as it is."""
    person_id = cast.members[name].id
    is_now = members.standing(actor=cast.noor, person_id=person_id)
    values: dict[str, Any] = {
        "roles": is_now.roles,
        "groups": is_now.groups,
        "active": is_now.active,
        **other,
    }
    return accounts.change_person(actor=cast.noor, person_id=person_id, **values)


def standing(cast: Cast, name: str) -> Standing:
    return members.standing(actor=cast.noor, person_id=cast.members[name].id)


def asked(found: Changed) -> UUID:
    assert found.waiting is not None
    return found.waiting.proposal_id


def card_of(cast: Cast, found: Changed) -> Any:
    return queries.proposal(actor=cast.system, proposal_id=asked(found)).card


def agreed(cast: Cast, found: Changed) -> Any:
    """Have Ruth and Ines agree, and what follows happen."""
    card = card_of(cast, found)
    approve(card, cast.ruth)
    approve(card, cast.ines)
    relay.relay_all(tenant_id=cast.tenant_id)
    return card_of(cast, found)


class TestChangePerson:
    def test_asks_two_people_for_exactly_what_loosens(self, cast: Cast) -> None:
        found = changed(cast, "omar", roles=["auditor", "reviewer"], groups=["finance"])

        assert standing(cast, "omar") == Standing(roles=frozenset({Role.AUDITOR}))
        detail = queries.proposal(actor=cast.noor, proposal_id=asked(found))
        assert (detail.card.tier, detail.requirement.people) == (2, 2)
        assert detail.card.title == "Give Omar the role reviewer and the group finance"
        omar = cast.email("omar")
        before, after = detail.content.before["people"][omar], detail.content.after["people"][omar]
        assert (before["roles"], before["groups"]) == ("auditor", None)
        assert (after["roles"], after["groups"]) == ("auditor, reviewer", "finance")
        chain = {(one.role.value, one.label) for one in detail.principals}
        assert chain == {("starter", "Noor"), ("subject", "Omar")}

    def test_is_done_once_when_they_agreed(self, cast: Cast) -> None:
        found = changed(cast, "omar", roles=["operator", "reviewer"], groups=["finance"])

        assert agreed(cast, found).state is ProposalState.DISPATCHED
        is_now = standing(cast, "omar")
        assert is_now.roles == {Role.OPERATOR, Role.REVIEWER}
        assert is_now.groups == {"finance"}
        told = [one for one in trail.events(cast) if one["action"] == "membership.changed"]
        assert told[-1]["bind"]["proposal_id"] == str(asked(found))
        again = commands.carry_out(actor=cast.system, proposal_id=asked(found))
        assert again is None
        assert commands.carry_out_due(actor=cast.system) == 0

    def test_takes_away_at_once(self, cast: Cast) -> None:
        card = desk.approved(cast, tier=2)

        assert changed(cast, "ruth", roles=[], groups=[]).waiting is None

        assert standing(cast, "ruth") == Standing()
        assert desk.claim(cast, card).code == "proposal.reopened"

    def test_changes_groups_halfway_until_they_agreed(self, cast: Cast) -> None:
        found = changed(cast, "ruth", groups=["finance"])

        assert standing(cast, "ruth").groups == frozenset()
        assert found.waiting is not None
        assert found.waiting.gain.groups == ("finance",)

    def test_a_deactivated_reviewer_waits_to_come_back(self, cast: Cast) -> None:
        third = cast.add("third", roles=("reviewer",), groups=("care",))
        changed(cast, "third", active=False)
        found = changed(cast, "third", active=True)

        assert not standing(cast, "third").active
        assert "their place back" in card_of(cast, found).title
        agreed(cast, found)
        assert standing(cast, "third").active
        assert approve(opened(cast), third).state is ProposalState.APPROVED

    def test_an_auditor_comes_back_at_once(self, cast: Cast) -> None:
        cast.add("vera", roles=("auditor",))
        changed(cast, "vera", active=False)

        assert changed(cast, "vera", active=True).waiting is None
        assert standing(cast, "vera").active

    def test_whoever_asks_or_is_concerned_decides_nothing(self, cast: Cast) -> None:
        cast.add("third", roles=("reviewer",), groups=("finance",))
        found = changed(cast, "ruth", groups=["care", "finance"])
        card = card_of(cast, found)

        assert "the one it is about" in now(cast, card, cast.ruth).refusal
        approve(card, cast.ines)
        assert card_of(cast, found).state is ProposalState.OPEN
        assert now(cast, card).unfillable  # Ines and the third are of one group

    def test_joins_what_waits_about_the_same_person(self, cast: Cast) -> None:
        first = changed(cast, "omar", groups=["care"])
        second = changed(cast, "omar", groups=["finance"])

        assert card_of(cast, first).state is ProposalState.SUPERSEDED
        assert second.waiting is not None
        assert second.waiting.gain.groups == ("care", "finance")
        waits = consent.waiting(actor=cast.noor, person_id=cast.members["omar"].id)
        assert waits is not None
        assert waits.proposal_id == asked(second)

    def test_does_not_ask_again_for_what_people_rejected(self, cast: Cast) -> None:
        found = changed(cast, "omar", groups=["care"])
        reject(card_of(cast, found), cast.ruth)

        again = changed(cast, "omar", groups=["care"])

        assert again.waiting is not None
        assert again.waiting.blocked

    def test_goes_stale_when_the_person_is_something_else_by_then(self, cast: Cast) -> None:
        found = changed(cast, "omar", groups=["care"])
        card = card_of(cast, found)
        approve(card, cast.ruth)
        changed(cast, "omar", roles=["auditor"])
        approve(card, cast.ines)
        relay.relay_all(tenant_id=cast.tenant_id)

        assert card_of(cast, found).state is ProposalState.STALE
        assert standing(cast, "omar").groups == frozenset()

    def test_two_that_carry_it_out_at_once_do_it_once(self, cast: Cast) -> None:
        found = changed(cast, "omar", groups=["care"])
        card = card_of(cast, found)
        approve(card, cast.ruth)
        approve(card, cast.ines)

        def act() -> Any:
            return commands.carry_out(actor=cast.system, proposal_id=card.id)

        done = [one for one in at_once([act] * 4) if isinstance(one, DispatchCard)]
        assert len(done) == 1
        told = [one for one in trail.events(cast) if one["action"] == "membership.changed"]
        assert len(told) == 1
        assert standing(cast, "omar").groups == {"care"}

    def test_never_loosens_what_waits(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        before = now(cast, card).requirement
        agreed(cast, changed(cast, "omar", roles=["reviewer"], groups=["care", "finance"]))

        assert now(cast, card).requirement == before


class TestAdmitPerson:
    def test_makes_a_member_who_decides_nothing_yet(self, cast: Cast) -> None:
        made = accounts.admit_person(
            actor=cast.noor,
            email=f"vera.{uuid7().hex[-12:]}@meridian.example",
            name="Vera",
            roles=["reviewer", "auditor"],
            groups=["care"],
        )

        assert (made.person.roles, made.person.groups) == ((Role.AUDITOR,), ())
        assert made.password
        assert made.waiting is not None
        assert made.waiting.title == "Give Vera the role reviewer and the group care"


class TestGiveRight:
    def test_asks_for_a_tool_and_not_for_an_agent(self, cast: Cast) -> None:
        agent_id = runtime.register_agent(actor=cast.system, slug="refunds", title="Refunds")
        runtime.register_agent_version(
            actor=cast.system, agent="refunds", prompt="", tools=["cancel_pending_order"]
        )
        (tool,) = members.objects_of(actor=cast.system, kind=ObjectKind.TOOL)
        omar = cast.members["omar"].id

        assert give(cast, omar, "agent", agent_id) is None
        waiting = give(cast, omar, "tool", tool.id)
        assert waiting is not None
        assert standing(cast, "omar").tools == frozenset()
        card = queries.proposal(actor=cast.noor, proposal_id=waiting.proposal_id).card
        approve(card, cast.ruth)
        approve(card, cast.ines)
        relay.relay_all(tenant_id=cast.tenant_id)
        assert standing(cast, "omar").tools == {tool.id}


def give(cast: Cast, person_id: UUID, kind: str, object_id: UUID) -> Any:
    return accounts.give_right(actor=cast.noor, person_id=person_id, kind=kind, object_id=object_id)


class TestLowLevelCommands:
    def test_refuse_a_person_who_gives_a_say(self, cast: Cast) -> None:
        omar = cast.members["omar"].id
        accounts.set_membership(
            actor=cast.system, person_id=omar, roles=["reviewer"], groups=[], active=False
        )
        person: dict[str, Any] = {"actor": cast.noor, "person_id": omar}
        for act in (
            lambda: accounts.set_membership(**person, roles=[], groups=["care"], active=True),
            lambda: accounts.set_membership(**person, roles=["reviewer"], groups=[], active=True),
            lambda: accounts.add_person(
                actor=cast.noor, email="v@m.example", name="V", roles=["reviewer"]
            ),
            lambda: accounts.entrust(**person, groups=["care"]),
        ):
            with pytest.raises(NeedsAgreement, match="two reviewers"):
                act()


class TestDecision:
    @pytest.mark.parametrize("basis", ["rule", "timeout_rule", "break_glass"])
    def test_is_of_people_and_nothing_else(self, cast: Cast, basis: str) -> None:
        card = card_of(cast, changed(cast, "omar", groups=["care"]))
        sql = (
            "INSERT INTO approvals_decision (id, tenant_id, proposal_id, revision_id, digest,"
            " outcome, basis, assignment, decided_at)"
            " SELECT gen_random_uuid(), tenant_id, proposal_id, id, digest, 'approved', %(basis)s,"
            " '[]', now() FROM approvals_revision WHERE proposal_id = %(id)s"
        )
        with refused("decision_governed_by_people"):
            run(cast, sql, basis=basis, id=card.id)


class TestFounding:
    def founder(self) -> Actor:
        tenant = make_tenant("Founders", "founders")
        keeper = Cast(tenant=tenant).system
        for slug in ("care", "finance"):
            accounts.create_group(actor=keeper, slug=slug, title=slug)
        made = accounts.add_person(
            actor=keeper, email=f"f.{tenant.id.hex[-12:]}@f.example", name="Fay", roles=["admin"]
        )
        return signed_in(tenant.id, made.person)

    def admit(self, by: Actor, name: str, *groups: str) -> Any:
        return accounts.admit_person(
            actor=by,
            email=f"{name}.{by.tenant_id.hex[-12:]}@f.example",
            name=name.capitalize(),
            roles=["reviewer"],
            groups=groups,
        )

    def test_lets_an_administrator_put_the_first_two_together(self) -> None:
        fay = self.founder()

        assert self.admit(fay, "ann", "care").waiting is None
        assert self.admit(fay, "bob", "care").waiting is None  # of one group: nobody can agree yet
        assert self.admit(fay, "cy", "finance").waiting is None
        assert self.admit(fay, "dot", "care").waiting is not None

    def test_does_not_count_who_asks(self) -> None:
        fay = self.founder()
        accounts.change_person(
            actor=fay, person_id=UUID(fay.id), roles=["admin", "reviewer"], groups=["care"],
            active=True,
        )  # fmt: skip

        assert self.admit(fay, "ann", "finance").waiting is None
        assert self.admit(fay, "bob", "care").waiting is None
        assert self.admit(fay, "cy", "care").waiting is not None

    def test_ends_once_for_two_who_admit_the_last_one_at_the_same_time(self) -> None:
        fay = self.founder()
        self.admit(fay, "ann", "care")

        made = at_once([lambda: self.admit(fay, "bob", "finance"),
                        lambda: self.admit(fay, "cy", "finance")])  # fmt: skip
        assert sorted(one.waiting is None for one in made) == [False, True]

    def test_is_over_for_good(self) -> None:
        fay = self.founder()
        people = [self.admit(fay, "ann", "care"), self.admit(fay, "bob", "finance")]
        for made in people:
            accounts.change_person(
                actor=fay, person_id=made.person.id, roles=[], groups=[], active=True
            )

        waiting = self.admit(fay, "cy", "care").waiting
        assert waiting is not None
        found = queries.proposal(actor=fay, proposal_id=waiting.proposal_id)
        assert found.unfillable

    def test_that_ended_is_never_taken_back(self, cast: Cast) -> None:
        with as_owner() as owner, pytest.raises(psycopg.Error):
            owner.execute("DELETE FROM approvals_quorum")


class TestEntrust:
    def test_is_the_way_back_on_the_command_line(self, cast: Cast) -> None:
        call_command("entrust", cast.tenant.slug, cast.email("omar"), "--group", "care")

        assert standing(cast, "omar") == Standing(
            roles=frozenset({Role.OPERATOR, Role.REVIEWER}), groups=frozenset({"care"})
        )
        assert trail.events(cast)[-1]["actor"]["id"] == "cli.entrust"

    def test_knows_no_strangers(self, cast: Cast) -> None:
        with pytest.raises(CommandError, match="no such member"):
            call_command("entrust", cast.tenant.slug, cast.email("mallory"))
        with pytest.raises(CommandError, match="no such organisation"):
            call_command("entrust", "nowhere", cast.email("omar"))


class TestPages:
    def test_say_before_and_after_what_waits(self, cast: Cast) -> None:
        noor, page = cast.client("noor"), f"/people/{cast.members['omar'].id}/"
        before = noor.get(page).content.decode()
        assert before.count("asks two reviewers first") == 4  # the role, two groups, tools
        assert "waits until two reviewers of different groups agree" in before

        sent = {"roles": ["operator", "reviewer"], "groups": ["care"], "active": "1"}
        after = noor.post(page, sent, follow=True).content.decode()

        assert "Two reviewers of different groups are asked about the rest" in after
        assert "Give Omar the role reviewer and the group care" in after
        shown = cast.client("ruth").get(f"/reviews/{asked_about(cast)}/").content.decode()
        assert "Give Omar the role reviewer" in shown
        assert "reviewer" in shown

    def test_add_a_person_who_waits(self, cast: Cast) -> None:
        email = f"vera.{uuid7().hex[-12:]}@meridian.example"
        sent = {"email": email, "name": "Vera", "roles": ["reviewer"], "groups": ["care"]}
        shown = cast.client("noor").post("/people/", sent).content.decode()
        assert "Vera decides nothing yet" in shown


def asked_about(cast: Cast) -> UUID:
    found = consent.waiting(actor=cast.noor, person_id=cast.members["omar"].id)
    assert found is not None
    return found.proposal_id
