"""Continuous verification: in stretches, going on after a restart, and a hit is told."""

import json
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from audit import queries
from audit.patrol import Patrol
from console.kernel.actors import Actor
from tests.audit.facts import log_of, note, person, settle

Login = Callable[[str], "psycopg.Connection[Any]"]


@pytest.fixture
def log(actor: Actor) -> Actor:
    """Return whose log has three heads, each signed, and a tile between them."""
    for count in (10, 290, 40):
        note(actor=actor, n=count)
        settle(actor)
    return actor


def walked(patrol: Patrol, *, most: int) -> list[int]:
    """Take steps until nothing is due; returns how many entries each one had."""
    steps = []
    while count := patrol.step(most=most):
        steps.append(count)
    return steps


class TestStep:
    def test_goes_on_in_another_process_where_it_was(self, log: Actor) -> None:
        only = [log_of(log)]
        first, second = Patrol(only=only), Patrol(only=only)

        newest, whole = (first.step(most=5) for _ in range(2))
        begun = {card.scope: card for card in queries.patrols(actor=log)}
        rest = walked(second, most=5)
        first.close()
        second.close()

        assert (newest, whole) == (10, 10)
        assert {card.finished_at for card in begun.values()} == {None}
        assert sorted(rest) == [40, 40, 290, 290]
        cards = queries.patrols(actor=log)
        assert [card.scope for card in cards] == ["newest", "whole"]
        assert all(card.finished_at for card in cards)
        assert [(card.next_index, card.found) for card in cards] == [(340, 0), (340, 0)]
        assert queries.alarms(actor=log) == ()

    def test_names_a_changed_hash_once_and_takes_the_alarm_back(
        self, log: Actor, login: Login
    ) -> None:
        log_id = log_of(log)
        owner = login("owner")
        owner.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with owner.transaction(force_rollback=True):
            # Of events no trigger can be taken away here: the alarm's own event could not be added.
            owner.execute("ALTER TABLE audit_entry DISABLE TRIGGER append_only")
            owner.execute(
                """UPDATE audit_entry SET leaf_hash = sha256('x')
                    WHERE log_id = %s AND index = 20""",
                [log_id],
            )
            walked(Patrol(owner, only=[log_id]), most=5)
            found = queries.alarms(actor=log)

        (card,) = found
        assert card.code == "log"
        said = [one for one in card.sentences if "audit_entry.leaf_hash" in one]
        assert len(said) == 1
        assert "entry #20" in said[0]
        assert said[0].endswith("Last good checkpoint before it: size 10.")
        assert not any("audit_head" in one for one in card.sentences)

        clean = Patrol(only=[log_id])
        walked(clean, most=1_000)
        clean.close()
        assert queries.alarms(actor=log) == ()
        rows = login("owner").execute(
            "SELECT envelope FROM audit_event WHERE tenant_id = %s ORDER BY id", [log.tenant_id]
        )
        told = [json.loads(bytes(row[0]))["action"] for row in rows.fetchall()]
        assert [action for action in told if action.startswith("log.")] == [
            "log.mismatch",
            "log.agreed",
        ]


class TestPage:
    def test_says_how_far_it_has_come(self, cast: Any) -> None:
        actor = person(tenant_id=cast.tenant_id)
        settle(actor)
        patrol = Patrol(only=[log_of(actor)])
        walked(patrol, most=10_000)
        patrol.close()

        page = cast.client("noor").get("/audit/watch/").content.decode()
        told = cast.client("noor").get("/api/v1/audit/watch").json()

        (newest, whole) = told["patrols"]
        assert (newest["scope"], whole["scope"]) == ("newest", "whole")
        assert (newest["found"], whole["found"]) == (0, 0)
        assert "The whole log" in page
        assert f"#{whole['next_index'] - 1}" in page
