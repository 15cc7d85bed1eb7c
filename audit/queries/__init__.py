"""Reads of the trail; they return cards."""

from audit.queries.entries import (
    PAGE,
    completeness,
    entries,
    entry,
    events_of,
    tenant_log,
)
from audit.queries.proofs import proof

__all__ = ["PAGE", "completeness", "entries", "entry", "events_of", "proof", "tenant_log"]
