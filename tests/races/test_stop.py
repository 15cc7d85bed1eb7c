"""Stops against writers, with real threads, connections and commits.

A guarded transaction that is let through stores the epoch that it read. After a stop has
committed, no row of an older epoch may appear, however busy the writers are; and the writers may
not keep the stop waiting.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from agents.controls import commands, permits
from agents.controls.cards import Fields, Scope
from agents.controls.states import STOP_LOCK, Point, ScopeKind
from console.kernel.actors import Actor, ActorKind
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant

WRITERS = 8
STOPS = 92
REFUNDS = Scope(kind=ScopeKind.AGENT, value="refunds")


def operator(tenant: UUID) -> Actor:
    return Actor(
        tenant_id=tenant,
        kind=ActorKind.PERSON,
        id=str(uuid7()),
        label="Omar",
        permissions=frozenset({"controls.engage", "controls.release"}),
    )


@pytest.fixture(scope="module")
def effects() -> Iterator[str]:
    """A table that stands for effects: one row per guarded transaction that was let through."""
    name = f"race_effect_{uuid7().hex[:12]}"
    with _as_owner() as owner:
        owner.execute(
            f"CREATE TABLE {name} (tenant_id uuid, epoch bigint);"
            f"GRANT SELECT, INSERT ON {name} TO signalbox_app"
        )
    yield name
    with _as_owner() as owner:
        owner.execute(f"DROP TABLE {name}")


@contextmanager
def _as_owner() -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    values = settings.DATABASES["owner"]
    with psycopg.connect(
        dbname=values["NAME"],
        user=values["USER"],
        password=values["PASSWORD"] or None,
        host=values["HOST"],
        port=values["PORT"] or None,
        autocommit=True,
    ) as owner:
        yield owner


@dataclass
class Writers:
    """Threads that do guarded work as fast as they can, until `stop` is set."""

    tenant: UUID
    table: str
    stop: threading.Event = field(default_factory=threading.Event)
    admitted: int = 0
    refused: int = 0
    failures: list[BaseException] = field(default_factory=list)

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                self._work()
        except BaseException as error:  # noqa: BLE001 - the test shows it
            self.failures.append(error)
        finally:
            connection.close()

    def _work(self) -> None:
        fields = Fields(tenant=self.tenant, agent="refunds", tool="refund", tier=2, run=uuid7())
        with in_tenant(self.tenant):
            answer = permits.permitted(Point.TOOL_CALL, fields, guard=True)
            if not answer.allowed:
                self.refused += 1
                return
            with connection.cursor() as cursor:
                cursor.execute(
                    f"INSERT INTO {self.table} (tenant_id, epoch) VALUES (%s, %s)",
                    [self.tenant, answer.epoch],
                )
        self.admitted += 1


@contextmanager
def busy(tenant: UUID, table: str) -> Iterator[Writers]:
    writers = Writers(tenant, table)
    threads = [threading.Thread(target=writers.run) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    try:
        yield writers
    finally:
        writers.stop.set()
        for thread in threads:
            thread.join()
    assert writers.failures == []


def _rows(table: str, tenant: UUID) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} WHERE tenant_id = %s", [tenant])
        row: tuple[int] = cursor.fetchone()
    return row[0]


class TestStopAgainstWriters:
    def test_admits_nothing_after_the_stop_committed(self, effects: str) -> None:
        tenant = uuid7()
        omar = operator(tenant)
        leaks, took_s = [], []
        with busy(tenant, effects) as writers:
            for _ in range(STOPS):
                self._wait_for_progress(writers)
                began = time.perf_counter()
                card = commands.engage(actor=omar, scope=REFUNDS, reason="Race.")
                took_s.append(time.perf_counter() - began)
                assert card.barrier_at is not None
                before = _rows(effects, tenant)
                refused = writers.refused
                while writers.refused < refused + 2 * WRITERS:  # every writer asked again meanwhile
                    assert writers.failures == []
                    threading.Event().wait(0.001)
                leaks.append(_rows(effects, tenant) - before)
                commands.release(actor=omar, switch_id=card.id, reason="Next round.")

        assert len(leaks) >= 90
        assert sum(leaks) == 0
        assert writers.admitted > STOPS
        # Not starved: each got the lock itself, or it would have no barrier. The time is for the
        # reader.
        assert sorted(took_s)[len(took_s) // 2] < 0.5

    def test_one_statement_for_lock_and_epoch_would_leak(self, effects: str) -> None:
        """The trap that the check avoids: a snapshot from before the wait sees the old epoch."""
        with _as_owner() as holder, _as_owner() as reader:
            holder.autocommit = False
            holder.execute("SELECT pg_advisory_xact_lock(%s)", [STOP_LOCK])
            old = holder.execute(
                "UPDATE controls_epoch SET epoch = epoch + 1 RETURNING epoch - 1"
            ).fetchone()
            seen: list[object] = []

            def read() -> None:
                row = reader.execute(
                    "SELECT epoch, pg_advisory_xact_lock_shared(%s) FROM controls_epoch",
                    [STOP_LOCK],
                ).fetchone()
                seen.append(row[0] if row else None)

            thread = threading.Thread(target=read)
            thread.start()
            self._wait_until_blocked(holder)
            holder.commit()
            thread.join()

        assert old is not None
        assert seen == [old[0]]

    def _wait_for_progress(self, writers: Writers) -> None:
        target = writers.admitted + WRITERS
        while writers.admitted < target:
            assert writers.failures == []
            threading.Event().wait(0.001)

    def _wait_until_blocked(self, holder: "psycopg.Connection[tuple[object, ...]]") -> None:
        while not holder.execute(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        ).fetchone():
            threading.Event().wait(0.001)


class Lingerer:
    """A guarded transaction that stays open, and tries its effect when it is told to leave."""

    def __init__(self, tenant: UUID, table: str) -> None:
        self.tenant, self.table = tenant, table
        self.failures: list[BaseException] = []
        self._ready, self._told = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._linger)

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(20)

    def leave(self) -> None:
        self._told.set()
        self._thread.join()

    def _linger(self) -> None:
        try:
            with in_tenant(self.tenant):
                fields = Fields(tenant=self.tenant, agent="refunds", run=uuid7())
                permits.permitted(Point.RUN_ADMIT, fields, guard=True)
                self._ready.set()
                self._told.wait(30)
                with connection.cursor() as cursor:
                    cursor.execute(f"INSERT INTO {self.table} VALUES (%s)", [self.tenant])
        except Exception as error:  # noqa: BLE001 - its session is ended: that is the point
            self.failures.append(error)
        finally:
            connection.close()


class TestGuardedTransactionLeftOpen:
    def test_delays_a_stop_half_a_second_at_most_and_is_ended(self, effects: str) -> None:
        tenant = uuid7()
        omar = operator(tenant)
        guest = Lingerer(tenant, effects)
        guest.start()
        began = time.perf_counter()
        card = commands.engage(actor=omar, scope=REFUNDS, reason="Somebody lingers.")
        took = time.perf_counter() - began
        assert card.barrier_at is None
        assert took < 2.0  # half a second of waiting; the rest is a slow machine's

        self._until_barrier(omar)
        guest.leave()

        assert guest.failures
        assert _rows(effects, tenant) == 0

    def _until_barrier(self, omar: Actor) -> None:
        """Do what pulse does each half second, until the lingering session is gone."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            commands.confirm_stops(actor=omar)
            with in_tenant(omar.tenant_id, read_only=True), connection.cursor() as cursor:
                cursor.execute("SELECT bool_and(barrier_at IS NOT NULL) FROM controls_switch")
                if cursor.fetchone()[0]:
                    return
        pytest.fail("the barrier was never set")
