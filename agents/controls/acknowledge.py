"""Each process says once a second which switch epoch it has acted on; nothing is decided by it.

A worker does it in a thread of its own, started after any fork; pulse does it as a duty. The row
tells the board who is alive; the check itself (`permits`) never looks at it.
"""

import os
import socket
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import structlog
from asgiref.sync import sync_to_async
from django.db import DatabaseError, connection
from typing_extensions import override

from agents.controls import permits
from agents.controls.models import Worker
from agents.controls.states import FORGOTTEN_AFTER_S
from console.kernel import tenancy

log = structlog.get_logger(__name__)

EVERY_S: Final = 1.0
FINISH_WITHIN_S: Final = 3.0
_starting = threading.Lock()


_tickers: "dict[int, _Ticker]" = {}  # by process id, because a fork copies this dictionary


def acknowledge(kind: str) -> int:
    """Act on the newest epoch in this process, then say so; returns that epoch."""
    with tenancy.unscoped():
        epoch = permits.current_epoch()
        permits.note_epoch(epoch)
        with connection.cursor() as cursor:
            cursor.execute(
                f"""INSERT INTO {Worker._meta.db_table} (kind, host, pid, applied_epoch)
                VALUES (%s, %s, %s, %s)
                ON CONFLICT (kind, host, pid) DO UPDATE
                  SET applied_epoch = excluded.applied_epoch, seen_at = clock_timestamp()""",  # noqa: S608, SLF001
                [kind, host(), os.getpid(), epoch],
            )
    return epoch


def sign_off(kind: str) -> None:
    """Take this process off the board: it ends, and nothing of it can still be running."""
    with tenancy.unscoped():
        Worker.objects.filter(kind=kind, host=host(), pid=os.getpid()).delete()


def start(kind: str) -> None:
    """Keep acknowledging in a thread of this process; a second call starts no second one."""
    with _starting:
        if os.getpid() in _tickers:
            return
        ticker = _tickers[os.getpid()] = _Ticker(kind)
    ticker.start()


def finish() -> None:
    """End the thread and take this process off the board, before it exits."""
    with _starting:
        ticker = _tickers.pop(os.getpid(), None)
    if ticker is not None:
        ticker.ended.set()
        ticker.join(FINISH_WITHIN_S)


async def lifespan(
    _scope: Mapping[str, Any],
    receive: Callable[[], Awaitable[Mapping[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Acknowledge as a web process from the server's start to its end (ASGI lifespan protocol)."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            start("web")
            await send({"type": "lifespan.startup.complete"})
        else:
            await sync_to_async(finish)()
            await send({"type": "lifespan.shutdown.complete"})
            return


def drop_forgotten() -> int:
    """Remove the rows of processes that have been gone for long; they stopped counting before."""
    with tenancy.unscoped(), connection.cursor() as cursor:
        cursor.execute(
            f"""DELETE FROM {Worker._meta.db_table}
            WHERE seen_at < clock_timestamp() - make_interval(secs => %s)""",  # noqa: S608, SLF001
            [10 * FORGOTTEN_AFTER_S],
        )
        return int(cursor.rowcount)


def host() -> str:
    return socket.gethostname()[:120]


class _Ticker(threading.Thread):
    def __init__(self, kind: str) -> None:
        super().__init__(name="stop ticks", daemon=True)
        self.kind = kind
        self.ended = threading.Event()

    @override
    def run(self) -> None:
        while not self.ended.is_set():
            self._say(acknowledge)
            self.ended.wait(EVERY_S)
        self._say(sign_off)

    def _say(self, act: Callable[[str], object]) -> None:
        try:
            act(self.kind)
        except DatabaseError as error:
            # The board shows this process as silent; its checks fail closed by themselves.
            log.warning("stop.tick_failed", kind=self.kind, error=type(error).__name__)
        finally:
            connection.close()
