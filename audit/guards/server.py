"""Settings of the server without which what was committed may be gone after a crash."""

from collections.abc import Iterator
from typing import Any, Final

import psycopg

from audit.cards import Drift
from audit.guards.expected import Looked

LOST: Final = {
    "fsync": "what was committed may be gone when the machine stops",
    "full_page_writes": "a page that was half written when the machine stopped stays broken",
}


def settings(db: "psycopg.Connection[Any]", at: Looked) -> Iterator[Drift]:  # noqa: ARG001
    for name, lost in LOST.items():
        row = db.execute("SELECT current_setting(%s)", [name]).fetchone()
        if row != ("on",):
            yield Drift(
                place=name,
                sentence=f"{name} is off on this server: {lost}.",
                remedy=f"ALTER SYSTEM SET {name} = on, then SELECT pg_reload_conf()",
                reach=False,
            )
