"""Reads of the trail; they return cards."""

from audit.queries.alarms import alarms, guards, last_drill, patrols
from audit.queries.completeness import completeness, tenant_log
from audit.queries.entries import entry, events_of
from audit.queries.executed import executed
from audit.queries.lists import PAGE, entries
from audit.queries.matching import matching
from audit.queries.proofs import proof

__all__ = [
    "PAGE",
    "alarms",
    "completeness",
    "entries",
    "entry",
    "events_of",
    "executed",
    "guards",
    "last_drill",
    "matching",
    "patrols",
    "proof",
    "tenant_log",
]
