"""The self-check: does the database still keep everybody from altering the trail?

It only looks, over any session that may read the system catalogues, and names each drift in one
sentence with what to do. What must hold is written in `expected.py`; a fresh database has no drift
but those of its server.
"""

from typing import Any

import psycopg

from audit.cards import Drift
from audit.guards import grants, logins, rows, server, shields
from audit.guards.expected import Looked, looked_at

__all__ = ["SERVER", "Drift", "Looked", "look", "looked_at"]

SERVER = frozenset(server.LOST)  # places that are settings of the server

CHECKS = (
    logins.attributes,
    logins.memberships,
    logins.owned,
    logins.parameters,
    logins.rooms,
    logins.defaults,
    grants.writes,
    grants.strangers,
    grants.sequences,
    shields.triggers,
    shields.foreign,
    shields.functions,
    shields.shape,
    rows.forced,
    rows.policies,
    server.settings,
)


def look(db: "psycopg.Connection[Any]", *, login: str = "") -> tuple[Drift, ...]:
    """Return every drift; none is good news.

    Args:
        login: the role that the application logs in as; by default that of this session.
    """
    at = looked_at(db, login)
    return tuple(drift for check in CHECKS for drift in check(db, at))
