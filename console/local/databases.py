"""Databases on a server: made, dropped, and whether their tables are those of this checkout."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from console.local import environment
from console.local.errors import CannotStart
from console.local.places import ROOT

CONNECT_S = 10


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """Connect as the owner; without a transaction, because databases are made outside of one."""
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_S)
    except psycopg.OperationalError as error:
        reason = " ".join(str(error).split())
        raise CannotStart(f"PostgreSQL does not let us in: {reason}.") from error
    with connection:
        yield connection


def ensure(url: str, *, fresh: bool = False) -> None:
    """Make the database of `url` when it is missing; with `fresh`, drop what is there first."""
    name = environment.database_of(url)
    with connected(_beside(url)) as connection:
        if fresh:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if found.fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def trust_the_machine(url: str) -> None:
    """Let the server of `url` leave it to the kernel when commits reach the disk.

    What was committed survives the end of any process, so nothing that the tests kill tells the
    difference; only the end of the machine would.
    """
    with connected(url) as connection:
        for setting in ("fsync", "full_page_writes"):
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")


def _beside(url: str) -> str:
    """Return the URL of another database of the server: one cannot drop the one one is in."""
    standard, last = (environment.with_database(url, name) for name in ("postgres", "template1"))
    try:
        with connected(standard):
            return standard
    except CannotStart:
        return last


def state(url: str) -> str:
    """Name what was applied to the database; "" before the first migration."""
    with connected(url) as connection:
        row = connection.execute("SELECT to_regclass('django_migrations')").fetchone()
        if row is None or row[0] is None:
            return ""
        rows = connection.execute(
            "SELECT app, name, applied FROM django_migrations ORDER BY id"
        ).fetchall()
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def files() -> str:
    """Digest what decides which migrations there are: ours, and the installed packages."""
    digest = hashlib.sha256()
    for path in sorted([ROOT / "requirements.lock", *_migrations()]):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _migrations() -> Iterator[Path]:
    for app in ("agents", "approvals", "audit", "console", "costs"):
        yield from ROOT.joinpath(app).glob("**/migrations/*.py")
