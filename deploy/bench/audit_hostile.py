"""The sealer under hostile writers, and a backlog: `python deploy/bench/audit_hostile.py`.

12 writers change hot rows with their events, with savepoints that may be undone and 10 % aborts,
beside one transaction that stays open all the time; the sealer works every 200 ms as in pulse.
Then everything is counted: lost, doubled, gaps, events of one row in another order than its
versions. At last a backlog is sealed at once. Numbers are printed, never asserted.
"""

import argparse
import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
from django_ready import connect
from rows import Row, quantile, say, script

from audit.sealing import Sealer

WRITERS: Final = 12
ENTITIES: Final = 6
TENANTS: Final = 3
SEAL_EVERY_S: Final = 0.2
EVENTS, QUICK_EVENTS = 100_000, 5_000
BACKLOG, QUICK_BACKLOG = 1_000_000, 50_000
DELAY_MS: Final = 500.0
BACKLOG_S: Final = 15.0
_EVENT: Final = """
    INSERT INTO audit_event (tenant_id, event_uid, keep, envelope)
    VALUES (%s, gen_random_uuid(), 'standard', %s)"""


class Count:
    """Events that were committed, counted by those who committed them."""

    def __init__(self, most: int) -> None:
        self.most, self.committed = most, 0
        self.lock = threading.Lock()

    def add(self, more: int) -> bool:
        with self.lock:
            self.committed += more
            return self.committed < self.most


def measure(asked: argparse.Namespace) -> list[Row]:
    """Run the load, judge it, then seal a backlog; removes its own table."""
    tenants = [uuid4() for _ in range(TENANTS)]
    count = Count(QUICK_EVENTS if asked.quick else EVENTS)
    with _hot_table():
        took_s = _load(tenants, count)
    with connect("owner") as owner:
        rows = [_judged(owner, tenants, count, took_s), _delays(owner, tenants)]
    return [*rows, _backlog(QUICK_BACKLOG if asked.quick else BACKLOG)]


def _load(tenants: list[UUID], count: Count) -> float:
    began = time.perf_counter()
    with ExitStack() as stack:
        late = stack.enter_context(connect("default"))
        writers = [
            threading.Thread(
                target=_write, args=(stack.enter_context(connect("default")), tenants, seed, count)
            )
            for seed in range(WRITERS)
        ]
        with _sealing(), late.transaction():
            _record(late, tenants[0], "late")  # seen by nobody until all others have ended
            for writer in writers:
                writer.start()
            for writer in writers:
                writer.join()
            count.add(1)
    sealer = Sealer()
    while sealer.run_round():
        pass
    sealer.close()
    return time.perf_counter() - began


def _write(
    connection: "psycopg.Connection[Any]", tenants: list[UUID], seed: int, count: Count
) -> None:
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    going = True
    while going:
        kept, abort = 0, chance.random() < 0.1
        with connection.transaction(force_rollback=abort):
            for entity in sorted(chance.sample(range(ENTITIES), chance.randint(1, 2))):
                undo = chance.random() < 0.2
                with connection.transaction(force_rollback=undo):
                    _touch(connection, tenants[entity % TENANTS], entity)
                kept += not undo
        going = count.add(0 if abort else kept)


def _touch(connection: "psycopg.Connection[Any]", tenant: UUID, entity: int) -> None:
    row = connection.execute(
        "UPDATE bench_hot SET version = version + 1 WHERE id = %s RETURNING version", [entity]
    ).fetchone()
    _record(connection, tenant, f"{entity},{row[0] if row else 0}")


def _record(connection: "psycopg.Connection[Any]", tenant: UUID, text: str) -> None:
    connection.execute("SELECT set_config('signalbox.tenant_id', %s, true)", [str(tenant)])
    connection.execute(_EVENT, [tenant, text.encode()])


def _judged(
    owner: "psycopg.Connection[Any]", tenants: list[UUID], count: Count, took_s: float
) -> Row:
    row = owner.execute(
        """WITH mine AS (SELECT * FROM audit_event WHERE tenant_id = ANY (%(tenants)s)),
                sealed AS (SELECT n.log_id, n.index, n.event_id,
                                  convert_from(e.envelope, 'UTF8') AS text
                             FROM audit_entry n JOIN mine e
                               ON (e.epoch, e.xid, e.id) =
                                  (n.event_epoch, n.event_xid, n.event_id)),
                versions AS (SELECT split_part(text, ',', 2)::int AS version,
                                    lag(split_part(text, ',', 2)::int) OVER (
                                      PARTITION BY log_id, split_part(text, ',', 1)
                                      ORDER BY index) AS before
                               FROM sealed WHERE text <> 'late')
           SELECT (SELECT count(*) FROM mine) - (SELECT count(DISTINCT event_id) FROM sealed),
                  (SELECT count(*) - count(DISTINCT event_id) FROM sealed),
                  (SELECT COALESCE(sum(gap), 0) FROM (
                     SELECT max(index) + 1 - count(*) AS gap FROM sealed GROUP BY log_id) g),
                  (SELECT count(*) FROM versions WHERE version <= before),
                  (SELECT count(*) FROM mine)""",
        {"tenants": tenants},
    ).fetchone()
    lost, doubled, gaps, inversions, events = row or (0, 0, 0, 0, 0)
    lost += count.committed - events
    say(f"hostile: {events} events in {took_s:.0f} s")
    return Row(
        measurement=f"sealer, {events} hostile events",
        ours=f"{lost} lost, {doubled} doubled, {gaps} gaps, {inversions} inversions",
        target="0 of each",
        met=not (lost or doubled or gaps or inversions),
    )


def _delays(owner: "psycopg.Connection[Any]", tenants: list[UUID]) -> Row:
    """Take the time from receipt to round; the event of the transaction left open is no delay."""
    rows = owner.execute(
        """SELECT (r.sealed_us - n.received_us) / 1000.0
             FROM audit_entry n JOIN audit_round r USING (round_no)
             JOIN audit_event e ON (e.epoch, e.xid, e.id) = (n.event_epoch, n.event_xid, n.event_id)
            WHERE n.tenant_id = ANY (%s) AND e.envelope <> 'late'""",
        [tenants],
    ).fetchall()
    delays = [float(row[0]) for row in rows]
    p50, p99 = quantile(delays, 0.5), quantile(delays, 0.99)
    return Row(
        measurement="  seal delay beside an open transaction",
        ours=f"p50 {p50:.0f}, p99 {p99:.0f} ms",
        target=f"p99 <= {DELAY_MS:g} ms",
        met=p99 <= DELAY_MS,
    )


def _backlog(size: int) -> Row:
    tenant = uuid4()
    say(f"hostile: writing a backlog of {size}")
    with connect("default") as writer, writer.transaction():
        writer.execute("SELECT set_config('signalbox.tenant_id', %s, true)", [str(tenant)])
        writer.execute(
            """INSERT INTO audit_event (tenant_id, event_uid, keep, envelope)
               SELECT %s, gen_random_uuid(), 'standard',
                      convert_to('{"n":' || n || ',"pad":"' || repeat('x', 500) || '"}', 'UTF8')
                 FROM generate_series(1, %s) n""",
            [tenant, size],
        )
    sealer = Sealer()
    began = time.perf_counter()
    card = sealer.run_round()
    took_s = time.perf_counter() - began
    sealer.close()
    return Row(
        measurement=f"  backlog of {card.entry_count if card else 0} events, one round",
        ours=f"{took_s:.1f} s",
        target=f"<= {BACKLOG_S * size / BACKLOG:g} s",
        met=took_s <= BACKLOG_S * size / BACKLOG,
    )


@contextmanager
def _hot_table() -> Iterator[None]:
    with connect("owner") as owner:
        owner.execute("DROP TABLE IF EXISTS bench_hot")
        owner.execute("CREATE TABLE bench_hot (id int PRIMARY KEY, version int NOT NULL)")
        owner.execute(f"INSERT INTO bench_hot SELECT n, 0 FROM generate_series(0, {ENTITIES}) n")
        owner.execute("GRANT SELECT, UPDATE ON bench_hot TO signalbox_app")
        try:
            yield
        finally:
            owner.execute("DROP TABLE bench_hot")


@contextmanager
def _sealing() -> Iterator[None]:
    stop = threading.Event()
    sealer = Sealer()

    def keep_sealing() -> None:
        while not stop.wait(SEAL_EVERY_S):
            sealer.run_round()
        sealer.close()

    thread = threading.Thread(target=keep_sealing)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


if __name__ == "__main__":
    script(measure)
