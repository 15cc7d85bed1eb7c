"""Reads of the trail stay indexed, however long it grows."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from audit import queries
from audit.search import Search
from console.kernel.actors import Actor
from console.kernel.transactions import in_tenant
from tests.audit.facts import note, seal, settle

READS: list[Callable[[Actor, str], object]] = [
    lambda actor, _: queries.completeness(actor=actor),
    lambda actor, _: queries.entries(actor=actor, search=Search()),
    lambda actor, _: queries.entry(actor=actor, index=1),
    lambda actor, _: queries.proof(actor=actor, index=1),
    lambda actor, thing: queries.events_of(actor=actor, target_type="test", target_id=thing),
]


class TestEveryRead:
    @pytest.mark.parametrize("read", READS)
    def test_finds_events_by_transaction_and_never_reads_all(
        self, actor: Actor, read: Callable[[Actor, str], object]
    ) -> None:
        """A small table is read whole, so that is forbidden here; the conditions tell the rest."""
        thing = uuid4()
        note(actor=actor, n=3, thing_id=thing)
        settle(actor)
        note(actor=actor, thing_id=thing)
        seal()
        note(actor=actor, thing_id=thing)

        plans: list[dict[str, Any]] = []
        with in_tenant(actor.tenant_id), connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            with connection.execute_wrapper(explaining(plans)):
                read(actor, str(thing))
        scans = [node for plan in plans for node in nodes(plan) if is_of_events(node)]
        assert scans
        assert [node for node in scans if "xid" not in node.get("Index Cond", "")] == []


def explaining(plans: list[dict[str, Any]]) -> Callable[..., Any]:
    def explain(execute: Any, sql: str, params: Any, *rest: Any) -> Any:
        if "audit_event" in sql:
            with connection.connection.cursor() as cursor:
                row = cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params).fetchone()
                plans.append(row[0][0]["Plan"])
        return execute(sql, params, *rest)

    return explain


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def is_of_events(node: dict[str, Any]) -> bool:
    """Tell whether a node takes rows of the events' table or of its index."""
    if node["Node Type"] == "Bitmap Heap Scan":
        return False  # fed by scans of the index
    return node.get("Relation Name") == "audit_event" or "event_place" in node.get("Index Name", "")
