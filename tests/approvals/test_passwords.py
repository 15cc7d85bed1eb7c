"""A password that somebody else set opens the door, and behind it there is no vote."""

from uuid import UUID

import pytest
from django.urls import reverse

from approvals import commands, queries
from approvals.states import ProposalState
from console.accounts import commands as accounts
from console.accounts import queries as members
from console.accounts.cards import NewPerson, Standing
from console.accounts.states import Role
from console.kernel.errors import ConsoleError
from tests.accounts.trail import actions
from tests.approvals import desk
from tests.approvals.desk import approve, opened
from tests.approvals.lent import instead, lend
from tests.approvals.test_entrusting import standing
from tests.cast import Cast, signed_in


@pytest.fixture
def third(cast: Cast) -> str:
    """Return somebody more who decides, so that two are left who can agree."""
    cast.add("third", roles=("reviewer", "operator"), groups=("care",))
    return "third"


def reset(cast: Cast, name: str) -> NewPerson:
    return accounts.reset_password(actor=cast.noor, person_id=cast.members[name].id)


class TestResetPassword:
    def test_takes_the_say_and_nothing_else(self, cast: Cast, third: str) -> None:
        made = reset(cast, third)
        assert standing(cast, third) == Standing(roles=frozenset({Role.OPERATOR}))
        assert made.waiting is not None
        assert made.waiting.title == "Give Third the role reviewer and the group care"
        assert "person.password_reset" in actions(cast)

    def test_lets_whoever_knows_it_in_and_decide_nothing(self, cast: Cast, third: str) -> None:
        card = opened(cast)
        reset(cast, third)
        person = members.person_card(actor=cast.noor, person_id=cast.members[third].id)
        intruder = signed_in(cast.tenant_id, person)
        with pytest.raises(ConsoleError) as error:
            approve(card, intruder)
        assert error.value.code == "vote.not_eligible"

    def test_takes_back_what_they_approved_and_has_not_run(self, cast: Cast, third: str) -> None:
        card = opened(cast)
        approve(card, cast.members[third].actor)
        reset(cast, third)
        assert desk.claim(cast, card).code == "proposal.reopened"

    def test_gives_it_back_by_the_word_of_two_others(self, cast: Cast, third: str) -> None:
        made = reset(cast, third)
        assert made.waiting is not None
        detail = queries.proposal(actor=cast.ruth, proposal_id=made.waiting.proposal_id)
        assert detail.facts.tool_summary.startswith("Noor set this person's password at ")
        assert "face to face or by phone" in detail.facts.tool_summary
        chain = {(one.role.value, one.label) for one in detail.principals}
        assert chain == {("starter", "Noor"), ("subject", "Third")}
        approve(detail.card, cast.ruth)
        approve(detail.card, cast.ines)
        commands.carry_out(actor=cast.system, proposal_id=detail.card.id)
        assert standing(cast, third).roles == {Role.REVIEWER, Role.OPERATOR}
        assert standing(cast, third).groups == {"care"}

    def test_asks_anew_what_people_were_asked_before(self, cast: Cast) -> None:
        """Whoever agreed to a say did not know of a password that was set later."""
        asked = accounts.change_person(
            actor=cast.noor,
            person_id=cast.members["omar"].id,
            roles=["operator", "reviewer"],
            groups=[],
            active=True,
        )
        assert asked.waiting is not None
        before = queries.proposal(actor=cast.ruth, proposal_id=asked.waiting.proposal_id).card
        approve(before, cast.ruth)
        made = reset(cast, "omar")
        assert made.waiting is not None
        assert made.waiting.proposal_id != before.id
        now = queries.proposal(actor=cast.ruth, proposal_id=before.id).card
        assert now.state is ProposalState.SUPERSEDED
        again = queries.proposal(actor=cast.ruth, proposal_id=made.waiting.proposal_id)
        assert again.given is None  # nobody has agreed to the new one

    def test_is_in_what_people_vote_on(self, cast: Cast, third: str) -> None:
        made = reset(cast, third)
        assert made.waiting is not None
        detail = queries.proposal(actor=cast.ruth, proposal_id=made.waiting.proposal_id)
        [person] = detail.content.before["people"].values()
        assert person["password"].startswith("set by Noor, ")

    def test_of_who_decides_nothing_asks_nobody(self, cast: Cast) -> None:
        assert reset(cast, "omar").waiting is None
        assert standing(cast, "omar").roles == {Role.OPERATOR}

    def test_locks_no_administrator_out(self, cast: Cast, third: str) -> None:
        del third
        cast.add("boss", roles=("admin", "reviewer"), groups=("finance",))
        assert reset(cast, "boss").waiting is not None
        assert standing(cast, "boss").roles == {Role.ADMIN}

    def test_on_the_command_line_takes_nothing(self, cast: Cast, third: str) -> None:
        """It is the way back when too few are left to agree, with `manage.py entrust`."""
        found = accounts.reset_password(actor=cast.system, person_id=cast.members[third].id)
        assert found.waiting is None
        assert Role.REVIEWER in standing(cast, third).roles

    def test_ends_what_was_lent_to_others(self, cast: Cast, third: str) -> None:
        """A place that one may not fill any more is filled by nobody in one's stead."""
        giver = cast.members[third].actor
        card = opened(cast, tier=2)
        lend(giver, cast.ines)
        reset(cast, third)
        with pytest.raises(ConsoleError):
            instead(card, cast.ines, giver)

    def test_is_over_with_an_own_password_only_for_the_door(self, cast: Cast, third: str) -> None:
        """Who signed in with it can choose another one: so that gives nothing back."""
        made = reset(cast, third)
        person = members.person_card(actor=cast.noor, person_id=cast.members[third].id)
        session = signed_in(cast.tenant_id, person)
        accounts.change_password(
            actor=session, current=made.password, new="another levers and bells 9"
        )
        assert Role.REVIEWER not in standing(cast, third).roles
        found = members.password_of_another(actor=cast.noor, person_id=UUID(session.id))
        assert found is not None
        assert found.by == "Noor"


class TestAdmitPerson:
    def test_says_who_knows_the_first_password(self, cast: Cast) -> None:
        made = accounts.admit_person(
            actor=cast.noor,
            email="new.reviewer@meridian.example",
            name="Newcomer",
            roles=["reviewer"],
            groups=["care"],
        )
        assert made.waiting is not None
        detail = queries.proposal(actor=cast.ruth, proposal_id=made.waiting.proposal_id)
        assert detail.facts.tool_summary.startswith("Noor set this person's password at ")


class TestPage:
    def test_says_it_before_and_after(self, cast: Cast, third: str) -> None:
        noor = cast.client("noor")
        address = reverse("accounts:person", args=[cast.members[third].id])
        assert "decides nothing from then on" in noor.get(address).content.decode()
        done = noor.post(reverse("accounts:reset-password", args=[cast.members[third].id]))
        page = done.content.decode()
        assert "decides nothing until two reviewers agree" in page
        omar = reverse("accounts:person", args=[cast.members["omar"].id])
        assert "decides nothing from then on" not in noor.get(omar).content.decode()
