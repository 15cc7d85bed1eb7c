"""Writers never wait for each other because of the trail, and the sealer loses none of them."""

import random
import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django import db

from audit import direct
from audit.sealing import Sealer
from console.kernel.actors import Actor
from tests.audit.facts import log_of, note, person, seal

WRITERS = 8
TARGET = 5_000
ENTITIES = 6


@pytest.fixture
def app() -> Iterator[Callable[[], "psycopg.Connection[Any]"]]:
    opened: list[psycopg.Connection[Any]] = []

    def connect() -> "psycopg.Connection[Any]":
        opened.append(direct.connect("default"))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


def insert(connection: "psycopg.Connection[Any]", tenant_id: UUID, text: str) -> None:
    connection.execute("SELECT set_config('signalbox.tenant_id', %s, true)", [str(tenant_id)])
    connection.execute(
        """INSERT INTO audit_event (tenant_id, event_uid, keep, envelope)
           VALUES (%s, gen_random_uuid(), 'standard', %s)""",
        [tenant_id, text.encode()],
    )


class TestNoSharedLock:
    def test_two_open_transactions_of_one_tenant_never_wait(
        self, app: Callable[[], "psycopg.Connection[Any]"]
    ) -> None:
        """Both record, neither has committed; a tenant's lock would make the second time out."""
        tenant_id = uuid4()
        one, two = app(), app()
        for connection in (one, two):
            connection.execute("SET lock_timeout = '200ms'")
        with one.transaction():
            insert(one, tenant_id, "{}")
            with two.transaction():
                insert(two, tenant_id, "{}")
                insert(one, tenant_id, "{}")
                # A round in between waits for neither of them.
                seal()
                insert(two, tenant_id, "{}")
        seal()
        actor = Actor(tenant_id=tenant_id, kind=person().kind, id="", label="")
        with direct.connect("owner") as owner:
            row = owner.execute(
                "SELECT size FROM audit_head WHERE log_id = %s ORDER BY size DESC LIMIT 1",
                [log_of(actor)],
            ).fetchone()
        assert row == (4,)

    def test_equal_large_parts_do_not_make_writers_wait(self) -> None:
        """The same content twice at once; keyed by digest, the second would wait for the first."""
        actor = person()
        text = {"same": "x" * 40_000}
        barrier = threading.Barrier(4)
        failures: list[BaseException] = []

        def write() -> None:
            try:
                barrier.wait()
                note(actor=actor, text=text, n=3)
            except BaseException as error:  # noqa: BLE001 - reported by the test's thread
                failures.append(error)
            finally:
                db.connection.close()

        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []


class TestHostileWorkload:
    """8 writers on hot rows, savepoints, 10 % aborts, beside a transaction open all the time."""

    def test_loses_doubles_and_reorders_nothing(
        self, app: Callable[[], "psycopg.Connection[Any]"]
    ) -> None:
        tenants = [uuid4() for _ in range(3)]
        work = _Work(tenants)
        late = app()
        sealer, stop = Sealer(), threading.Event()
        errors: list[BaseException] = []
        seals = threading.Thread(target=_keep_sealing, args=(sealer, stop, errors))
        with direct.connect("owner") as owner:
            owner.execute("DROP TABLE IF EXISTS audit_test_hot")
            owner.execute("CREATE TABLE audit_test_hot (id int PRIMARY KEY, version int NOT NULL)")
            owner.execute(
                f"INSERT INTO audit_test_hot SELECT n, 0 FROM generate_series(1, {ENTITIES}) n"
            )
            owner.execute("GRANT SELECT, UPDATE ON audit_test_hot TO signalbox_app")
        try:
            with late.transaction():
                insert(late, tenants[0], '{"late": true}')
                writers = [
                    threading.Thread(target=_write, args=(app(), work, seed, errors))
                    for seed in range(WRITERS)
                ]
                for thread in [seals, *writers]:
                    thread.start()
                for thread in writers:
                    thread.join()
            stop.set()
            seals.join()
        finally:
            with direct.connect("owner") as owner:
                owner.execute("DROP TABLE audit_test_hot")
        seal()
        assert errors == []
        self.check(tenants, work)

    def check(self, tenants: list[UUID], work: "_Work") -> None:
        with direct.connect("owner") as owner:
            events = owner.execute(
                "SELECT id FROM audit_event WHERE tenant_id = ANY (%s)", [tenants]
            ).fetchall()
            entries = owner.execute(
                """SELECT n.tenant_id, n.index, n.event_id, convert_from(e.envelope, 'UTF8')
                     FROM audit_entry n JOIN audit_event e ON e.id = n.event_id
                    WHERE n.tenant_id = ANY (%s) ORDER BY n.log_id, n.index""",
                [tenants],
            ).fetchall()
        assert len(events) == work.committed + 1  # the late one
        assert sorted(row[2] for row in entries) == sorted(row[0] for row in events)
        for tenant in tenants:
            indexes = [row[1] for row in entries if row[0] == tenant]
            assert indexes == list(range(len(indexes)))
            self.check_order([row[3] for row in entries if row[0] == tenant])

    def check_order(self, envelopes: list[str]) -> None:
        """Every writer held the entity's row lock, so its versions must stand in order."""
        newest: dict[str, int] = {}
        for text in envelopes:
            if "late" in text:
                continue
            entity, version = text.strip("[]").split(",")
            assert int(version) > newest.get(entity, 0)
            newest[entity] = int(version)


class _Work:
    def __init__(self, tenants: list[UUID]) -> None:
        self.tenants = tenants
        self.committed = 0
        self.lock = threading.Lock()

    def add(self, count: int) -> bool:
        with self.lock:
            self.committed += count
            return self.committed < TARGET


def _keep_sealing(sealer: Sealer, stop: threading.Event, errors: list[BaseException]) -> None:
    try:
        while not stop.is_set():
            sealer.run_round()
    except BaseException as error:  # noqa: BLE001 - reported by the test's thread
        errors.append(error)
    finally:
        sealer.close()


def _write(
    connection: "psycopg.Connection[Any]", work: _Work, seed: int, errors: list[BaseException]
) -> None:
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    going = True
    try:
        while going:
            count = 0
            abort = chance.random() < 0.1
            with connection.transaction(force_rollback=abort):
                for entity in sorted(chance.sample(range(1, ENTITIES + 1), chance.randint(1, 2))):
                    count += _touch(connection, work, entity, chance)
            going = work.add(0 if abort else count)
    except BaseException as error:  # noqa: BLE001 - reported by the test's thread
        errors.append(error)


def _touch(
    connection: "psycopg.Connection[Any]", work: _Work, entity: int, chance: random.Random
) -> int:
    """Change a row and record it, in a savepoint that may be rolled back; returns events kept."""
    undo = chance.random() < 0.2
    with connection.transaction(force_rollback=undo):
        row = connection.execute(
            "UPDATE audit_test_hot SET version = version + 1 WHERE id = %s RETURNING version",
            [entity],
        ).fetchone()
        assert row is not None
        insert(connection, work.tenants[entity % 3], f"[{entity},{row[0]}]")
    return 0 if undo else 1
