"""Reads of the trail; they return cards."""

from audit import direct
from audit.queries.alarms import alarms, guards, last_drill
from audit.queries.entries import (
    PAGE,
    completeness,
    entries,
    entry,
    events_of,
    tenant_log,
)
from audit.queries.proofs import proof

__all__ = [
    "PAGE",
    "alarms",
    "completeness",
    "direct",
    "entries",
    "entry",
    "events_of",
    "guards",
    "last_drill",
    "proof",
    "tenant_log",
]
