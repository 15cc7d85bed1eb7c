"""Audit append beside a plain INSERT, in one run: `python deploy/bench/audit_append.py`.

Both sides insert a row of the same size over as many connections; ours goes into the trail with
its generated hash, two indexes and row-level security, the other into a table with one key. The
third side is ours again while the sealer works beside it. Numbers are printed, never asserted.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

import psycopg

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 1.5
ROUNDS = 5
WRITERS = (1, 8, 32)
ENVELOPE = b'{"action":"bench.noted","pad":"' + b"x" * 540 + b'"}'
PLAIN = """
    INSERT INTO bench_plain (tenant_id, event_uid, keep, envelope)
    VALUES (%s, gen_random_uuid(), 'standard', %s)"""
OURS = PLAIN.replace("bench_plain", "audit_event")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table."""

    writers: int
    plain_per_s: float
    audit_per_s: float
    ratio: float  # median over rounds, each with both sides next to each other
    least_ratio: float
    most_ratio: float
    sealed_per_s: float  # ours while everything is sealed every 200 ms


def run() -> list[Row]:
    """Measure at 1, 8 and 32 writers; needs the settings' database and removes its own table."""
    with _bench_table():
        return [_measure(writers) for writers in WRITERS]


def _measure(writers: int) -> Row:
    plain: list[float] = []
    ours: list[float] = []
    sealed: list[float] = []
    for round_no in range(ROUNDS):
        # Taking turns at going first, so that neither side always finds the warmer cache.
        sides = [(PLAIN, plain), (OURS, ours)]
        for query, rates in sides if round_no % 2 else reversed(sides):
            rates.append(_rate(writers, query))
        with _sealing():
            sealed.append(_rate(writers, OURS))
    ratios = [ours[n] / plain[n] for n in range(ROUNDS)]
    return Row(
        writers=writers,
        plain_per_s=median(plain),
        audit_per_s=median(ours),
        ratio=median(ratios),
        least_ratio=min(ratios),
        most_ratio=max(ratios),
        sealed_per_s=median(sealed),
    )


def _rate(writers: int, query: str) -> float:
    """Return transactions per second of one INSERT each."""
    counts = [0] * writers
    start = threading.Barrier(writers + 1)
    stop = threading.Event()

    def write(number: int, connection: "psycopg.Connection[Any]") -> None:
        tenant = uuid4()
        connection.execute("SELECT set_config('signalbox.tenant_id', %s, false)", [str(tenant)])
        connection.prepare_threshold = 1
        start.wait()
        while not stop.is_set():
            connection.execute(query, [tenant, ENVELOPE])
            counts[number] += 1

    with ExitStack() as stack:
        threads = [
            threading.Thread(target=write, args=(number, stack.enter_context(_connect("default"))))
            for number in range(writers)
        ]
        for thread in threads:
            thread.start()
        start.wait()
        began = time.perf_counter()
        time.sleep(SECONDS)
        stop.set()
        took = time.perf_counter() - began
        for thread in threads:
            thread.join()
    return sum(counts) / took


def _connect(role: Any) -> "psycopg.Connection[Any]":
    from audit.queries import direct  # noqa: PLC0415 - after django.setup()

    return direct.connect(role)


@contextmanager
def _bench_table() -> Iterator[None]:
    columns = (
        "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id uuid NOT NULL, "
        "event_uid uuid NOT NULL, keep text NOT NULL, envelope bytea NOT NULL, "
        "received_at timestamptz NOT NULL DEFAULT clock_timestamp()"
    )
    with _connect("owner") as owner:
        owner.execute("DROP TABLE IF EXISTS bench_plain")
        owner.execute(f"CREATE TABLE bench_plain ({columns})")
        owner.execute("GRANT SELECT, INSERT ON bench_plain TO signalbox_app")
        try:
            yield
        finally:
            owner.execute("DROP TABLE bench_plain")


@contextmanager
def _sealing() -> Iterator[None]:
    """Seal what there is, then every 200 ms, as pulse does."""
    from audit.sealing import Sealer  # noqa: PLC0415 - after django.setup()

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


def main(write: Callable[[str], object] = print) -> None:
    write("audit append against plain INSERT, transactions/s; target ratio >= 0.9")
    columns = ("writers", "plain", "audit", "ratio", "least - most", "beside sealer")
    write("{:>7} {:>8} {:>8} {:>6} {:>13} {:>14}".format(*columns))
    for row in run():
        write(
            f"{row.writers:>7} {row.plain_per_s:>8.0f} {row.audit_per_s:>8.0f} {row.ratio:>6.2f}"
            f"   {row.least_ratio:.2f} - {row.most_ratio:.2f} {row.sealed_per_s:>14.0f}"
        )


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    import django

    django.setup()
    main()
