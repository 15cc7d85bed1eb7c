"""Points at which a process ends itself with SIGKILL: each thing that it asks the database to keep.

Right before an INSERT, UPDATE or DELETE the point has its name, as in "INSERT approvals_vote". A
transaction that wrote has three more: "COMMIT" before it is asked for, "COMMIT sent" while nobody
knows how it went, and "COMMITTED" when it is known and nobody has been told.
"""

import os
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.db.backends.signals import connection_created

_WRITE: Final = re.compile(r'\s*(INSERT|UPDATE|DELETE)(?: INTO| FROM)?\s+(?:ONLY\s+)?"?(\w+)"?')
Point = int | str  # the n-th of them all, or the first of this name


@dataclass(slots=True)
class Killer:
    """Watches every connection that this process opens, and ends the process at one point."""

    at: Point
    since: str = ""  # the point where counting begins, if that is not the first
    _seen: int = 0
    _wrote: bool = False

    def watch(self) -> None:
        # The reference is weak otherwise, and nobody else keeps this.
        connection_created.connect(self._opened, weak=False)

    def _opened(self, *, connection: Any, **_: object) -> None:
        commit: Callable[[], None] = connection._commit

        def watched() -> None:
            if not self._wrote:
                commit()
                return
            self._pass("COMMIT")
            self._pass("COMMIT sent", lambda: _send_commit(connection))
            commit()
            self._wrote = False
            self._pass("COMMITTED")

        connection._commit = watched
        connection.execute_wrappers.append(self._execute)

    def _execute(
        self, run: Callable[..., Any], sql: str, params: Any, many: Any, context: Any
    ) -> Any:
        if found := _WRITE.match(sql):
            self._pass(" ".join(found.groups()))
            self._wrote = True
        return run(sql, params, many, context)

    def _pass(self, point: str, last_act: Callable[[], object] = lambda: None) -> None:
        self._seen += bool(self._seen or self.since in {"", point})
        if self._seen and self.at in {point, self._seen}:
            last_act()
            os.kill(os.getpid(), signal.SIGKILL)


def _send_commit(connection: Any) -> None:
    """Let a COMMIT leave this process, and wait for no answer."""
    wire = connection.connection.pgconn
    wire.send_query(b"COMMIT")
    while wire.flush():
        pass
