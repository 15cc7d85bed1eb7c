"""A flip of any stored column is found and named. Each is made by a superuser and rolled back."""

import json
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command

from audit.events import Change
from audit.signer import trusted_key
from audit.verification import Verification
from console.kernel.actors import Actor
from tests.audit.facts import found_wrong, log_of, note, person, settle, settle_meta
from tests.audit.test_sealing import insert
from tests.cast import Cast

Login = Callable[[str], "psycopg.Connection[Any]"]
EVENT = "id = (SELECT event_id FROM audit_entry WHERE log_id = %(log)s AND index = 5)"
ENTRY = "log_id = %(log)s AND index = 5"
HEAD = "log_id = %(log)s AND size = 8"
# Another transaction of the same round, by which alone a round could not tell.
NEIGHBOUR = "(SELECT event_xid FROM audit_entry WHERE log_id = %(log)s AND index = 0)"

FLIPS = [
    ("audit_event", "event_uid = gen_random_uuid()", EVENT, "audit_event.event_uid"),
    (
        "audit_event",
        "received_at = received_at + interval '1 microsecond'",
        EVENT,
        "audit_event.received_at",
    ),
    ("audit_event", "received_at = 'infinity'", EVENT, "audit_event.received_at"),
    ("audit_event", "keep = 'long'", EVENT, "audit_event.keep"),
    ("audit_event", "tenant_id = gen_random_uuid()", EVENT, "audit_event.tenant_id"),
    ("audit_event", "envelope = set_byte(envelope, 0, 32)", EVENT, "audit_event.envelope"),
    ("audit_event", "xid = '3'", EVENT, "audit_event.xid"),
    ("audit_event", "xid = '9000000000'", EVENT, "audit_event.xid"),
    ("audit_event", "epoch = epoch + 1", EVENT, "audit_event.epoch"),
    ("audit_event", f"xid = {NEIGHBOUR}", EVENT, "audit_event.xid"),
    ("audit_event", f"xid = {NEIGHBOUR}, keep = 'long'", EVENT, "audit_event.keep"),
    ("audit_event", "id = DEFAULT", EVENT, "audit_event.id"),
    ("audit_event", "id = DEFAULT, epoch = epoch + 1", EVENT, "audit_entry.event_id"),
    ("audit_entry", "event_epoch = event_epoch + 1", ENTRY, "audit_entry.event_epoch"),
    ("audit_entry", "event_xid = '3'", ENTRY, "audit_entry.event_xid"),
    ("audit_entry", "event_xid = '9000000000'", ENTRY, "audit_entry.event_xid"),
    ("audit_entry", "leaf_hash = sha256('x')", ENTRY, "audit_entry.leaf_hash"),
    ("audit_entry", "received_us = received_us - 1", ENTRY, "audit_event.received_at"),
    ("audit_entry", "tenant_id = gen_random_uuid()", ENTRY, "audit_entry.tenant_id"),
    ("audit_entry", "round_no = round_no - 1", ENTRY, "audit_entry.round_no"),
    ("audit_entry", "event_id = -1", ENTRY, "audit_entry.event_id"),
    ("audit_entry", "index = 5000", ENTRY, "index"),
    ("audit_head", "root = sha256('x')", HEAD, "audit_head.root"),
    ("audit_head", "edge = sha256('x')", HEAD, "audit_head.edge"),
    ("audit_head", "sealed_us = sealed_us + 1", HEAD, "audit_head.sealed_us"),
    ("audit_head", "tenant_id = gen_random_uuid()", HEAD, "audit_head.tenant_id"),
    ("audit_head", "round_no = round_no - 1", HEAD, "audit_head.round_no"),
    ("audit_checkpoint", "note = replace(note, '8', '9')", HEAD, "audit_checkpoint.note"),
    ("audit_checkpoint", "root = sha256('x')", HEAD, "audit_checkpoint.root"),
    ("audit_checkpoint", "vkey = vkey || 'x'", HEAD, "audit_checkpoint.root"),
    ("audit_tile", "hashes = set_byte(hashes, 9, 1)", "log_id = %(log)s", "audit_tile.hashes"),
    ("audit_blob", "body = body || ' '", "tenant_id = %(tenant)s", "audit_blob.body"),
    (
        "audit_meta_leaf",
        "leaf = replace(convert_from(leaf, 'UTF8'), '\"v\":1', '\"v\":2')::bytea",
        "log_id = %(log)s",
        "audit_meta_leaf.leaf",
    ),
]  # fmt: skip


INDEXES = """
    SELECT substring(indexdef FROM '\\(.*') FROM pg_indexes WHERE tablename = 'audit_event'
"""


@pytest.fixture
def filled(actor: Actor) -> Actor:
    """Eight entries, a signed head, then enough for a tile, with one part too large for a leaf."""
    note(actor=actor, n=4)
    note(actor=actor, n=4)
    settle(actor)
    big = "x" * 6000
    note(actor=actor, n=256, changes=(Change(path="/text", before=None, after=big),))
    settle(actor)
    settle_meta(actor)
    return actor


class TestRun:
    def test_finds_nothing_wrong_with_an_honest_trail(self, filled: Actor, login: Login) -> None:
        assert found_wrong(login("signer"), filled) == set()

    def test_names_every_flip(self, filled: Actor, login: Login) -> None:
        """One database, one honest trail, every flip on its own."""
        log_id = log_of(filled)
        values = {"log": log_id, "tenant": filled.tenant_id}
        missed = []
        for table, change, where, name in FLIPS:
            with login("owner") as owner, owner.transaction(force_rollback=True):
                owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")
                done = owner.execute(f"UPDATE {table} SET {change} WHERE {where}", values)
                assert done.rowcount, (table, change)
                found = found_wrong(owner, filled)
            if name not in {field for _, field in found}:
                missed.append((table, change, name, found))
        assert missed == []

    def test_names_index_of_a_flip(self, filled: Actor, login: Login) -> None:
        with login("owner") as owner, owner.transaction(force_rollback=True):
            owner.execute("ALTER TABLE audit_event DISABLE TRIGGER append_only")
            owner.execute(
                f"UPDATE audit_event SET keep = 'long' WHERE {EVENT}", {"log": log_of(filled)}
            )
            assert (5, "audit_event.keep") in found_wrong(owner, filled)

    @pytest.mark.parametrize("table", ["audit_event", "audit_entry", "audit_tile", "audit_head"])
    def test_finds_what_was_deleted(self, filled: Actor, login: Login, table: str) -> None:
        with login("owner") as owner, owner.transaction(force_rollback=True):
            owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")
            owner.execute(
                f"DELETE FROM {table} WHERE tenant_id = %s",
                [filled.tenant_id],
            )
            assert found_wrong(owner, filled)

    def test_finds_a_truncated_tail(self, filled: Actor, login: Login) -> None:
        log_id = log_of(filled)
        with login("owner") as owner, owner.transaction(force_rollback=True):
            for table in ("audit_head", "audit_entry", "audit_event"):
                owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")
            owner.execute("DELETE FROM audit_head WHERE log_id = %s AND size > 8", [log_id])
            owner.execute(
                "DELETE FROM audit_event WHERE id IN (SELECT event_id FROM audit_entry "
                "WHERE log_id = %s AND index >= 8)",
                [log_id],
            )
            owner.execute("DELETE FROM audit_entry WHERE log_id = %s AND index >= 8", [log_id])
            found = {field for _, field in found_wrong(owner, filled)}
            assert "audit_checkpoint.size" in found

    def test_finds_two_entries_that_changed_places(self, filled: Actor, login: Login) -> None:
        log_id = log_of(filled)
        with login("owner") as owner, owner.transaction(force_rollback=True):
            owner.execute("ALTER TABLE audit_entry DISABLE TRIGGER append_only")
            for old, new in ((3, 9999), (4, 3), (9999, 4)):
                owner.execute(
                    "UPDATE audit_entry SET index = %s WHERE log_id = %s AND index = %s",
                    [new, log_id, old],
                )
            assert "audit_head.root" in {field for _, field in found_wrong(owner, filled)}

    def test_finds_an_event_that_was_slipped_past_the_sealer(
        self, filled: Actor, login: Login
    ) -> None:
        with login("owner") as owner, owner.transaction(force_rollback=True):
            insert(owner, filled, xid="'4'::xid8")
            assert (None, "audit_event.id") in found_wrong(owner, filled)

    @pytest.mark.parametrize("xid", ["xid", "'9000000000'::xid8"])
    def test_finds_a_second_event_of_one_id(self, filled: Actor, login: Login, xid: str) -> None:
        """In the place of the first, or waiting to be sealed."""
        with login("owner") as owner, owner.transaction(force_rollback=True):
            add_double(owner, filled, xid=xid)
            assert (None, "audit_event.id") in found_wrong(owner, filled)

    def test_does_not_trust_a_key_that_only_the_database_knows(
        self, filled: Actor, login: Login
    ) -> None:
        report = Verification(
            login("signer"), keys=lambda _origin: [], tenant_id=filled.tenant_id
        ).run()
        assert {wrong.field for wrong in report.mismatches} == {"audit_checkpoint.note"}

    def test_finds_rounds_that_do_not_follow_each_other(self, filled: Actor, login: Login) -> None:
        with login("owner") as owner, owner.transaction(force_rollback=True):
            owner.execute("ALTER TABLE audit_round DISABLE TRIGGER append_only")
            owner.execute(
                """UPDATE audit_round SET entry_count = entry_count + 1, sealed_us = 5
                    WHERE round_no = (SELECT max(round_no) FROM audit_round)"""
            )
            report = Verification(owner, keys=_keys).run()
            assert "audit_round.sealed_us" in {wrong.field for wrong in report.mismatches}


class TestOneIndex:
    """The migration of that name."""

    def test_finds_the_places_of_older_entries(self, filled: Actor, login: Login) -> None:
        migration = import_module("audit.migrations.0005_one_index")
        with login("owner") as owner, owner.transaction(force_rollback=True):
            owner.execute(migration.BACK)
            owner.execute(migration.FORWARD)
            assert found_wrong(owner, filled) == set()
            assert owner.execute(INDEXES).fetchall() == [("(epoch, xid, id)",)]
            with pytest.raises(psycopg.DatabaseError, match="only added"):
                owner.execute("UPDATE audit_entry SET event_epoch = 0")


class TestVerifyAudit:
    def test_prints_a_report_and_ends_with_zero(
        self, filled: Actor, capsys: pytest.CaptureFixture[str]
    ) -> None:
        call_command("verify_audit", "--tenant", str(filled.tenant_id), "--json")
        report = json.loads(capsys.readouterr().out)

        assert report["holds"] is True
        assert (report["logs"], report["entries"], report["mismatches"]) == (1, 264, [])
        assert report["tiles"] == 1
        assert report["checkpoints"] == 2

    def test_ends_with_one_when_a_key_is_not_trusted(
        self, filled: Actor, settings: Any, tmp_path: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        settings.SIGNALBOX_SIGNER_DIR = tmp_path
        with pytest.raises(SystemExit) as ended:
            call_command("verify_audit", "--tenant", str(filled.tenant_id))
        assert ended.value.code == 1
        assert f"MISMATCH tenant {filled.tenant_id} #7 audit_checkpoint.note" in (
            capsys.readouterr().out
        )

    def test_finds_a_tenant_by_its_slug(
        self, cast: Cast, capsys: pytest.CaptureFixture[str]
    ) -> None:
        settle(cast.noor)
        call_command("verify_audit", "--tenant", cast.tenant.slug, "--json")
        assert json.loads(capsys.readouterr().out)["entries"] >= 5

    def test_takes_keys_from_the_command_line(
        self, filled: Actor, login: Login, settings: Any, tmp_path: Any
    ) -> None:
        query = "SELECT vkey FROM audit_checkpoint WHERE tenant_id = %s LIMIT 1"
        row = login("owner").execute(query, [filled.tenant_id]).fetchone()
        assert row is not None
        settings.SIGNALBOX_SIGNER_DIR = tmp_path
        call_command("verify_audit", "--tenant", str(filled.tenant_id), "--key", row[0])

    @pytest.mark.parametrize("arguments", [["--tenant", "no-such-slug"], ["--key", "nonsense"]])
    def test_says_what_is_wrong_with_its_arguments(self, arguments: list[str]) -> None:
        with pytest.raises(CommandError):
            call_command("verify_audit", *arguments)

    def test_runs_as_a_program(self) -> None:
        done = subprocess.run(
            [sys.executable, "manage.py", "verify_audit", "--tenant", str(person().tenant_id)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "0 entries" in done.stdout


def add_double(connection: "psycopg.Connection[Any]", actor: Actor, *, xid: str) -> None:
    """Give the sixth event's id to another event too, as only the owner can."""
    connection.execute("SELECT set_config('signalbox.tenant_id', %s, true)", [str(actor.tenant_id)])
    connection.execute(
        f"""INSERT INTO audit_event (id, epoch, xid, tenant_id, event_uid, keep, envelope)
            OVERRIDING SYSTEM VALUE SELECT id, epoch, {xid}, tenant_id, event_uid, keep, '{{}}'
              FROM audit_event WHERE {EVENT}""",
        {"log": log_of(actor)},
    )


def _keys(origin: str) -> list[Any]:
    own = trusted_key(origin)
    return [own] if own else []
