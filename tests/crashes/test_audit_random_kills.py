"""Random kills of the sealer's session: whatever was published can be derived again.

`deploy/bench/audit_kills.py` does it at length, with processes and the database itself.
"""

import random
import threading

import psycopg
import pytest

from audit import direct
from audit.sealing import Sealer
from console.kernel.actors import Actor
from tests.audit.facts import found_wrong, log_of, note, person, seal, sign

KILLS = 8
EVENTS = 40


# A cursor whose session was killed cannot be closed any more, and psycopg says so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
class TestKilledSessions:
    def test_leave_every_published_checkpoint_derivable(self) -> None:
        actor = person()
        note(actor=actor)
        seal()
        stop, chance = threading.Event(), random.Random(7)  # noqa: S311 - repeatable, not secret
        thread = threading.Thread(target=keep_sealing, args=(stop,))
        thread.start()
        published: dict[int, bytes] = {}
        killed = 0
        try:
            with direct.connect("owner") as owner:
                for _ in range(KILLS):
                    note(actor=actor, n=EVENTS)
                    stop.wait(chance.uniform(0, 0.02))  # somewhere in a round
                    killed += kill_sealer(owner)
                    sign(actor)
                    published.update(checkpoints(owner, actor))
        finally:
            stop.set()
            thread.join()
        seal()
        sign(actor)

        assert killed
        with direct.connect("signer") as signer:
            assert found_wrong(signer, actor) == set()
            kept = checkpoints(signer, actor)
            row = signer.execute(
                "SELECT count(*), count(DISTINCT event_id) FROM audit_entry WHERE log_id = %s",
                [log_of(actor)],
            ).fetchone()
        assert row == (1 + KILLS * EVENTS, 1 + KILLS * EVENTS)
        assert published.items() <= kept.items()


def keep_sealing(stop: threading.Event) -> None:
    sealer = Sealer()
    while not stop.is_set():
        try:
            sealer.run_round()
        except (psycopg.Error, psycopg.Rollback):
            continue  # its session was killed, or killed as it rolled back; it opens another
    sealer.close()


def kill_sealer(owner: "psycopg.Connection[tuple[object, ...]]") -> int:
    rows = owner.execute(
        """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = 'signalbox sealer'
              AND pid <> pg_backend_pid()"""
    )
    return len(rows.fetchall())


def checkpoints(db: "psycopg.Connection[tuple[object, ...]]", actor: Actor) -> dict[int, bytes]:
    rows = db.execute(
        "SELECT size, root FROM audit_checkpoint WHERE log_id = %s", [log_of(actor)]
    ).fetchall()
    return {int(str(size)): bytes(root) for size, root in rows}  # type: ignore[call-overload]
