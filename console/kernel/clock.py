"""The time, by the database's clock: no machine's own clock ever meets a deadline."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.db import connection

_frozen: list[datetime] = []


def now() -> datetime:
    """Return the database's time at this very moment, in UTC.

    Read it after the row lock: waiting for a lock must not make a late act count.
    """
    if _frozen:
        return _frozen[-1]
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
    value: datetime = row[0]
    return value.astimezone(UTC)


@contextmanager
def frozen(at: datetime) -> Iterator[None]:
    """Let `now` return `at` in this process; it ships, so that tests need no patching."""
    _frozen.append(at)
    try:
        yield
    finally:
        _frozen.pop()


def later(at: datetime, *, seconds: float) -> datetime:
    return at + timedelta(seconds=seconds)
