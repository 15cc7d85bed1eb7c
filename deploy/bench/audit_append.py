"""Audit append beside a plain INSERT, in one run: `python deploy/bench/audit_append.py`.

Both sides insert a row of the same size over as many connections; ours goes into the trail with
its index and row-level security, the other into a table with one key. The third side is ours again
while the sealer works beside it. Apart from that: what the deferred trigger `must_audit` costs a
transaction of one row change and its event. Numbers are printed, never asserted.
"""

import argparse
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any
from uuid import UUID, uuid4

import psycopg
from django_ready import connect
from rows import Row, say, script

from audit.sealing import Sealer
from console.kernel.schema import Governed

TARGET = 0.9
TRIGGER_TARGET = 0.10
TRIGGER_WRITERS = 8
WRITERS = (1, 8, 32)
ENVELOPE = b'{"action":"bench.noted","pad":"' + b"x" * 540 + b'"}'
PLAIN = """
    INSERT INTO bench_plain (tenant_id, event_uid, keep, envelope)
    VALUES (%s, gen_random_uuid(), 'standard', %s)"""
OURS = PLAIN.replace("bench_plain", "audit_event")
Act = Callable[["psycopg.Connection[Any]", UUID, int], object]


def _inserting(query: str) -> Act:
    return lambda connection, tenant, _number: connection.execute(query, [tenant, ENVELOPE])


def _changing(table: str) -> Act:
    """Return a transaction of one row change and its event."""
    update = f"UPDATE {table} SET n = n + 1, tenant_id = %s WHERE id = %s"

    def act(connection: "psycopg.Connection[Any]", tenant: UUID, number: int) -> None:
        with connection.transaction():
            connection.execute(update, [tenant, number])
            connection.execute(OURS, [tenant, ENVELOPE])

    return act


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What one number of writers reached."""

    writers: int
    plain_per_s: float
    audit_per_s: float
    ratio: float  # median over rounds, each with both sides next to each other
    least_ratio: float
    most_ratio: float
    sealed_per_s: float  # ours while everything is sealed every 200 ms


def measure(asked: argparse.Namespace) -> list[Row]:
    """Measure at 1, 8 and 32 writers; removes its own table."""
    rounds, seconds = (3, 0.4) if asked.quick else (9, 0.6)
    with _bench_table():
        rows = [_row(_measure(writers, rounds, seconds)) for writers in WRITERS]
    with _governed_tables():
        return [*rows, _trigger_row(rounds, seconds)]


def _trigger_row(rounds: int, seconds: float) -> Row:
    """Compare the same change of two tables, of which one has the trigger."""
    without: list[float] = []
    governed: list[float] = []
    for round_no in range(rounds):
        sides = [("bench_free", without), ("bench_governed", governed)]
        for table, rates in sides if round_no % 2 else reversed(sides):
            rates.append(_rate(TRIGGER_WRITERS, _changing(table), seconds))
    cost = median(1 - governed[n] / without[n] for n in range(rounds))
    return Row(
        measurement=f"audit deferred trigger, {TRIGGER_WRITERS} writers",
        ours=f"{median(governed):.0f}/s = {100 * cost:.1f} % slower",
        plain=f"{median(without):.0f}/s, the same change and event without it",
        target=f"<= {100 * TRIGGER_TARGET:g} %",
        met=cost <= TRIGGER_TARGET,
    )


def _row(rates: Rates) -> Row:
    say(
        f"audit, {rates.writers} writers: ratio {rates.least_ratio:.2f} to {rates.most_ratio:.2f} "
        f"over the rounds; {rates.sealed_per_s:.0f}/s beside the sealer"
    )
    return Row(
        measurement=f"audit append, {rates.writers} writers",
        ours=f"{rates.audit_per_s:.0f}/s = {rates.ratio:.2f} of plain",
        plain=f"{rates.plain_per_s:.0f}/s, plain INSERT",
        target=f">= {TARGET}",
        met=rates.ratio >= TARGET,
    )


def _measure(writers: int, rounds: int, seconds: float) -> Rates:
    plain: list[float] = []
    ours: list[float] = []
    sealed: list[float] = []
    for round_no in range(rounds):
        # Taking turns at going first, so that neither side always finds the warmer cache.
        sides = [(PLAIN, plain), (OURS, ours)]
        for query, rates in sides if round_no % 2 else reversed(sides):
            rates.append(_rate(writers, _inserting(query), seconds))
        with _sealing():
            sealed.append(_rate(writers, _inserting(OURS), seconds))
    ratios = [ours[n] / plain[n] for n in range(rounds)]
    return Rates(
        writers=writers,
        plain_per_s=median(plain),
        audit_per_s=median(ours),
        ratio=median(ratios),
        least_ratio=min(ratios),
        most_ratio=max(ratios),
        sealed_per_s=median(sealed),
    )


def _rate(writers: int, act: Act, seconds: float) -> float:
    """Return how many transactions per second all writers reach together."""
    counts = [0] * writers
    start = threading.Barrier(writers + 1)
    stop = threading.Event()

    def write(number: int, connection: "psycopg.Connection[Any]") -> None:
        tenant = uuid4()
        connection.execute("SELECT set_config('signalbox.tenant_id', %s, false)", [str(tenant)])
        connection.prepare_threshold = 1
        start.wait()
        while not stop.is_set():
            act(connection, tenant, number)
            counts[number] += 1

    with ExitStack() as stack:
        threads = [
            threading.Thread(target=write, args=(number, stack.enter_context(connect("default"))))
            for number in range(writers)
        ]
        try:
            for thread in threads:
                thread.start()
            start.wait()
            began = time.perf_counter()
            time.sleep(seconds)
            stop.set()
            took = time.perf_counter() - began
        finally:
            stop.set()
            start.abort()  # nobody waits there any more, unless we were interrupted before
            for thread in threads:
                if thread.ident:
                    thread.join()
    return sum(counts) / took


@contextmanager
def _bench_table() -> Iterator[None]:
    columns = (
        "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id uuid NOT NULL, "
        "event_uid uuid NOT NULL, keep text NOT NULL, envelope bytea NOT NULL, "
        "received_at timestamptz NOT NULL DEFAULT clock_timestamp()"
    )
    with connect("owner") as owner:
        owner.execute("DROP TABLE IF EXISTS bench_plain")
        owner.execute(f"CREATE TABLE bench_plain ({columns})")
        owner.execute("GRANT SELECT, INSERT ON bench_plain TO signalbox_app")
        try:
            yield
        finally:
            owner.execute("DROP TABLE bench_plain")


@contextmanager
def _governed_tables() -> Iterator[None]:
    """Make two equal tables with a row per writer, one of them with the guard `must_audit`."""
    names = ("bench_free", "bench_governed")
    with connect("owner") as owner:
        for name in names:
            owner.execute(f"DROP TABLE IF EXISTS {name}")
            owner.execute(
                f"CREATE TABLE {name} (id int PRIMARY KEY, n int NOT NULL, tenant_id uuid) "
                "WITH (fillfactor = 50)"
            )
            owner.execute(
                f"INSERT INTO {name} SELECT g, 0 FROM generate_series(0, {TRIGGER_WRITERS}) g"
            )
            owner.execute(f"GRANT SELECT, UPDATE ON {name} TO signalbox_app")
        owner.execute(str(Governed("bench_governed").sql))
        try:
            yield
        finally:
            for name in names:
                owner.execute(f"DROP TABLE {name}")


@contextmanager
def _sealing() -> Iterator[None]:
    """Seal what there is, then every 200 ms, as pulse does."""
    stop = threading.Event()
    sealer = Sealer()
    while sealer.run_round():
        pass

    def keep_sealing() -> None:
        while not stop.wait(0.2):
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
