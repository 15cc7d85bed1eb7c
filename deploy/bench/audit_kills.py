"""Random kills of sealer, signer and database under load: `python deploy/bench/audit_kills.py`.

Writers go on all the time and remember what was acknowledged. A reader copies every checkpoint that
it sees. After the last kill everything that was acknowledged must be sealed once, and every
checkpoint that anybody saw must follow from the bytes that are stored now. Ends with 1 otherwise.
"""

import argparse
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
from rows import Row, say, table
from stage import Stage, end, prepare, stage

from console.local.errors import CannotStart  # found by the import of `stage`

WRITERS: Final = 4
KILLS: Final = 20
PATIENCE_S: Final = 120.0
_EVENT: Final = """
    INSERT INTO audit_event (tenant_id, event_uid, keep, envelope)
    VALUES (%s, %s, 'standard', %s)"""
PROGRAMS: Final = {
    "sealer": ("manage.py", "pulse", "--only", "audit.seal"),
    "signer": ("-m", "audit.signing"),
}


@dataclass(slots=True)
class Seen:
    """What the world outside the database knows."""

    tenants: list[UUID] = field(default_factory=lambda: [uuid4() for _ in range(3)])
    written: set[UUID] = field(default_factory=set)  # acknowledged event uids
    published: dict[tuple[str, int], str] = field(default_factory=dict)  # (origin, size) → note
    written_all: threading.Event = field(default_factory=threading.Event)
    copied_all: threading.Event = field(default_factory=threading.Event)


def main() -> None:
    parser = argparse.ArgumentParser(prog="audit_kills.py", description="Kill, and look.")
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    asked = parser.parse_args()
    if os.environ.get("DATABASE_URL"):
        sys.exit("This kills the database, so it takes servers of its own; unset DATABASE_URL.")
    try:
        with stage() as at, at.found.servers:
            prepare(at)
            rows = _run(at, kills=asked.kills, seed=asked.seed)
    except CannotStart as refused:
        sys.exit(f"Cannot start: {refused}")
    print(table(rows))
    sys.exit(not all(row.met for row in rows))


def _run(at: Stage, *, kills: int, seed: int) -> list[Row]:
    say(f"kills: {kills} with seed {seed}")
    seen, chance, done = Seen(), random.Random(seed), dict.fromkeys([*PROGRAMS, "database"], 0)  # noqa: S311
    with _load(at, seen):
        running = {name: _start(at, name) for name in PROGRAMS}
        try:
            for _ in range(kills):
                _wait_for_news(seen)
                time.sleep(chance.uniform(0.0, 1.0))
                name = chance.choice(list(done))
                done[name] += 1
                if name == "database":
                    _kill_database(at)
                else:
                    running[name].send_signal(signal.SIGKILL)
                for each, process in running.items():
                    if process.poll() is not None or name == each:
                        process.wait(PATIENCE_S)
                        running[each] = _start(at, each)
            _settle(at, seen)
        finally:
            for process in running.values():
                end(process)
    say("kills: " + ", ".join(f"{count} of the {name}" for name, count in done.items()))
    return _judge(at, seen)


def _start(at: Stage, name: str) -> Any:
    log = at.place.logs / f"kills-{name}.log"
    return at.program(*PROGRAMS[name], log=log, variables=at.variables)


def _kill_database(at: Stage) -> None:
    postgres = at.found.servers.postgres
    who = postgres.running() if postgres else None
    if who is not None:
        who.send(signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE_S
        while who.is_alive() and time.monotonic() < deadline:
            time.sleep(0.02)
    at.found.servers.mend()
    at.refresh()


@contextmanager
def _load(at: Stage, seen: Seen) -> Iterator[None]:
    threads = [threading.Thread(target=_write, args=(at, seen, n)) for n in range(WRITERS)]
    threads.append(threading.Thread(target=_copy, args=(at, seen)))
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        seen.written_all.set()
        seen.copied_all.set()
        for thread in threads:
            thread.join()


def _write(at: Stage, seen: Seen, number: int) -> None:
    chance = random.Random(number)  # noqa: S311
    while not seen.written_all.is_set():
        with suppress(psycopg.Error), psycopg.connect(at.variables["DATABASE_URL"]) as connection:
            while not seen.written_all.is_set():
                uids = [uuid4() for _ in range(chance.randint(1, 5))]
                tenant = chance.choice(seen.tenants)
                scope = "SELECT set_config('signalbox.tenant_id', %s, true)"
                connection.execute(scope, [str(tenant)])
                for uid in uids:
                    body = f'{{"uid":"{uid}","tenant":"{tenant}","keep":"standard"}}'
                    connection.execute(_EVENT, [tenant, uid, body.encode()])
                connection.commit()
                seen.written.update(uids)  # only what was acknowledged
                time.sleep(0.002)
        time.sleep(0.05)


def _copy(at: Stage, seen: Seen) -> None:
    """Keep every checkpoint that can be seen, as a witness would."""
    query = """SELECT l.origin, c.size, c.note FROM audit_checkpoint c
                 JOIN audit_log l ON l.id = c.log_id"""
    while not seen.copied_all.is_set():
        url = at.variables["SIGNALBOX_SIGNER_URL"]
        with suppress(psycopg.Error), psycopg.connect(url, autocommit=True) as connection:
            while not seen.copied_all.wait(0.2):
                for origin, size, note in connection.execute(query).fetchall():
                    seen.published[origin, size] = note
        time.sleep(0.05)


def _settle(at: Stage, seen: Seen) -> None:
    """Let the writers end, and what they wrote be sealed and signed."""
    seen.written_all.set()
    query = """SELECT count(*) FROM audit_event e
                WHERE tenant_id = ANY (%s) AND NOT EXISTS (
                  SELECT 1 FROM audit_entry n JOIN audit_checkpoint c ON c.log_id = n.log_id
                   WHERE (n.event_epoch, n.event_xid, n.event_id) = (e.epoch, e.xid, e.id)
                     AND c.size > n.index)"""
    deadline = time.monotonic() + PATIENCE_S
    with psycopg.connect(at.variables["SIGNALBOX_SIGNER_URL"], autocommit=True) as connection:
        while connection.execute(query, [seen.tenants]).fetchone() != (0,):
            if time.monotonic() > deadline:
                return
            time.sleep(0.5)
    _wait_for_news(seen, for_s=2.0)  # the newest are copied too


def _wait_for_news(seen: Seen, *, for_s: float = 30.0) -> None:
    """Wait until one more checkpoint was published, so that every kill meets work under way."""
    before, deadline = len(seen.published), time.monotonic() + for_s
    while len(seen.published) == before and time.monotonic() < deadline:
        time.sleep(0.05)


def _judge(at: Stage, seen: Seen) -> list[Row]:
    with ExitStack() as stack:
        url = at.variables["SIGNALBOX_SIGNER_URL"]
        connection = stack.enter_context(psycopg.connect(url, autocommit=True))
        uids = [
            row[0]
            for row in connection.execute(
                """SELECT e.event_uid FROM audit_entry n JOIN audit_event e
                       ON (e.epoch, e.xid, e.id) = (n.event_epoch, n.event_xid, n.event_id)
                    WHERE n.tenant_id = ANY (%s)""",
                [seen.tenants],
            ).fetchall()
        ]
        wrong = _underivable(connection, seen)
    lost, doubled = len(seen.written - set(uids)), len(uids) - len(set(uids))
    return [
        Row(
            measurement=f"{len(seen.written)} acknowledged events after the kills",
            ours=f"{lost} lost, {doubled} doubled",
            target="0 of each",
            met=not lost and not doubled and bool(uids),
        ),
        Row(
            measurement="checkpoints that were seen published",
            ours=f"{len(seen.published) - wrong} of {len(seen.published)} derived again",
            target="all",
            met=not wrong and bool(seen.published),
        ),
    ]


def _underivable(connection: "psycopg.Connection[Any]", seen: Seen) -> int:
    """Rebuild every log from stored bytes and compare each checkpoint that was copied."""
    from audit.verifier import tree  # noqa: PLC0415 - the path is set by `stage`

    wrong = 0
    logs = connection.execute("SELECT id, tenant_id, origin FROM audit_log").fetchall()
    for log_id, tenant_id, origin in logs:
        sizes = {size: note for (name, size), note in seen.published.items() if name == origin}
        towers, good = tree.Towers(), 0
        for leaf in _leaves(connection, log_id, tenant_id):
            towers.push(leaf)
            note = sizes.get(towers.size)
            good += note is not None and _root_of(note) == towers.head()
        wrong += len(sizes) - good
    return wrong


def _leaves(
    connection: "psycopg.Connection[Any]", log_id: UUID, tenant_id: UUID | None
) -> Iterator[bytes]:
    from audit.verifier import tree  # noqa: PLC0415 - as above

    if tenant_id is None:
        for (leaf,) in connection.execute("SELECT leaf FROM audit_meta_leaf ORDER BY index"):
            yield tree.hashed_leaf(bytes(leaf))
        return
    rows = connection.execute(
        """SELECT e.event_uid, (extract(epoch FROM e.received_at) * 1000000)::bigint, e.envelope
             FROM audit_entry n JOIN audit_event e
               ON (e.epoch, e.xid, e.id) = (n.event_epoch, n.event_xid, n.event_id)
            WHERE n.log_id = %s ORDER BY n.index""",
        [log_id],
    )
    for uid, received_us, raw in rows:
        yield tree.rebuilt_leaf(uid.bytes, received_us, bytes(raw))


def _root_of(note: str) -> bytes:
    from audit import notes  # noqa: PLC0415 - as above

    return notes.Checkpoint.parse(note.rpartition("\n\n")[0] + "\n").root


if __name__ == "__main__":
    main()
