"""The search table agrees with the entries, or is made to, and somebody is told."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from audit import alarms, direct, queries
from audit.projection import Parity, Repair
from audit.search import Search
from console.kernel.actors import Actor
from tests.audit.facts import note, settle

Login = Callable[[str], "psycopg.Connection[Any]"]


def compare(actor: Actor) -> list[Repair]:
    with direct.connect("sealer") as session:
        found = Parity().run(session, only=actor.tenant_id)
    alarms.tell_of_search(found.repairs, in_order=found.in_order)
    return list(found.repairs)


def rows(login: Login, actor: Actor) -> list[Any]:
    owner = login("owner")
    search = "SELECT * FROM audit_search WHERE tenant_id = %s ORDER BY index"
    facets = "SELECT * FROM audit_facet_day WHERE tenant_id = %s ORDER BY facet, day, kind, value"
    return [*owner.execute(search, [actor.tenant_id]), *owner.execute(facets, [actor.tenant_id])]


@pytest.fixture
def filled(actor: Actor) -> Actor:
    note(actor=actor, n=5, text='Charged twice, it\'s odd \\ and "quoted"')
    settle(actor)
    return actor


class TestParity:
    def test_finds_nothing_in_a_table_that_agrees(self, filled: Actor, login: Login) -> None:
        before = rows(login, filled)
        assert compare(filled) == []
        assert rows(login, filled) == before
        assert queries.alarms(actor=filled) == ()

    @pytest.mark.parametrize(
        ("harm", "missing", "altered", "added"),
        [
            ("DELETE FROM audit_search WHERE tenant_id = %s AND index IN (0, 3)", 2, 0, 0),
            ("UPDATE audit_search SET action = 'x.y' WHERE tenant_id = %s AND index = 4", 0, 1, 0),
            ("UPDATE audit_search SET words = '' WHERE tenant_id = %s AND index = 2", 0, 1, 0),
            ("UPDATE audit_search SET event_id = 0 WHERE tenant_id = %s AND index = 2", 0, 1, 0),
            ("UPDATE audit_facet_day SET count = 9 WHERE tenant_id = %s", 0, 0, 0),
        ],
    )
    def test_repairs_and_tells(
        self, filled: Actor, login: Login, harm: str, missing: int, altered: int, added: int
    ) -> None:
        before = rows(login, filled)
        login("sealer").execute(harm, [filled.tenant_id])
        assert rows(login, filled) != before

        (repair,) = compare(filled)
        assert (repair.missing, repair.altered, repair.added) == (missing, altered, added)
        assert rows(login, filled) == before
        (alarm,) = queries.alarms(actor=filled)
        assert (alarm.code, "repaired" in alarm.sentences[0]) == ("search", True)
        settle(filled)
        told = queries.entries(actor=filled, search=Search.of("action:audit.search_repaired"))
        assert len(told.entries) == 1

        assert compare(filled) == []
        assert queries.alarms(actor=filled) == ()
