"""The attack table: what the application's own login can do to the trail, on a real database."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors

from audit import guards
from console.kernel.actors import Actor
from tests.audit.facts import found_wrong, note, person, settle
from tests.audit.test_sealing import insert

Login = Callable[[str], "psycopg.Connection[Any]"]
DENIED = errors.InsufficientPrivilege
TABLES = (
    "audit_event", "audit_blob", "audit_log", "audit_round", "audit_entry", "audit_meta_leaf",
    "audit_tile", "audit_head", "audit_checkpoint", "audit_epoch",
)  # fmt: skip
GRANT_ALL = "signalbox_test_all"


def in_scope(connection: "psycopg.Connection[Any]", actor: Actor) -> None:
    connection.execute(
        "SELECT set_config('signalbox.tenant_id', %s, false)", [str(actor.tenant_id)]
    )


@pytest.fixture
def app(login: Login, actor: Actor) -> "psycopg.Connection[Any]":
    note(actor=actor)
    settle(actor)
    connection = login("default")
    in_scope(connection, actor)
    return connection


@pytest.fixture
def powerful(login: Login, actor: Actor) -> Iterator["psycopg.Connection[Any]"]:
    """A role with GRANT ALL on everything, which is not the owner; gone when the test is over."""
    note(actor=actor)
    settle(actor)
    owner = login("owner")
    with owner.transaction(force_rollback=True):
        owner.execute(f"CREATE ROLE {GRANT_ALL} NOLOGIN")
        owner.execute(f"GRANT USAGE ON SCHEMA public TO {GRANT_ALL}")
        owner.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {GRANT_ALL}")
        owner.execute(f"SET LOCAL ROLE {GRANT_ALL}")
        owner.execute("SELECT set_config('signalbox.tenant_id', %s, true)", [str(actor.tenant_id)])
        yield owner


class TestApplication:
    @pytest.mark.parametrize("table", TABLES)
    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE {} SET ctid = ctid",
            "DELETE FROM {}",
            "TRUNCATE {}",
            "MERGE INTO {} t USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE",
            "ALTER TABLE {} DISABLE TRIGGER ALL",
            "ALTER TABLE {} NO FORCE ROW LEVEL SECURITY",
            "CREATE RULE r AS ON INSERT TO {} DO INSTEAD NOTHING",
            "CREATE TRIGGER t BEFORE INSERT ON {} EXECUTE FUNCTION kernel_refuse_change()",
            "DROP TABLE {}",
        ],
    )
    def test_can_change_nothing(self, app: "psycopg.Connection[Any]", table: str, sql: str) -> None:
        statement = sql.format(table).replace("SET ctid = ctid", f"SET {COLUMN[table]} = NULL")
        with pytest.raises(DENIED):
            app.execute(statement)

    @pytest.mark.parametrize(
        ("column", "value"),
        [("xid", "'3'"), ("epoch", "7"), ("received_at", "now()"), ("id", "1")],
    )
    def test_cannot_forge_what_the_database_fills(
        self, app: "psycopg.Connection[Any]", actor: Actor, column: str, value: str
    ) -> None:
        with pytest.raises((DENIED, errors.GeneratedAlways)):
            app.execute(
                f"""INSERT INTO audit_event (tenant_id, event_uid, keep, envelope, {column})
                    VALUES ('{actor.tenant_id}', '{uuid4()}', 'standard', '{{}}', {value})"""
            )

    @pytest.mark.parametrize(
        ("keep", "length", "policy"),
        [("forever", 2, "keep_known"), ("standard", 16_357, "fits_a_leaf")],
    )
    def test_cannot_write_what_no_leaf_holds(
        self, app: "psycopg.Connection[Any]", actor: Actor, keep: str, length: int, policy: str
    ) -> None:
        app.execute("SELECT set_config('signalbox.tenant_id', %s, false)", [str(actor.tenant_id)])
        with pytest.raises(DENIED, match=policy):
            app.execute(
                """INSERT INTO audit_event (tenant_id, event_uid, keep, envelope)
                   VALUES (%s, gen_random_uuid(), %s, %s)""",
                [actor.tenant_id, keep, b"x" * length],
            )

    def test_cannot_forge_by_copy(self, app: "psycopg.Connection[Any]") -> None:
        sql = "COPY audit_event (tenant_id, xid) FROM STDIN"
        refused = pytest.raises((DENIED, errors.FeatureNotSupported))
        with refused, app.cursor() as cursor, cursor.copy(sql) as copy:
            copy.write_row((str(uuid4()), "3"))

    @pytest.mark.parametrize(
        "table", ["audit_entry", "audit_head", "audit_tile", "audit_log", "audit_round",
                  "audit_checkpoint", "audit_meta_leaf", "audit_epoch", "audit_search"]
    )  # fmt: skip
    def test_writes_events_only(self, app: "psycopg.Connection[Any]", table: str) -> None:
        with pytest.raises(DENIED):
            app.execute(f"INSERT INTO {table} SELECT * FROM {table}")

    def test_cannot_write_for_another_tenant(
        self, app: "psycopg.Connection[Any]", actor: Actor
    ) -> None:
        for scope in ("", str(actor.tenant_id), str(actor.tenant_id).upper()):
            app.execute("SELECT set_config('signalbox.tenant_id', %s, false)", [scope])
            with pytest.raises(DENIED, match="row-level security"):
                app.execute(
                    """INSERT INTO audit_event (tenant_id, event_uid, keep, envelope)
                       VALUES (gen_random_uuid(), gen_random_uuid(), 'standard', '{}')"""
                )

    @pytest.mark.parametrize("table", [*TABLES[:3], *TABLES[4:9], "audit_search"])
    def test_sees_no_other_tenant(self, app: "psycopg.Connection[Any]", table: str) -> None:
        in_scope(app, person())
        rows = app.execute(f"SELECT count(*) FROM {table}").fetchone()
        assert rows == (0,)

    def test_does_not_see_how_much_others_write(self, app: "psycopg.Connection[Any]") -> None:
        with pytest.raises(DENIED):
            app.execute("SELECT entry_count FROM audit_round")

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT setval('audit_event_id_seq', 1)",
            "SELECT nextval('audit_event_id_seq')",
            "SET session_replication_role = replica",
            "SET ROLE signalbox_sealer",
            "SET ROLE signalbox_signer",
            "SET ROLE postgres",
            "ALTER TABLE audit_event ALTER epoch SET DEFAULT 9",
            "CREATE TEMPORARY TABLE audit_event (n int)",
            "CREATE TABLE public.audit_event2 (n int)",
            "ALTER FUNCTION audit_require_event() RENAME TO other",
        ],
    )
    def test_cannot_step_round(self, app: "psycopg.Connection[Any]", sql: str) -> None:
        with pytest.raises((DENIED, errors.InsufficientPrivilege)):
            app.execute(sql)

    def test_can_do_the_one_thing_it_is_for(
        self, app: "psycopg.Connection[Any]", actor: Actor
    ) -> None:
        with app.transaction():
            insert(app, actor)


class TestPowerfulRole:
    """GRANT ALL by mistake: the triggers and policies still hold, as the design's table says."""

    @pytest.mark.parametrize("table", TABLES)
    def test_is_refused_by_triggers(self, powerful: "psycopg.Connection[Any]", table: str) -> None:
        seen = powerful.execute(f"SELECT count(*) FROM {table}").fetchone()
        assert seen is not None
        sqls = [f"TRUNCATE {table}"]
        if seen[0]:
            sqls += [
                f"DELETE FROM {table}",
                f"UPDATE {table} SET {COLUMN[table]} = {COLUMN[table]}",
                f"MERGE INTO {table} t USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE",
            ]
        for sql in sqls:
            # A policy may come first: MERGE says so where UPDATE just finds no row.
            refused = "only added|row-level security" if sql.startswith("MERGE") else "only added"
            with pytest.raises(psycopg.Error, match=refused), powerful.transaction():
                powerful.execute(sql)

    def test_is_bound_by_policies(self, powerful: "psycopg.Connection[Any]") -> None:
        with pytest.raises(DENIED, match="row-level security"), powerful.transaction():
            powerful.execute(
                """INSERT INTO audit_event (tenant_id, event_uid, keep, envelope)
                   VALUES (gen_random_uuid(), gen_random_uuid(), 'standard', '{}')"""
            )

    @pytest.mark.parametrize(
        "sql",
        [
            "ALTER TABLE audit_event DISABLE TRIGGER ALL",
            "SET session_replication_role = replica",
            "DROP TABLE audit_event",
        ],
    )
    def test_cannot_take_the_guards_away(
        self, powerful: "psycopg.Connection[Any]", sql: str
    ) -> None:
        with pytest.raises(DENIED), powerful.transaction():
            powerful.execute(sql)

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT setval('audit_event_id_seq', 1)",
            "SELECT nextval('audit_event_id_seq')",
            "CREATE RULE r AS ON INSERT TO audit_event DO INSTEAD NOTHING",
            "ALTER TABLE audit_event ALTER epoch SET DEFAULT 9",
            "ALTER TABLE audit_event NO FORCE ROW LEVEL SECURITY",
            "CREATE POLICY mine ON audit_event USING (true)",
            "ALTER FUNCTION kernel_refuse_change() RENAME TO other",
        ],
    )
    def test_cannot_change_what_the_table_is(
        self, powerful: "psycopg.Connection[Any]", sql: str
    ) -> None:
        with pytest.raises(DENIED), powerful.transaction():
            powerful.execute(sql)

    @pytest.mark.parametrize("way", ["INSERT", "COPY"])
    def test_can_forge_a_transaction_which_is_never_sealed_and_found(
        self, powerful: "psycopg.Connection[Any]", actor: Actor, way: str
    ) -> None:
        """The cell of the table that works: the sealer never comes by, verification does."""
        row = (actor.tenant_id, uuid4(), "standard", b"{}", "3")
        columns = "audit_event (tenant_id, event_uid, keep, envelope, xid)"
        # Row-level security refuses COPY to whom it binds, whatever was granted.
        with powerful.transaction(force_rollback=True):
            if way == "COPY":
                refused = pytest.raises(errors.FeatureNotSupported)
                with refused, powerful.cursor().copy(f"COPY {columns} FROM STDIN") as copy:
                    copy.write_row(row)
                return
            powerful.execute(f"INSERT INTO {columns} VALUES (%s, %s, %s, %s, %s::xid8)", row)
            powerful.execute("RESET ROLE")
            found = found_wrong(powerful, actor)
            powerful.execute(f"SET LOCAL ROLE {GRANT_ALL}")
        assert (None, "audit_event.id") in found

    def test_can_add_a_trigger_which_the_self_check_names_with_the_grant(
        self, powerful: "psycopg.Connection[Any]"
    ) -> None:
        powerful.execute(
            "CREATE TRIGGER mine BEFORE INSERT ON audit_event EXECUTE FUNCTION "
            "suppress_redundant_updates_trigger()"
        )
        powerful.execute("RESET ROLE")
        said = [drift.sentence for drift in guards.look(powerful, login="signalbox_app")]
        assert "There is a trigger mine on audit_event that is not the product's." in said
        assert any(one.startswith(f"The role {GRANT_ALL}, which is none of") for one in said)


class TestSuperuser:
    def test_is_refused_even_in_replica_mode(self, login: Login, actor: Actor) -> None:
        note(actor=actor)
        with login("owner") as owner, owner.transaction(force_rollback=True):
            owner.execute("SET LOCAL session_replication_role = replica")
            for sql in ("DELETE FROM audit_event", "TRUNCATE audit_event"):
                with pytest.raises(psycopg.Error, match="only added"), owner.transaction():
                    owner.execute(sql)


class TestSealerAndSigner:
    def test_cannot_do_each_others_work(self, login: Login) -> None:
        for alias, table in (
            ("sealer", "audit_event"),
            ("sealer", "audit_checkpoint"),
            ("signer", "audit_event"),
            ("signer", "audit_entry"),
            ("signer", "audit_head"),
        ):
            column = COLUMN[table]
            with pytest.raises(DENIED):
                login(alias).execute(f"INSERT INTO {table} ({column}) SELECT {column} FROM {table}")

    def test_cannot_rewrite_their_own(self, login: Login) -> None:
        for alias, table in (("sealer", "audit_entry"), ("signer", "audit_checkpoint")):
            with pytest.raises(DENIED):
                login(alias).execute(f"DELETE FROM {table}")

    @pytest.mark.parametrize("alias", ["sealer", "signer"])
    def test_cannot_step_round(self, login: Login, alias: str) -> None:
        connection = login(alias)
        for sql in (
            "TRUNCATE audit_entry",
            "TRUNCATE audit_event",
            "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
            "SET session_replication_role = replica",
            "SET ROLE signalbox_app",
            "SET ROLE postgres",
            "CREATE TEMPORARY TABLE audit_event (n int)",
            "CREATE TABLE public.audit_event2 (n int)",
            "SELECT setval('audit_event_id_seq', 1)",
            "UPDATE audit_epoch SET epoch = 9",
        ):
            with pytest.raises(DENIED), connection.transaction():
                connection.execute(sql)


COLUMN = {
    "audit_event": "keep", "audit_blob": "body", "audit_log": "origin", "audit_round": "epoch",
    "audit_entry": "leaf_hash", "audit_meta_leaf": "leaf", "audit_tile": "hashes",
    "audit_head": "root", "audit_checkpoint": "note", "audit_epoch": "reason",
}  # fmt: skip
