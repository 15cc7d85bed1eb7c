"""Pulse: the small process that does what must never depend on Celery.

Each duty runs in its own thread under a lease in PostgreSQL, so any number of pulse processes may
run and one of them does each duty. A duty that is done twice leaves the state of once.
"""

import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.db import connection

from console.kernel import logs
from console.kernel.models import Lease

log = structlog.get_logger(__name__)

LEASE_S = 15.0
RENEW_AFTER_S = 5.0


@dataclass(frozen=True, slots=True)
class Duty:
    """Something done again and again; `run` returns how many rows it handled."""

    name: str
    every_s: float
    run: Callable[[], int]
    leased: bool


_duties: dict[str, Duty] = {}


def duty(
    name: str, *, every_s: float, leased: bool = True
) -> Callable[[Callable[[], int]], Callable[[], int]]:
    """Declare a duty; a `duties.py` does it at import.

    Args:
        every_s: pause after a round that found nothing to do.
        leased: False for what every process does for itself, like reporting that it lives.
    """

    def register(run: Callable[[], int]) -> Callable[[], int]:
        _duties[name] = Duty(name, every_s, run, leased)
        return run

    return register


def duties() -> list[Duty]:
    return sorted(_duties.values(), key=lambda one: one.name)


def holder() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def run_once(name: str) -> int:
    """Do one duty now, without a lease; commands and tests use it."""
    return _duties[name].run()


def run(stop: threading.Event, *, only: str = "") -> None:
    """Do all duties until `stop` is set; returns when every thread has ended."""
    chosen = [one for one in duties() if not only or one.name == only]
    threads = [
        threading.Thread(target=_keep_doing, args=(one, stop), name=f"duty {one.name}")
        for one in chosen
    ]
    for thread in threads:
        thread.start()
    log.info("pulse.started", duties=[one.name for one in chosen], holder=holder())
    stop.wait()
    for thread in threads:
        thread.join()
    log.info("pulse.stopped", holder=holder())


def _keep_doing(one: Duty, stop: threading.Event) -> None:
    held_until = 0.0
    while not stop.is_set():
        handled = 0
        try:
            if time.monotonic() >= held_until:
                held_until = time.monotonic() + RENEW_AFTER_S if _take_lease(one) else 0.0
            if held_until:
                handled = one.run()
        except Exception as error:
            log.exception("duty.failed", duty=one.name, error=type(error).__name__)
            held_until = 0.0
            stop.wait(1.0)
        finally:
            logs.unbind()
            connection.close()  # back to the pool; there may be more duties than connections
        if not handled:
            stop.wait(one.every_s if held_until else max(one.every_s, 1.0))
    _give_up_lease(one)
    connection.close()


def _take_lease(one: Duty) -> bool:
    """Take or renew the lease by compare-and-set on the database's clock."""
    if not one.leased:
        return True
    table = Lease._meta.db_table  # noqa: SLF001 - Django's documented way to a table's name
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO {table} (name, holder, until, last_run_at, last_error)
            VALUES (%s, %s, clock_timestamp() + make_interval(secs => %s), clock_timestamp(), '')
            ON CONFLICT (name) DO UPDATE
              SET holder = excluded.holder, until = excluded.until, last_run_at =
              excluded.last_run_at WHERE {table}.holder = excluded.holder OR {table}.until <
              clock_timestamp()""",  # noqa: S608
            [one.name, holder(), LEASE_S],
        )
        return bool(cursor.rowcount == 1)


def _give_up_lease(one: Duty) -> None:
    if not one.leased:
        return
    try:
        Lease.objects.filter(name=one.name, holder=holder()).delete()
    except Exception as error:  # noqa: BLE001 - the lease ends by itself
        log.warning("duty.lease_kept", duty=one.name, error=type(error).__name__)
