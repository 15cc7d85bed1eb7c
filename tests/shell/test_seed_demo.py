"""The demo's data: written once, signed in to with the printed passwords."""

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client, override_settings

from agents.showcase.retail import queries as shelves
from console.accounts import queries
from console.accounts.errors import AlreadyThere
from console.kernel.actors import system
from console.kernel.ids import uuid7
from console.shell.management.commands import seed_demo
from console.shell.management.demo import HARBOUR, MERIDIAN, DemoTenant
from console.widget import queries as widget
from tests.cast import HOST


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
