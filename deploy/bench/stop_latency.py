"""How long a stop takes under load, beside the obvious way: `python deploy/bench/stop_latency.py`.

Writers do guarded transactions without a pause. *Ours* takes the stop lock that they share.
*Plain* is what one would write first: each writer reads the switch row `FOR SHARE`, and the stop
updates that row; writers that never pause keep it waiting. Both in one run, on the database of the
settings, in a tenant of its own. Times are from the press, before the stop's transaction begins.
Numbers are printed, never asserted.
"""

import argparse
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection
from django_ready import connect
from rows import Row, quantile, say, script

from agents.controls import commands, permits
from agents.controls.cards import Fields, Scope
from agents.controls.states import Point, ScopeKind
from console.kernel.actors import Actor, ActorKind
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant

WRITERS = 16
PLAIN_S = 60.0  # a plain stop may take seconds: no more are begun after this time
TARGET_MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Stops:
    """What one way took, in milliseconds; `leaked` effects came after the stop's commit."""

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


def measure(asked: argparse.Namespace) -> list[Row]:
    """Measure both ways; removes its own tables."""
    with _bench_tables():
        ours = _ours(30 if asked.quick else 100)
        plain = _plain(5 if asked.quick else 25)
    for way in (ours, plain):
        say(
            f"stop, {way.name}: {way.stops} stops, commit p50 {way.commit_p50:.1f} "
            f"p99 {way.commit_p99:.1f} ms, refusal p50 {way.refused_p50:.1f} ms, "
            f"{way.leaked} effects after the commit"
        )
    return [
        Row(
            measurement=f"stop to first refusal (p99), {WRITERS} writers",
            ours=f"{ours.refused_p99:.0f} ms, {ours.leaked} leaked",
            plain=f"{plain.refused_p99:.0f} ms, switch row FOR SHARE",
            target=f"<= {TARGET_MS} ms",
            met=ours.refused_p99 <= TARGET_MS,
        )
    ]


def _ours(stops: int) -> Stops:
    tenant = uuid7()
    rights = frozenset({"controls.engage", "controls.release"})
    actor = Actor(
        tenant_id=tenant, kind=ActorKind.PERSON, id=str(uuid7()), label="bench", permissions=rights
    )
    scope = Scope(kind=ScopeKind.AGENT, value="bench")

    def stop() -> Callable[[], object]:
        card = commands.engage(actor=actor, scope=scope, reason="Measured.")
        return lambda: commands.release(actor=actor, switch_id=card.id, reason="Measured.")

    return _measure("ours", stops, lambda seen: _guarded(tenant, seen), stop)


def _guarded(tenant: UUID, seen: Seen) -> None:
    """Do one guarded transaction as the runtime does."""
    fields = Fields(tenant=tenant, agent="bench", tool="write", tier=2, run=uuid7())
    with in_tenant(tenant):
        answer = permits.permitted(Point.TOOL_CALL, fields, guard=True)
        if answer.allowed:
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO bench_effect DEFAULT VALUES")
    (seen.admitted_at if answer.allowed else seen.refused_at).append(time.perf_counter())


def _plain(stops: int) -> Stops:
    local = threading.local()

    def write(seen: Seen) -> None:
        if not hasattr(local, "connection"):
            local.connection = connect("default", autocommit=False)
        with local.connection.transaction():
            row = local.connection.execute("SELECT stopped FROM bench_switch FOR SHARE").fetchone()
            if not row[0]:
                local.connection.execute("INSERT INTO bench_effect DEFAULT VALUES")
        (seen.refused_at if row[0] else seen.admitted_at).append(time.perf_counter())

    with connect("default") as operator:

        def stop() -> Callable[[], object]:
            operator.execute("UPDATE bench_switch SET stopped = true")
            return lambda: operator.execute("UPDATE bench_switch SET stopped = false")

        return _measure("plain, FOR SHARE", stops, write, stop, most_s=PLAIN_S)


def _measure(
    name: str,
    stops: int,
    write: Callable[[Seen], None],
    stop: Callable[[], Callable[[], object]],
    *,
    most_s: float = 300.0,
) -> Stops:
    seen = Seen()
    enough = time.monotonic() + most_s
    commit, refused, leaked = [], [], 0
    with _writing(seen, write):
        for _ in range(stops):
            if time.monotonic() > enough:
                break
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
    return Stops(
        name=name,
        stops=len(commit),
        commit_p50=quantile(commit, 0.5),
        commit_p99=quantile(commit, 0.99),
        refused_p50=quantile(refused, 0.5),
        refused_p99=quantile(refused, 0.99),
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


@contextmanager
def _bench_tables() -> Iterator[None]:
    drop = "DROP TABLE IF EXISTS bench_effect, bench_switch"
    with connect("owner") as owner:
        owner.execute(drop)
        owner.execute("CREATE TABLE bench_effect (at timestamptz DEFAULT clock_timestamp())")
        owner.execute("CREATE TABLE bench_switch AS SELECT false AS stopped")
        owner.execute("GRANT SELECT, INSERT, UPDATE ON bench_effect, bench_switch TO signalbox_app")
        try:
            yield
        finally:
            owner.execute(drop)


if __name__ == "__main__":
    script(measure)
