"""The embedded servers as a pair that several processes may share.

Whoever uses them holds a shared lock. The last one to leave finds that it can have the lock alone,
and stops them. A user that is killed lets go of the lock as well, so nothing is counted wrong.
"""

from contextlib import suppress
from types import TracebackType
from typing import Self

from console.local.errors import CannotStart
from console.local.locks import Lock, held
from console.local.places import Place
from console.local.postgres import Postgres
from console.local.redis import Redis


class Servers:
    """The servers of one place; entered by everybody who uses them."""

    def __init__(self, place: Place, *, postgres: Postgres | None, redis: Redis | None) -> None:
        self.place = place
        self.postgres = postgres
        self.redis = redis
        self.redis_refused = ""
        self._use: Lock | None = None

    def __enter__(self) -> Self:
        if self.postgres is None and self.redis is None:
            return self
        with held(self.place.run / "gate"):
            self._use = Lock(self.place.run / "users")
            self._use.share()
            self.ensure()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._use is None:
            return
        with held(self.place.run / "gate"):
            if self._use.try_take():
                self._stop()
            self._use.close()
            self._use = None

    def ensure(self) -> None:
        """Start what does not run. Guarantees hold without Redis: its refusal is only noted."""
        if self.postgres is not None:
            self.postgres.start()
        if self.redis is not None:
            try:
                self.redis.start()
            except CannotStart as refused:
                self.redis_refused = str(refused)

    def mend(self) -> list[str]:
        """Start again what has died; return the names of what had."""
        with held(self.place.run / "gate"):
            dead = [
                name
                for name, one in (("postgres", self.postgres), ("redis", self.redis))
                if one is not None and one.running() is None
            ]
            if dead:
                self.ensure()
        return dead

    def _stop(self) -> None:
        if self.redis is not None:
            self.redis.stop()
        if self.postgres is not None:
            self.postgres.stop()
            with suppress(OSError):
                self.place.forget_sockets()
