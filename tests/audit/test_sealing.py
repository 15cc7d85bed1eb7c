"""Seal rounds on a real database: everything once, in order, and only when it is safe."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg import IsolationLevel

from audit import merkle
from audit.errors import CannotSeal, RollbackDetected
from audit.sealing import LOCK, Sealer
from console.kernel.actors import Actor
from tests.audit.facts import log_of, note, person, seal, sign

Login = Callable[[str], "psycopg.Connection[Any]"]


def entries_of(login: Login, actor: Actor) -> list[tuple[int, bytes]]:
    query = "SELECT index, leaf_hash FROM audit_entry WHERE tenant_id = %s ORDER BY index"
    return login("owner").execute(query, [actor.tenant_id]).fetchall()


def newest_head(login: Login, actor: Actor) -> tuple[int, bytes]:
    row = (
        login("owner")
        .execute(
            "SELECT size, root FROM audit_head WHERE log_id = %s ORDER BY size DESC LIMIT 1",
            [log_of(actor)],
        )
        .fetchone()
    )
    assert row is not None
    return row[0], bytes(row[1])


class TestRunRound:
    def test_gives_committed_events_indexes_without_gaps(self, actor: Actor, login: Login) -> None:
        receipts = [*note(actor=actor, n=3)]
        seal()
        receipts += note(actor=actor, n=2)
        seal()

        found = entries_of(login, actor)
        assert [index for index, _ in found] == [0, 1, 2, 3, 4]
        assert [hash_ for _, hash_ in found] == [receipt.leaf_hash for receipt in receipts]

    def test_writes_a_head_that_the_leaves_lead_to(self, actor: Actor, login: Login) -> None:
        note(actor=actor, n=7)
        seal()
        note(actor=actor, n=300)
        seal()

        leaves = [leaf for _, leaf in entries_of(login, actor)]
        assert newest_head(login, actor) == (307, merkle.root(leaves))

    def test_stores_full_tiles_across_rounds(self, actor: Actor, login: Login) -> None:
        for count in (100, 200, 1, 300):
            note(actor=actor, n=count)
            seal()

        leaves = [leaf for _, leaf in entries_of(login, actor)]
        query = "SELECT number, hashes FROM audit_tile WHERE log_id = %s AND level = 0 ORDER BY 1"
        tiles = login("owner").execute(query, [log_of(actor)]).fetchall()
        expected = [(n, b"".join(leaves[n * 256 : n * 256 + 256])) for n in (0, 1)]
        assert [(number, bytes(hashes)) for number, hashes in tiles] == expected

    def test_stores_tiles_of_the_second_level(self, login: Login) -> None:
        """Seals 65,792 made-up events in one transaction that is rolled back afterwards."""
        seal()
        tenant = person().tenant_id
        with login("owner") as owner:
            owner.isolation_level = IsolationLevel.REPEATABLE_READ
            with owner.transaction(force_rollback=True):
                owner.execute(
                    """INSERT INTO audit_event (xid, tenant_id, event_uid, keep, envelope)
                       SELECT '3', %s, gen_random_uuid(), 'standard', '{}'
                         FROM generate_series(1, 65792)""",
                    [tenant],
                )
                owner.execute(
                    "INSERT INTO audit_epoch (epoch, system_identifier, reason) "
                    "SELECT max(epoch) + 1, max(system_identifier), 'test' FROM audit_epoch"
                )
                sealer = Sealer(owner)
                card = sealer.run_round()
                assert card is not None
                assert card.entry_count == 65792
                leaves = owner.execute(
                    "SELECT leaf_hash FROM audit_entry WHERE tenant_id = %s ORDER BY index",
                    [tenant],
                ).fetchall()
                first = [bytes(leaf) for (leaf,) in leaves]
                row = owner.execute(
                    "SELECT hashes FROM audit_tile WHERE tenant_id = %s AND level = 1", [tenant]
                ).fetchone()
                roots = [merkle.root(first[n : n + 256]) for n in range(0, 65536, 256)]
                assert row is not None
                assert bytes(row[0]) == b"".join(roots)

    def test_leaves_out_what_is_rolled_back(self, actor: Actor, login: Login) -> None:
        app = login("default")
        insert_event(app, actor, commit=False)
        note(actor=actor)
        seal()

        assert len(entries_of(login, actor)) == 1

    def test_takes_a_late_committer_once_and_does_not_wait_for_it(
        self, actor: Actor, login: Login
    ) -> None:
        late = login("default")
        with late.transaction():
            insert(late, actor)
            note(actor=actor, n=2)
            seal()
            assert len(entries_of(login, actor)) == 2
        seal()
        seal()
        assert [index for index, _ in entries_of(login, actor)] == [0, 1, 2]

    def test_writes_no_round_when_nothing_happened(self, login: Login) -> None:
        query = "SELECT max(round_no), coalesce(max(round_no) FILTER (WHERE entry_count > 0), 0)"
        seal()
        before = login("owner").execute(f"{query} FROM audit_round").fetchone()
        seal()
        after = login("owner").execute(f"{query} FROM audit_round").fetchone()
        assert before is not None
        assert after is not None
        assert after[1] == before[1]
        assert after[0] - before[0] <= 1  # the meta leaves of the round before may have been due

    def test_keeps_tenants_in_logs_of_their_own(self, actor: Actor, login: Login) -> None:
        other = person()
        note(actor=actor, n=2)
        note(actor=other, n=3)
        seal()

        assert newest_head(login, actor)[0] == 2
        assert newest_head(login, other)[0] == 3
        assert log_of(actor) != log_of(other)

    def test_tells_the_meta_log_about_every_head_that_moved(
        self, actor: Actor, login: Login
    ) -> None:
        note(actor=actor)
        query = "SELECT leaf, leaf_hash FROM audit_meta_leaf WHERE tenant_id = %s"
        owner = login("owner")
        rows: list[Any] = []
        while not rows:  # one leaf a second at most; a round that may not write yet is repeated
            seal()
            rows = owner.execute(query, [actor.tenant_id]).fetchall()

        (leaf, leaf_hash) = rows[0]
        assert merkle.leaf_hash(bytes(leaf)) == bytes(leaf_hash)
        assert f'"root":"{newest_head(login, actor)[1].hex()}"'.encode() in bytes(leaf)

    def test_waits_for_another_sealer_before_it_takes_its_snapshot(self, login: Login) -> None:
        other = login("sealer")
        assert other.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone() == (True,)
        mine = login("sealer")
        mine.execute("SET lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            Sealer(mine).run_round()


class TestSituation:
    def test_refuses_a_snapshot_that_went_backwards(self, login: Login) -> None:
        with login("owner") as owner, owner.transaction(force_rollback=True):
            owner.execute(
                """INSERT INTO audit_round (round_no, epoch, snapshot, sealed_us, entry_count)
                   SELECT max(round_no) + 1, max(epoch), '9000000000:9000000000:',
                          max(sealed_us) + 1, 0 FROM audit_round"""
            )
            with pytest.raises(CannotSeal, match="went backwards"):
                Sealer(owner).run_round()

    def test_refuses_another_cluster(self, login: Login) -> None:
        with login("owner") as owner, owner.transaction(force_rollback=True):
            owner.execute("ALTER TABLE audit_epoch DISABLE TRIGGER append_only")
            owner.execute("UPDATE audit_epoch SET system_identifier = system_identifier + 1")
            with pytest.raises(CannotSeal, match="another cluster"):
                Sealer(owner).run_round()

    def test_never_lets_sealed_time_run_backwards(self, actor: Actor, login: Login) -> None:
        seal()
        with login("owner") as owner, owner.transaction(force_rollback=True):
            owner.execute(
                """INSERT INTO audit_round
                     (round_no, epoch, own_xid, snapshot, sealed_us, entry_count)
                   SELECT round_no + 1, epoch, own_xid, snapshot, 9000000000000000, 0
                     FROM audit_round ORDER BY round_no DESC LIMIT 1"""
            )
            insert(owner, actor, xid="'3'::xid8")
            owner.execute(
                "INSERT INTO audit_epoch (epoch, system_identifier, reason) "
                "SELECT max(epoch) + 1, max(system_identifier), 'test' FROM audit_epoch"
            )
            Sealer(owner).run_round()
            row = owner.execute("SELECT max(sealed_us) FROM audit_round").fetchone()
            assert row == (9000000000000001,)


class TestAppend:
    def test_names_an_id_that_two_events_have(self, actor: Actor, login: Login) -> None:
        note(actor=actor)
        seal()
        with login("owner") as owner, owner.transaction(force_rollback=True):
            owner.execute(
                """INSERT INTO audit_event (id, xid, tenant_id, event_uid, keep, envelope)
                   OVERRIDING SYSTEM VALUE
                   SELECT event_id, '3', tenant_id, gen_random_uuid(), 'standard', '{}'
                     FROM audit_entry WHERE log_id = %s""",
                [log_of(actor)],
            )
            owner.execute(
                "INSERT INTO audit_epoch (epoch, system_identifier, reason) "
                "SELECT max(epoch) + 1, max(system_identifier), 'test' FROM audit_epoch"
            )
            with pytest.raises(CannotSeal, match=r"one id: Key \(event_id\)=\(\d+\)"):
                Sealer(owner).run_round()


class TestRollbackCheck:
    def test_halts_when_a_signed_head_is_gone(self, actor: Actor, login: Login) -> None:
        note(actor=actor, n=3)
        seal()
        sign(actor)
        with login("owner") as owner, owner.transaction(force_rollback=True):
            owner.execute("ALTER TABLE audit_head DISABLE TRIGGER append_only")
            owner.execute("DELETE FROM audit_head WHERE log_id = %s", [log_of(actor)])
            with pytest.raises(RollbackDetected, match="rollback detected"):
                Sealer(owner).run_round()

    def test_halts_when_a_signed_head_is_another_one(self, actor: Actor, login: Login) -> None:
        note(actor=actor, n=3)
        seal()
        sign(actor)
        with login("owner") as owner, owner.transaction(force_rollback=True):
            owner.execute("ALTER TABLE audit_head DISABLE TRIGGER append_only")
            owner.execute(
                "UPDATE audit_head SET root = sha256('other') WHERE log_id = %s", [log_of(actor)]
            )
            with pytest.raises(RollbackDetected):
                Sealer(owner).run_round()


def insert(connection: "psycopg.Connection[Any]", actor: Actor, *, xid: str = "DEFAULT") -> None:
    """Insert a bare event over a connection of one's own."""
    connection.execute("SELECT set_config('signalbox.tenant_id', %s, true)", [str(actor.tenant_id)])
    columns = "tenant_id, event_uid, keep, envelope" + ("" if xid == "DEFAULT" else ", xid")
    values = "%s, gen_random_uuid(), 'standard', '{}'" + ("" if xid == "DEFAULT" else f", {xid}")
    connection.execute(f"INSERT INTO audit_event ({columns}) VALUES ({values})", [actor.tenant_id])


def insert_event(connection: "psycopg.Connection[Any]", actor: Actor, *, commit: bool) -> None:
    with connection.transaction(force_rollback=not commit):
        insert(connection, actor)
