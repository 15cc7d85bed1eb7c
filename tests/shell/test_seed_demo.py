"""The demo's data: written once, signed in to with the printed passwords."""

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client, override_settings

from agents.showcase.retail import queries as shelves
from approvals import queries as approvals
from approvals.policies import evaluate
from approvals.states import PolicyState, Says
from console.accounts import queries
from console.accounts.errors import AlreadyThere
from console.kernel.actors import system
from console.kernel.ids import uuid7
from console.shell.management.commands import seed_demo
from console.shell.management.demo import HARBOUR, MERIDIAN, DemoTenant
from console.shell.management.rules import BODY
from console.shell.queries import home
from console.widget import queries as widget
from tests.approvals.policies.rules import active, call
from tests.cast import HOST, signed_in
from tests.shell.test_home import seal_all


def renamed(tenant: DemoTenant) -> DemoTenant:
    """Return the tenant under names of its own: the tests' database is never empty."""
    mark = uuid7().hex[-12:]
    return replace(tenant, slug=f"{tenant.slug}-{mark}", domain=f"{mark}.example")


def told(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


class TestWrite:
    def test_gives_a_shop_with_agent_people_and_chat(self) -> None:
        demo = renamed(MERIDIAN)

        keeper = system("tests", seed_demo.write(demo))

        people = {card.name: card for card in queries.people(actor=keeper)}
        assert set(people) == {"Ruth", "Ines", "Omar", "Noor", "Dana"}
        assert (people["Ruth"].groups, people["Ines"].groups) == (("care",), ("finance",))
        assert shelves.is_seeded(actor=keeper)
        assert [key.agent for key in widget.keys(actor=keeper)] == ["support"]

    def test_leaves_every_first_step_to_the_newcomer(self, settings: Any) -> None:
        settings.DEMO = True
        keeper = system("tests", seed_demo.write(renamed(MERIDIAN)))

        seal_all()
        omar = next(card for card in queries.people(actor=keeper) if card.name == "Omar")

        steps = home(actor=signed_in(keeper.tenant_id, omar)).steps
        assert len(steps) == 4
        assert [step.title for step in steps if step.done_at] == []

    def test_gives_rules_that_two_of_its_people_agreed_to(self) -> None:
        keeper = system("tests", seed_demo.write(renamed(MERIDIAN)))

        (version,) = approvals.policy_versions(actor=keeper)
        assert version.state is PolicyState.ACTIVE
        assert version.activated_by is not None
        agreed = approvals.agreed_by(actor=keeper, proposal_ids=[version.activated_by])
        assert sorted(agreed[version.activated_by].names) == ["Ines", "Ruth"]
        assert {one.tool.name: one.says for one in approvals.coverage(actor=keeper)}[
            "cancel_pending_order"
        ] is Says.HOLD
        assert all(card.sessions == 0 for card in queries.people(actor=keeper))

    @pytest.mark.parametrize(
        ("tool", "tier", "paid", "says", "people"),
        [
            ("return_delivered_order_items", 1, "500.01", Says.HOLD, 2),
            ("return_delivered_order_items", 1, "500.00", Says.HOLD, 1),
            ("return_delivered_order_items", 1, "50.00", Says.ALLOW, 1),
            ("exchange_delivered_order_items", 1, "900.00", Says.HOLD, 2),
            ("modify_user_address", 1, "9.00", Says.HOLD, 1),
            ("cancel_pending_order", 2, "9.00", Says.HOLD, 2),
        ],
    )
    def test_its_rules_ask_what_they_say(
        self, tool: str, tier: int, paid: str, says: Says, people: int
    ) -> None:
        order = {"payment_history": [{"amount": paid}]}
        facts = call(tool=tool, tier=tier, args={}, before={"orders": {"#W1": order}})
        verdict = evaluate(facts, [active(*BODY["rules"], name="shop-writes")], {})
        assert verdict.says is says
        assert verdict.requirement is not None
        assert verdict.requirement.people == people

    def test_the_printed_passwords_open_the_door(self) -> None:
        demo = renamed(HARBOUR)
        seed_demo.write(demo)
        person = demo.people[0]

        answer = Client(SERVER_NAME=HOST).post(
            "/sign-in/", {"email": person.email(demo.domain), "password": person.password}
        )

        assert answer.status_code == 302

    def test_a_second_time_changes_nothing(self) -> None:
        demo = renamed(HARBOUR)
        keeper = system("tests", seed_demo.write(demo))

        with pytest.raises(AlreadyThere):
            seed_demo.write(demo)

        assert len(queries.people(actor=keeper)) == 1


class TestCommand:
    def test_leaves_a_database_in_use_alone(self, cast: Any) -> None:
        before = len(queries.tenants(actor=queries.DOOR))

        assert "nothing was written" in told("seed_demo")

        assert len(queries.tenants(actor=queries.DOOR)) == before
        assert cast

    def test_is_refused_in_production(self) -> None:
        with override_settings(ENVIRONMENT="production"), pytest.raises(CommandError):
            told("seed_demo")


class TestDemoPeople:
    def test_answers_programs_in_json(self) -> None:
        people = json.loads(told("demo_people", "--json"))

        assert all({"email", "roles", "password"} <= set(person) for person in people)
