"""How long a stop takes under load, beside the obvious way: `python deploy/bench/stop_latency.py`.

Writers do guarded transactions without a pause. *Ours* takes the stop lock that they share.
*Plain* is what one would write first: each writer reads the switch row `FOR SHARE`, and the stop
updates that row; writers that never pause keep it waiting. Both in one run, on the database of the
settings, in a tenant of its own. Times are from the press, before the stop's transaction begins.
Numbers are printed, never asserted.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import django
import psycopg

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
django.setup()

from django.conf import settings  # noqa: E402 - the apps come after the set-up
from django.db import connection  # noqa: E402

from agents.controls import commands, permits  # noqa: E402
from agents.controls.cards import Fields, Scope  # noqa: E402
from agents.controls.states import Point, ScopeKind  # noqa: E402
from console.kernel.actors import Actor, ActorKind  # noqa: E402
from console.kernel.ids import uuid7  # noqa: E402
from console.kernel.transactions import in_tenant  # noqa: E402

WRITERS = 16
STOPS = 100
PLAIN_STOPS = 25  # each may take seconds
TARGET_MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table, in milliseconds; `leaked` effects came after the stop's commit."""

    name: str
    stops: int
    commit_p50: float
    commit_p99: float
    refused_p50: float  # press to the first refusal
    refused_p99: float
    leaked: int


@dataclass(slots=True)
class Seen:
    """What the writers saw; each list is only appended to."""

    refused_at: list[float] = field(default_factory=list)
    admitted_at: list[float] = field(default_factory=list)  # after the commit of the effect
    stopped: threading.Event = field(default_factory=threading.Event)


def run() -> list[Row]:
    """Measure both ways."""
    with _bench_tables():
        return [_ours(), _plain()]


def _ours() -> Row:

    tenant = uuid7()
    rights = frozenset({"controls.engage", "controls.release"})
    actor = Actor(
        tenant_id=tenant, kind=ActorKind.PERSON, id=str(uuid7()), label="bench", permissions=rights
    )
    scope = Scope(kind=ScopeKind.AGENT, value="bench")

    def stop() -> Callable[[], object]:
        card = commands.engage(actor=actor, scope=scope, reason="Measured.")
        return lambda: commands.release(actor=actor, switch_id=card.id, reason="Measured.")

    return _measure("ours", STOPS, lambda seen: _guarded(tenant, seen), stop)


def _guarded(tenant: UUID, seen: Seen) -> None:
    """Do one guarded transaction as the runtime does."""
    fields = Fields(tenant=tenant, agent="bench", tool="write", tier=2, run=uuid7())
    with in_tenant(tenant):
        answer = permits.permitted(Point.TOOL_CALL, fields, guard=True)
        if answer.allowed:
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO bench_effect DEFAULT VALUES")
    (seen.admitted_at if answer.allowed else seen.refused_at).append(time.perf_counter())


def _plain() -> Row:
    local = threading.local()

    def write(seen: Seen) -> None:
        if not hasattr(local, "connection"):
            local.connection = _connect("default", autocommit=False)
        with local.connection.transaction():
            row = local.connection.execute("SELECT stopped FROM bench_switch FOR SHARE").fetchone()
            if not row[0]:
                local.connection.execute("INSERT INTO bench_effect DEFAULT VALUES")
        (seen.refused_at if row[0] else seen.admitted_at).append(time.perf_counter())

    with _connect("default") as operator:

        def stop() -> Callable[[], object]:
            operator.execute("UPDATE bench_switch SET stopped = true")
            return lambda: operator.execute("UPDATE bench_switch SET stopped = false")

        return _measure("plain, FOR SHARE", PLAIN_STOPS, write, stop)


def _measure(
    name: str,
    stops: int,
    write: Callable[[Seen], None],
    stop: Callable[[], Callable[[], object]],
) -> Row:
    seen = Seen()
    commit, refused, leaked = [], [], 0
    with _writing(seen, write):
        for _ in range(stops):
            _until(lambda: len(seen.admitted_at), len(seen.admitted_at) + 2 * WRITERS)
            pressed = time.perf_counter()
            release = stop()
            committed = time.perf_counter()
            before = _effects()
            first = len(seen.refused_at)
            _until(lambda: len(seen.refused_at), first + 2 * WRITERS)
            commit.append((committed - pressed) * 1000)
            at = next((one for one in seen.refused_at if one >= pressed), committed)
            refused.append((at - pressed) * 1000)
            leaked += _effects() - before
            release()
            seen.refused_at.clear()
            seen.admitted_at.clear()
    return Row(
        name=name,
        stops=stops,
        commit_p50=_quantile(commit, 0.5),
        commit_p99=_quantile(commit, 0.99),
        refused_p50=_quantile(refused, 0.5),
        refused_p99=_quantile(refused, 0.99),
        leaked=leaked,
    )


@contextmanager
def _writing(seen: Seen, write: Callable[[Seen], None]) -> Iterator[None]:

    def keep_writing() -> None:
        try:
            while not seen.stopped.is_set():
                write(seen)
        finally:
            connection.close()

    threads = [threading.Thread(target=keep_writing) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        seen.stopped.set()
        for thread in threads:
            thread.join()


def _until(count: Callable[[], int], least: int) -> None:
    """Wait for the writers to get on; they stand still together if something is wrong."""
    deadline = time.monotonic() + 60
    while count() < least:
        if time.monotonic() > deadline:
            raise RuntimeError("The writers made no progress for a minute.")
        time.sleep(0.0005)


def _effects() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM bench_effect")
        row: tuple[int] = cursor.fetchone()
    return row[0]


def _quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@contextmanager
def _bench_tables() -> Iterator[None]:
    drop = "DROP TABLE IF EXISTS bench_effect, bench_switch"
    with _connect("owner") as owner:
        owner.execute(drop)
        owner.execute("CREATE TABLE bench_effect (at timestamptz DEFAULT clock_timestamp())")
        owner.execute("CREATE TABLE bench_switch AS SELECT false AS stopped")
        owner.execute("GRANT SELECT, INSERT, UPDATE ON bench_effect, bench_switch TO signalbox_app")
        try:
            yield
        finally:
            owner.execute(drop)


def _connect(alias: str, *, autocommit: bool = True) -> "psycopg.Connection[Any]":

    values = settings.DATABASES[alias]
    return psycopg.connect(
        dbname=values["NAME"],
        user=values["USER"] or None,
        password=values["PASSWORD"] or None,
        host=values["HOST"] or None,
        port=values["PORT"] or None,
        autocommit=autocommit,
    )


def main(write: Callable[[str], object] = print) -> None:
    write(f"stop under {WRITERS} guarded writers, ms from the press; target p99 <= {TARGET_MS}")
    head = f"{'way':<18} {'stops':>5} {'commit p50':>10} {'p99':>7}"
    write(f"{head} {'refusal p50':>11} {'p99':>7} leaked")
    for row in run():
        write(
            f"{row.name:<18} {row.stops:>5} {row.commit_p50:>10.1f} {row.commit_p99:>7.1f} "
            f"{row.refused_p50:>11.1f} {row.refused_p99:>7.1f} {row.leaked:>6}"
        )


if __name__ == "__main__":
    main()
