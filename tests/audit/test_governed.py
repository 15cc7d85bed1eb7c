"""No change of a governed table without an event: raw SQL, savepoints, shadows."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from audit import direct
from console.kernel.actors import Actor
from console.kernel.schema import Governed
from tests.audit.facts import person
from tests.audit.test_sealing import insert

Login = Callable[[str], "psycopg.Connection[Any]"]
TABLE = "audit_test_governed"
NO_EVENT = "SB001"


@pytest.fixture(scope="module", autouse=True)
def _governed_table(database: None) -> Iterator[None]:
    with direct.connect("owner") as owner:
        owner.execute(f"DROP TABLE IF EXISTS {TABLE}")
        owner.execute(f"CREATE TABLE {TABLE} (tenant_id uuid NOT NULL, n int NOT NULL)")
        owner.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {TABLE} TO signalbox_app")
        owner.execute(str(Governed(TABLE).sql))
    yield
    with direct.connect("owner") as owner:
        owner.execute(f"DROP TABLE {TABLE}")


@pytest.fixture
def app(login: Login) -> "psycopg.Connection[Any]":
    return login("default")


def change(connection: "psycopg.Connection[Any]", actor: Actor, n: int = 1) -> None:
    connection.execute(f"INSERT INTO {TABLE} VALUES (%s, %s)", [actor.tenant_id, n])


def refused() -> Any:
    return pytest.raises(psycopg.Error, match="has no audit event")


class TestRequireEvent:
    def test_lets_a_change_with_its_event_through(
        self, app: "psycopg.Connection[Any]", actor: Actor
    ) -> None:
        with app.transaction():
            change(app, actor)
            insert(app, actor)

    def test_refuses_at_commit_with_a_code_of_its_own(
        self, app: "psycopg.Connection[Any]", actor: Actor
    ) -> None:
        with refused() as caught, app.transaction():
            change(app, actor)
        assert caught.value.sqlstate == NO_EVENT

    @pytest.mark.parametrize("sql", ["UPDATE {} SET n = 2", "DELETE FROM {}"])
    def test_refuses_bulk_changes(
        self, app: "psycopg.Connection[Any]", actor: Actor, sql: str
    ) -> None:
        with app.transaction():
            for n in range(3):
                change(app, actor, n)
            insert(app, actor)
        with refused(), app.transaction():
            app.execute(sql.format(TABLE))

    def test_refuses_an_event_that_a_savepoint_rolled_back(
        self, app: "psycopg.Connection[Any]", actor: Actor
    ) -> None:
        with refused(), app.transaction():
            change(app, actor)
            with app.transaction(force_rollback=True):
                insert(app, actor)

    def test_refuses_it_also_after_the_check_was_made_in_the_savepoint(
        self, app: "psycopg.Connection[Any]", actor: Actor
    ) -> None:
        with refused(), app.transaction():
            change(app, actor)
            with app.transaction(force_rollback=True):
                insert(app, actor)
                app.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def test_refuses_the_event_of_another_tenant(
        self, app: "psycopg.Connection[Any]", actor: Actor
    ) -> None:
        with refused(), app.transaction():
            change(app, actor)
            insert(app, person())

    def test_refuses_the_event_of_another_transaction(
        self, app: "psycopg.Connection[Any]", actor: Actor
    ) -> None:
        with app.transaction():
            insert(app, actor)
        with refused(), app.transaction():
            change(app, actor)

    def test_counts_an_event_that_a_kept_savepoint_holds(
        self, app: "psycopg.Connection[Any]", actor: Actor
    ) -> None:
        with app.transaction():
            change(app, actor)
            with app.transaction():
                insert(app, actor)

    def test_is_not_fooled_by_a_temporary_table(self, login: Login, actor: Actor) -> None:
        """The application may not even make one; a role that may gets nothing from it."""
        owner = login("owner")
        with refused(), owner.transaction():
            owner.execute(
                """CREATE TEMPORARY TABLE audit_event ON COMMIT DROP AS
                   SELECT 1 AS epoch, pg_current_xact_id() AS xid, %s::uuid AS tenant_id""",
                [actor.tenant_id],
            )
            owner.execute("GRANT SELECT ON audit_event TO PUBLIC")
            change(owner, actor)

    def test_refuses_truncate(self, login: Login) -> None:
        with pytest.raises(psycopg.Error, match="rows are only added"):
            login("owner").execute(f"TRUNCATE {TABLE}")

    def test_cannot_be_deferred_away(self, app: "psycopg.Connection[Any]", actor: Actor) -> None:
        with refused(), app.transaction():
            app.execute("SET CONSTRAINTS ALL DEFERRED")
            change(app, actor)

    def test_refuses_an_event_that_only_names_the_tenant(
        self, app: "psycopg.Connection[Any]"
    ) -> None:
        """The scope decides whose event it is, and the row decides whose change it is."""
        one, other = person(), person(tenant_id=uuid4())
        with refused(), app.transaction():
            change(app, one)
            change(app, other)
            insert(app, one)
