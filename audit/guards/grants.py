"""Rights on the tables of the trail: what each role may write, and who else may."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

import psycopg

from audit.cards import Drift
from audit.guards.expected import ALL, IDENTITIES, WRITERS, Looked
from console.kernel.schema import APP_ROLE, ROLES

CHANGES: Final = ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
BY_COLUMN: Final = ("INSERT", "UPDATE", "REFERENCES")
_ALLOWED_ON_GOVERNED: Final = ("TRUNCATE", "TRIGGER")


def writes(db: "psycopg.Connection[Any]", at: Looked) -> Iterator[Drift]:
    """Compare what a role could write, by whatever way, with what it is for."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for role, table, column, right in _held(db, at):
        if not _is_expected(role, at, table, column, right):
            name = at.trail[table]
            found[role, name].add(f"{right} ({column})" if column else right)
    for role, table, right in _held_on_governed(db, at):
        found[role, table].add(right)
    for (role, table), rights in sorted(found.items()):
        listed = ", ".join(sorted(rights))
        yield Drift(
            place=table,
            sentence=f"The role {role} has {listed} on {table}.",
            remedy=f"REVOKE {listed} ON {table} FROM {role}, PUBLIC",
            reach=True,
        )


def _held(db: "psycopg.Connection[Any]", at: Looked) -> list[Any]:
    """Return (role, table, column or None, right); a column only without the whole table."""
    return db.execute(
        """SELECT r, c.oid::bigint, NULL, p
             FROM unnest(%(roles)s::text[]) r, pg_class c, unnest(%(changes)s::text[]) p
            WHERE c.oid::bigint = ANY (%(tables)s) AND has_table_privilege(r, c.oid, p)
           UNION ALL
           SELECT r, c.oid::bigint, a.attname::text, p
             FROM unnest(%(roles)s::text[]) r, pg_class c JOIN pg_attribute a ON a.attrelid = c.oid,
                  unnest(%(by_column)s::text[]) p
            WHERE c.oid::bigint = ANY (%(tables)s) AND a.attnum > 0 AND NOT a.attisdropped
              AND has_column_privilege(r, c.oid, a.attnum, p)
              AND NOT has_table_privilege(r, c.oid, p)""",
        {
            "roles": at.bound,
            "tables": list(at.trail),
            "changes": list(CHANGES),
            "by_column": list(BY_COLUMN),
        },
    ).fetchall()


def _is_expected(role: str, at: Looked, table: int, column: str | None, right: str) -> bool:
    known = APP_ROLE if role == at.login and role not in ROLES else role
    columns = WRITERS[at.trail[table]].get(known, frozenset())
    return right == "INSERT" and (columns == ALL or column in columns)


def _held_on_governed(db: "psycopg.Connection[Any]", at: Looked) -> list[Any]:
    return db.execute(
        """SELECT r, c.relname::text, p
             FROM unnest(%s::text[]) r, pg_class c, unnest(%s::text[]) p
            WHERE c.oid::bigint = ANY (%s) AND has_table_privilege(r, c.oid, p)""",
        [at.bound, list(_ALLOWED_ON_GOVERNED), list(at.governed)],
    ).fetchall()


def strangers(db: "psycopg.Connection[Any]", at: Looked) -> Iterator[Drift]:
    """Name other roles that were given more than a look."""
    rows = db.execute(
        """SELECT g.grantee, g.relname::text,
                  string_agg(DISTINCT g.right, ', ' ORDER BY g.right) FROM (
             SELECT pg_get_userbyid(a.grantee)::text AS grantee, c.relname,
                    a.privilege_type AS right, a.grantee AS oid
               FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid::bigint = ANY (%(tables)s)
             UNION ALL
             SELECT pg_get_userbyid(a.grantee)::text, c.relname,
                    a.privilege_type || ' (' || t.attname || ')', a.grantee
               FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a
              WHERE c.oid::bigint = ANY (%(tables)s)) g
            WHERE g.oid <> 0 AND g.right NOT LIKE 'SELECT%%' AND g.right <> 'MAINTAIN'
              AND g.grantee <> ALL (%(known)s)
            GROUP BY 1, 2 ORDER BY 1, 2""",
        {"tables": list(at.trail), "known": [*at.roles, at.owner]},
    )
    for role, table, rights in rows.fetchall():
        yield Drift(
            place=table,
            sentence=f"The role {role}, which is none of the product's, has {rights} on {table}.",
            remedy=f"REVOKE {rights} ON {table} FROM {role}",
            reach=False,
        )


def sequences(db: "psycopg.Connection[Any]", at: Looked) -> Iterator[Drift]:
    """Ids are drawn one by one, and nobody can choose or spend them."""
    for table, column in IDENTITIES.items():
        name = f"{table}_{column}_seq"
        rows = db.execute(
            """SELECT r, p FROM unnest(%s::text[]) r, unnest('{UPDATE,USAGE}'::text[]) p
                WHERE has_sequence_privilege(r, %s, p) ORDER BY 1, 2""",
            [at.bound, name],
        )
        for role, right in rows.fetchall():
            yield Drift(
                place=name,
                sentence=f"The role {role} has {right} on the sequence {name}.",
                remedy=f"REVOKE {right} ON SEQUENCE {name} FROM {role}, PUBLIC",
                reach=True,
            )
        row = db.execute(
            """SELECT a.attidentity = 'a' AND s.seqcache = 1 AND s.seqincrement = 1
                      AND NOT s.seqcycle
                 FROM pg_attribute a, pg_sequence s
                WHERE a.attrelid = %s::regclass AND a.attname = %s AND s.seqrelid = %s::regclass""",
            [table, column, name],
        ).fetchone()
        if row != (True,):
            yield Drift(
                place=name,
                sentence=f"{table}.{column} no longer counts one by one (ALWAYS, cache 1), so an "
                "effect could be sealed before its cause.",
                remedy=f"ALTER TABLE {table} ALTER {column} SET GENERATED ALWAYS SET CACHE 1 "
                "SET INCREMENT 1 SET NO CYCLE",
                reach=False,
            )
