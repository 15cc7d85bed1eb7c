"""What the roles are, beyond the rights on single tables that `grants.py` looks at."""

from collections.abc import Iterator
from typing import Any, Final

import psycopg

from audit.cards import Drift
from audit.guards.expected import Looked
from console.kernel.schema import APP_ROLE, ROLES

ATTRIBUTES: Final = (
    ("rolsuper", "is a superuser, whom nothing holds", "NOSUPERUSER"),
    ("rolbypassrls", "is not bound by row-level security", "NOBYPASSRLS"),
    ("rolreplication", "may replicate, and so read and move the whole server", "NOREPLICATION"),
    ("rolcreaterole", "may give itself other roles", "NOCREATEROLE"),
)
# Ready-made roles of PostgreSQL that reach round the grants of single tables.
MIGHTY: Final = frozenset(
    {
        "pg_write_all_data", "pg_read_all_data", "pg_database_owner", "pg_maintain",
        "pg_execute_server_program", "pg_read_server_files", "pg_write_server_files",
        "pg_create_subscription", "pg_signal_backend", "pg_checkpoint",
    }
)  # fmt: skip


def attributes(db: "psycopg.Connection[Any]", at: Looked) -> Iterator[Drift]:
    rows = db.execute(
        """SELECT rolname, rolsuper, rolbypassrls, rolreplication, rolcreaterole
             FROM pg_roles WHERE rolname = ANY (%s) ORDER BY rolname""",
        [list(at.roles)],
    )
    for role, *held in rows.fetchall():
        for (_, says, word), holds in zip(ATTRIBUTES, held, strict=True):
            if holds and (word == "NOSUPERUSER" or role not in at.supers):
                remedy = f"ALTER ROLE {role} {word}"
                if role not in ROLES:
                    remedy = f"log in as {APP_ROLE} (manage.py roles) instead of {role}"
                yield Drift(
                    place=role, sentence=f"The role {role} {says}.", remedy=remedy, reach=True
                )


def memberships(db: "psycopg.Connection[Any]", at: Looked) -> Iterator[Drift]:
    rows = db.execute(
        """WITH RECURSIVE held(member, roleid) AS (
             SELECT a.member, a.roleid FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.member
              WHERE r.rolname = ANY (%s)
             UNION
             SELECT h.member, a.roleid FROM held h JOIN pg_auth_members a ON a.member = h.roleid)
           SELECT pg_get_userbyid(h.member)::text, g.rolname::text,
                  g.rolsuper OR g.rolbypassrls OR g.rolreplication OR g.rolcreaterole
             FROM held h JOIN pg_roles g ON g.oid = h.roleid ORDER BY 1, 2""",
        [at.bound],
    )
    for role, group, is_mighty in rows.fetchall():
        others = set(ROLES) - ({APP_ROLE} if role == at.login else set())
        if is_mighty or group in MIGHTY | others | {at.owner}:
            yield Drift(
                place=role,
                sentence=f"The role {role} is a member of {group}.",
                remedy=f"REVOKE {group} FROM {role}",
                reach=True,
            )


def owned(db: "psycopg.Connection[Any]", at: Looked) -> Iterator[Drift]:
    rows = db.execute(
        """SELECT pg_get_userbyid(o.owner)::text, min(o.name), count(*) FROM (
             SELECT relowner AS owner, relname::text AS name FROM pg_class
              WHERE oid::bigint = ANY (%(tables)s)
             UNION ALL SELECT proowner, proname::text FROM pg_proc
              WHERE proname IN ('audit_require_event', 'kernel_refuse_change')
             UNION ALL SELECT nspowner, 'the schema ' || nspname FROM pg_namespace
              WHERE nspname = 'public'
             UNION ALL SELECT datdba, 'the database ' || datname FROM pg_database
              WHERE datname = current_database()) o
            WHERE pg_get_userbyid(o.owner) = ANY (%(roles)s) GROUP BY 1 ORDER BY 1""",
        {"tables": [*at.trail, *at.governed], "roles": list(set(at.roles) - at.supers)},
    )
    for role, name, count in rows.fetchall():
        more = f" and {count - 1} more" if count > 1 else ""
        yield Drift(
            place=role,
            sentence=f"The role {role} owns {name}{more}, so every guard is its own to take away.",
            remedy=f"let another role own them (ALTER … OWNER TO …), or log in as {APP_ROLE}",
            reach=True,
        )


def parameters(db: "psycopg.Connection[Any]", at: Looked) -> Iterator[Drift]:
    name = "session_replication_role"
    rows = db.execute(
        "SELECT r FROM unnest(%s::text[]) r WHERE has_parameter_privilege(r, %s, 'SET')",
        [at.bound, name],
    )
    for (role,) in rows.fetchall():
        yield Drift(
            place=role,
            sentence=f"The role {role} may set {name}, which puts ordinary triggers to sleep.",
            remedy=f"REVOKE SET ON PARAMETER {name} FROM {role}",
            reach=True,
        )
    rows = db.execute(
        """SELECT CASE s.setrole WHEN 0 THEN 'ALL' ELSE pg_get_userbyid(s.setrole)::text END
             FROM pg_db_role_setting s, unnest(s.setconfig) c
            WHERE c LIKE %s AND (s.setrole = 0 OR pg_get_userbyid(s.setrole) = ANY (%s))""",
        [name + "=%", list(at.roles)],
    )
    for (role,) in rows.fetchall():
        yield Drift(
            place=role,
            sentence=f"Sessions of {role} begin with another {name}.",
            remedy=f"ALTER ROLE {role} RESET {name}",
            reach=True,
        )


def rooms(db: "psycopg.Connection[Any]", at: Looked) -> Iterator[Drift]:
    """Rights on the database and on schemas, where something could be made that stands in."""
    rows = db.execute(
        """SELECT r, p, 'DATABASE ' || quote_ident(current_database())
             FROM unnest(%(roles)s::text[]) r, unnest('{CREATE,TEMPORARY}'::text[]) p
            WHERE has_database_privilege(r, current_database(), p)
           UNION ALL
           SELECT r, 'CREATE', 'SCHEMA ' || quote_ident(n.nspname)
             FROM unnest(%(roles)s::text[]) r, pg_namespace n
            WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
              AND has_schema_privilege(r, n.oid, 'CREATE') ORDER BY 1, 3, 2""",
        {"roles": at.bound},
    )
    for role, right, where in rows.fetchall():
        yield Drift(
            place=role,
            sentence=f"The role {role} has {right} on the {where[0].lower()}{where[1:].lower()}, "
            "where a table could be made that stands in for one of the trail.",
            remedy=f"REVOKE {right} ON {where} FROM {role}, PUBLIC",
            reach=True,
        )


def defaults(db: "psycopg.Connection[Any]", at: Looked) -> Iterator[Drift]:
    rows = db.execute(
        """SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC'
                                          ELSE pg_get_userbyid(a.grantee)::text END,
                  pg_get_userbyid(d.defaclrole)::text
             FROM pg_default_acl d, aclexplode(d.defaclacl) a
            WHERE d.defaclobjtype IN ('r', 'S') AND a.grantee <> d.defaclrole
              AND (a.grantee = 0 OR pg_get_userbyid(a.grantee) = ANY (%s)) ORDER BY 1""",
        [list(at.roles)],
    )
    for role, owner in rows.fetchall():
        yield Drift(
            place=role,
            sentence=f"Every new table of {owner} is opened to {role} by default.",
            remedy=f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} REVOKE ALL ON TABLES FROM {role}, "
            "and the same for SEQUENCES",
            reach=True,
        )
