"""No change without an event: tables are governed, or exempt with a reason."""

from uuid import uuid4

import pytest
from django.db import DatabaseError, connection

from console.kernel import tenancy

# Tables of tenants that no audit event has to accompany, each with the reason.
EXEMPT = {
    "kernel_outbox": "what leaves with a commit; the change itself is governed",
    "kernel_topic": "numbers of hints",
    "kernel_idempotency": "answers given; the command that gave them is governed",
    "accounts_keyuse": "when a key was last seen; its making and end are events",
    "accounts_refusedsignin": "counts of refused attempts; each is an event of its own",
    "accounts_sessionrecord": "moves with every request; its start and end are events",
    "accounts_passkeychallenge": "good for two minutes; the passkey that one registers is governed",
    "approvals_served": "what pages showed; a vote's own event carries the digest of the view",
    "approvals_nonce": "good for two minutes; the vote that one signs is governed",
    "agents_conversation": "the head of a transcript that moves with each message",
    "agents_message": "high volume; the run and its calls are governed",
    "agents_run": "moves with every step; what matters has events of its own",
    "agents_run_total": "counters of a run",
    "agents_run_event": "the operator's timeline, append-only by trigger",
    "agents_tool_contract": "immutable, written with the agent version that is governed",
    "agents_handoff": "opened by the call whose outcome is recorded",
    "approvals_probe": "when somebody last looked at a target; what was found is an event",
    "approvals_claim": "who looks at what for five minutes; taking one over is an event",
    "approvals_notice": "one row for each delivery; what it tells of is governed",
    "approvals_notice_setting": "a person's own wishes",
    "approvals_quorum": "follows from the events about people in the same transaction",
    "approvals_replay": "a question about the past; nothing follows from its answer",
    "approvals_replaycall": "what such a question found, append-only by trigger",
    "approvals_saved_view": "a person's own shortcuts",
    "approvals_snooze": "moves a row on one person's own list",
    "approvals_timer": "when pulse looks again; what it does then has events of its own",
    "costs_usage_line": "high volume, append-only by trigger",
}


def names(sql: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return {str(row[0]) for row in cursor.fetchall()}


TENANT_TABLES = (
    "SELECT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
    "WHERE a.attname = 'tenant_id' AND c.relkind IN ('r', 'p') AND NOT c.relispartition "
    "AND c.relnamespace = 'public'::regnamespace"
)
GOVERNED = "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'must_audit'"


class TestTrail:
    def test_every_table_is_governed_or_exempt_with_a_reason(self) -> None:
        tables = {name for name in names(TENANT_TABLES) if not name.startswith("audit_")}
        assert tables - names(GOVERNED) - set(EXEMPT) == set()

    def test_no_exemption_is_stale(self) -> None:
        assert set(EXEMPT) - names(TENANT_TABLES) == set()
        assert set(EXEMPT) & names(GOVERNED) == set()

    def test_every_trigger_fires_in_replica_mode_too(self) -> None:
        # tgenabled 'A' is ENABLE ALWAYS; the default 'O' is skipped by session_replication_role.
        assert names(GOVERNED + " AND tgenabled <> 'A'") == set()

    def test_raw_sql_without_an_event_fails_at_commit(self) -> None:
        tenant_id = uuid4()
        with (
            pytest.raises(DatabaseError, match="has no audit event"),
            tenancy.scope(tenant_id),
            connection.cursor() as cursor,
        ):
            cursor.execute(
                "INSERT INTO widget_key (id, tenant_id, public, title, agent, origins) "
                "VALUES (%s, %s, %s, 'x', 'x', '{https://a.example}')",
                [uuid4(), tenant_id, str(uuid4())],
            )
