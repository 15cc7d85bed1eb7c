"""What the migrations leave behind, written down a second time to be compared with what is there.

A table of the trail, a grant or a policy that a migration adds is added here too; the test on a
fresh database says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import psycopg
from django.db.migrations.loader import MigrationLoader

from console.kernel.schema import APP_ROLE, ROLES, SEALER_ROLE, SIGNER_ROLE, Governed

ALL: Final = frozenset({"*"})  # every column
Columns = frozenset[str]


def _columns(text: str) -> Columns:
    return frozenset(text.split())


# Rows of these are only ever added; who may add them, and which columns. Nobody may do more.
WRITERS: Final[Mapping[str, Mapping[str, Columns]]] = {
    "audit_event": {APP_ROLE: _columns("tenant_id event_uid keep envelope")},
    "audit_blob": {APP_ROLE: _columns("tenant_id event_uid name media_type body")},
    "audit_log": {SEALER_ROLE: _columns("tenant_id kind origin")},
    "audit_round": {SEALER_ROLE: _columns("round_no epoch snapshot sealed_us entry_count")},
    "audit_entry": {SEALER_ROLE: ALL},
    "audit_meta_leaf": {SEALER_ROLE: ALL},
    "audit_tile": {SEALER_ROLE: ALL},
    "audit_head": {SEALER_ROLE: ALL},
    "audit_checkpoint": {SIGNER_ROLE: _columns("log_id size tenant_id root note vkey")},
    "audit_epoch": {},
}
IDENTITIES: Final = {"audit_event": "id"}  # (table, column) of which no value can be chosen

# (name of the function, SHA-256 of its text, runs as its owner)
FUNCTIONS: Final[Mapping[str, tuple[str, bool]]] = {
    "audit_require_event": (
        "cdfe54aeb2d1fad341e2b4ab6e565c1b3bf76b2a163f9b279c28d65cb3b10114",
        True,
    ),
    "kernel_refuse_change": (
        "94032c3eb105551942460c6ab2a12e49643d401516f2e57815593cb4bf2e344a",
        False,
    ),
}

# Bits of pg_trigger.tgtype.
_ROW, _BEFORE, _INSERT, _DELETE, _UPDATE, _TRUNCATE = 1, 2, 4, 8, 16, 32


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger as it must stand: always on, without a condition."""

    function: str
    kind: int


ADDED_ONLY: Final = {
    "append_only": Trigger("kernel_refuse_change", _ROW | _BEFORE | _DELETE | _UPDATE),
    "append_only_truncate": Trigger("kernel_refuse_change", _BEFORE | _TRUNCATE),
}
GOVERNED: Final = {
    "must_audit": Trigger("audit_require_event", _ROW | _INSERT | _DELETE | _UPDATE),
    "no_truncate": Trigger("kernel_refuse_change", _BEFORE | _TRUNCATE),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy of row-level security, and a word that its condition must hold."""

    command: str
    roles: frozenset[str]
    permissive: bool = True
    says: str = ""


_PUBLIC: Final = frozenset({"public"})
_READERS: Final = frozenset({SEALER_ROLE, SIGNER_ROLE})
IN_TENANT: Final = Policy("ALL", _PUBLIC, says="'signalbox.tenant_id'")
OWNER_READS: Final = Policy("SELECT", frozenset({"owner"}))  # its functions, for whoever asks them
POLICIES: Final[Mapping[str, Mapping[str, Policy]]] = {
    table: {
        "in_tenant": IN_TENANT,
        "all_tenants": Policy("SELECT", _READERS),
        "sealer_writes": Policy("INSERT", frozenset({SEALER_ROLE})),
        **({"owner_reads": OWNER_READS} if table in {"audit_meta_leaf", "audit_tile"} else {}),
    }
    for table in ("audit_log", "audit_entry", "audit_meta_leaf", "audit_tile", "audit_head")
} | {
    "audit_event": {
        "in_tenant": IN_TENANT,
        "all_tenants": Policy("SELECT", _READERS),
        "owner_reads": OWNER_READS,
        "keep_known": Policy("INSERT", _PUBLIC, permissive=False, says="'standard'"),
        "fits_a_leaf": Policy("INSERT", _PUBLIC, permissive=False, says="octet_length"),
    },
    "audit_blob": {
        "in_tenant": IN_TENANT,
        "all_tenants": Policy("SELECT", frozenset({SIGNER_ROLE})),
        "sealer_reads": Policy("SELECT", frozenset({SEALER_ROLE})),
    },
    "audit_checkpoint": {
        "in_tenant": IN_TENANT,
        "all_tenants": Policy("SELECT", _READERS),
        "signer_writes": Policy("INSERT", frozenset({SIGNER_ROLE})),
        "owner_reads": OWNER_READS,
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What one look is about; tables by their object ids, partitions included."""

    login: str
    roles: tuple[str, ...]  # those that run the product
    supers: frozenset[str]  # of these: nothing holds them, so nothing further is said
    owner: str  # of the tables
    trail: Mapping[int, str]  # object id → the name in WRITERS that its rules are those of
    governed: Mapping[int, str]

    @property
    def bound(self) -> list[str]:
        return [role for role in self.roles if role not in self.supers | {self.owner}]


def looked_at(db: "psycopg.Connection[Any]", login: str = "") -> Looked:
    """Find the roles and tables that are there."""
    named = login or _one(db, "SELECT current_user")
    wanted = dict.fromkeys([named, *ROLES])
    rows = db.execute(
        "SELECT rolname, rolsuper FROM pg_roles WHERE rolname = ANY (%s)", [list(wanted)]
    ).fetchall()
    known = dict(rows)
    return Looked(
        login=named,
        roles=tuple(role for role in wanted if role in known),
        supers=frozenset(role for role, is_super in known.items() if is_super),
        owner=_one(
            db, "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'audit_event'::regclass"
        ),
        trail=_tables(db, list(WRITERS)),
        governed=_tables(db, sorted(governed_tables())),
    )


@cache
def governed_tables() -> frozenset[str]:
    """Return the tables that a migration said no change without an event of."""
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    return frozenset(
        operation.table
        for migration in loader.disk_migrations.values()
        for operation in migration.operations
        if isinstance(operation, Governed)
    )


def _tables(db: "psycopg.Connection[Any]", names: list[str]) -> dict[int, str]:
    rows = db.execute(
        """SELECT c.oid::bigint, c.relname::text FROM pg_class c
            WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY (%(names)s)
           UNION
           SELECT p.relid::oid::bigint, c.relname::text
             FROM pg_class c, pg_partition_tree(c.oid) p
            WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY (%(names)s)""",
        {"names": names},
    )
    return dict(rows.fetchall())


def _one(db: "psycopg.Connection[Any]", query: Any) -> str:
    row = db.execute(query).fetchone()
    return str(row[0]) if row else ""
