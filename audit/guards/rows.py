"""Row-level security on the tables of the trail."""

from collections.abc import Iterator
from typing import Any

import psycopg

from audit.cards import Drift
from audit.guards.expected import POLICIES, Looked, Policy


def forced(db: "psycopg.Connection[Any]", at: Looked) -> Iterator[Drift]:
    """Every table of tenants that the trail or a guard is about keeps them apart."""
    found = db.execute(
        """SELECT c.relname::text FROM pg_class c
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
            WHERE (c.oid::bigint = ANY (%s) OR c.relkind IN ('r', 'p')
              AND c.relname LIKE 'audit\\_%%')
              AND NOT (c.relrowsecurity AND c.relforcerowsecurity) ORDER BY 1""",
        [[*at.trail, *at.governed]],
    )
    for (table,) in found.fetchall():
        yield Drift(
            place=table,
            sentence=f"Row-level security is not forced on {table}: tenants could meet in it.",
            remedy=f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
            reach=True,
        )


def policies(db: "psycopg.Connection[Any]", at: Looked) -> Iterator[Drift]:
    """Every policy is there as it was made, and no other lets more in."""
    found = db.execute(
        """SELECT tablename::text, policyname::text, cmd, roles::text[], permissive = 'PERMISSIVE',
                  qual, with_check
             FROM pg_policies WHERE schemaname = 'public' AND tablename = ANY (%s)""",
        [list(POLICIES)],
    )
    there = {(row[0], row[1]): row[2:] for row in found.fetchall()}
    for table, wanted in sorted(POLICIES.items()):
        for name, policy in wanted.items():
            if (wrong := _wrong(there.get((table, name)), policy, at.owner)) is not None:
                yield Drift(
                    place=table,
                    sentence=f"The policy {name} on {table} {wrong}.",
                    remedy="make it anew, as the migrations of audit do",
                    reach=True,
                )
    for (table, name), (_, _, lets_in, *_) in sorted(there.items()):
        if lets_in and name not in POLICIES[table]:
            yield Drift(
                place=table,
                sentence=f"The policy {name} on {table} is not the product's and lets more in.",
                remedy=f"DROP POLICY {name} ON {table}",
                reach=True,
            )


def _wrong(found: Any, policy: Policy, owner: str) -> str | None:
    if found is None:
        return "is missing"
    command, roles, lets_in, *conditions = found
    told = frozenset("owner" if role == owner else role for role in roles)
    asked = [text for text in conditions if text is not None]
    says = all(policy.says in text for text in asked)
    if (command, told, lets_in) == (policy.command, policy.roles, policy.permissive) and says:
        return None
    return "is not the one that was made"
