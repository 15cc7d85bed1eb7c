"""Golden fixtures: rows of paused runs and open proposals, as a release left them behind.

Before a release, with a database that tests may use:

    python -m pytest tests/approvals/test_golden.py tests/approvals/test_golden_desk.py \\
        --write-golden 0.3

writes `tests/data/golden/0.3/*.json`, which is committed with the release and never written again.
From then on these tests load every file of every release into a fresh tenant and have each of them
approved and rejected by the present code. Columns that are newer than a file get their default, and
those that are gone are left out, as migrations do it; a migration that does more than that has to
be done here, in `upgraded`, and says for which releases.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import md5
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import sql

from console.kernel.ids import uuid7
from tests.approvals.sql import as_owner
from tests.cast import Cast

RUN: Final = "run"
FOLDER: Final = Path(__file__).parent / "data" / "golden"
ROOMS: Final = ("agents_", "approvals_")
# Notices have left, and belong to the channels of another installation; that a tenant has people
# enough is its own row.
LEFT_OUT: Final = tuple(f"approvals_{name}" for name in ("notice", "channel", "delivery", "quorum"))
_ID: Final = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_TIME: Final = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:\+00:00|Z)")

_TABLES: Final = """
    SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attname = 'tenant_id'
    ORDER BY 1
"""
_COLUMNS: Final = """
    SELECT attname FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""

_TRIGGERS: Final = """
    SELECT c.relname, t.tgname, t.tgenabled::text FROM pg_trigger t
    JOIN pg_class c ON c.oid = t.tgrelid
    WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND c.relname = ANY(%s) AND t.tgenabled <> 'D'
"""
_NOT_VALID: Final = """
    SELECT c.relname, n.conname, pg_get_constraintdef(n.oid) FROM pg_constraint n
    JOIN pg_class c ON c.oid = n.conrelid
    WHERE n.contype = 'c' AND NOT n.convalidated AND c.relname = ANY(%s)
"""
_ENABLE: Final = {"A": "ENABLE ALWAYS", "O": "ENABLE", "R": "ENABLE REPLICA"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What a release left behind: one thing that waits, and all the rows around it."""

    name: str
    release: str
    body: Mapping[str, Any]

    @property
    def people(self) -> dict[str, str]:
        return dict(self.body["people"])


def saved(kind: str = RUN) -> list[Saved]:
    """Return every file of every release of a kind."""
    every = [
        Saved(name=path.stem, release=path.parent.name, body=json.loads(path.read_bytes()))
        for path in sorted(FOLDER.glob("*/*.json"))
    ]
    return [one for one in every if one.body.get("kind", RUN) == kind]


def write(
    release: str,
    name: str,
    cast: Cast,
    *,
    proposal_id: UUID,
    touched: str = "",
    kind: str = RUN,
) -> Path:
    """Save all that a tenant has in agents and approvals.

    Args:
        kind: which test takes it up again: a paused run, or what waits on the desk alone.
        touched: the order that somebody changed by hand, if any: the shop is not saved.
    """
    with as_owner() as owner:
        body = {
            "release": release,
            "kind": kind,
            "made_at": _now(owner).isoformat(),
            "tenant": str(cast.tenant_id),
            "people": {key: str(one.id) for key, one in cast.members.items() if key != "mallory"},
            "proposal": str(proposal_id),
            "touched": touched,
            "rows": _rows(owner, cast.tenant_id),
        }
    path = FOLDER / release / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(body, sort_keys=True) + "\n", encoding="utf-8")
    return path


def load(one: Saved, cast: Cast) -> Mapping[str, Any]:
    """Insert what was saved into the cast's tenant; returns it with the ids and times of today.

    Every id is a new one, except those of the tenant and of its people, who are the cast's, and
    those that people saw: they stand in a content, under its digest. Of what another test loaded
    under these the rows go first. Every time is moved by as much as has gone by since, so that no
    clock has run out meanwhile.
    """
    seen = _ids_seen(one.body["rows"])
    ids = {each: each for each in seen}
    ids |= {one.body["tenant"]: str(cast.tenant_id)}
    ids |= {theirs: str(cast.members[name].id) for name, theirs in one.people.items()}
    with as_owner() as owner:
        gone_by = _now(owner) - datetime.fromisoformat(one.body["made_at"])
        body = upgraded(_moved(one.body, ids, gone_by), one.release)
        with _unasked(owner, list(body["rows"])):
            for table, rows in body["rows"].items():
                _delete(owner, table, [row["id"] for row in rows if row.get("id") in seen])
                _insert(owner, table, rows)
        owner.commit()
    return body


def upgraded(body: dict[str, Any], release: str) -> dict[str, Any]:
    """Do to the rows of a release what data migrations did since."""
    if release == "0.1":
        for row in body["rows"].get("approvals_proposal", ()):
            quoted = "{" + ",".join(row["asked_groups"]) + "}"  # none needs PostgreSQL's quotes
            row["asked_key"] = str(UUID(md5(quoted.encode(), usedforsecurity=False).hexdigest()))
    return body


def _moved(body: Mapping[str, Any], ids: dict[str, str], by: timedelta) -> dict[str, Any]:
    text = _ID.sub(partial(_new_id, ids), json.dumps(body))
    found: dict[str, Any] = json.loads(_TIME.sub(partial(_later, by), text))
    return found


def _new_id(ids: dict[str, str], found: re.Match[str]) -> str:
    return ids.setdefault(found[0], str(uuid7()))


def _later(by: timedelta, found: re.Match[str]) -> str:
    return (datetime.fromisoformat(found[0]) + by).isoformat()


@contextmanager
def _unasked(owner: "psycopg.Connection[Any]", tables: list[str]) -> Iterator[None]:
    """Let rows come as they are: triggers ask how a row came into its state, and for its event.

    These came into theirs in another release, where both were asked. Constraints that a migration
    made without asking the rows that were there are not asked either. One transaction, so nobody
    else ever meets these tables without them.
    """
    owner.execute("SET LOCAL session_replication_role = replica")
    found = owner.execute(_TRIGGERS, [tables]).fetchall()
    _alter(owner, [("DISABLE", table, name) for table, name, _when in found])
    unasked = owner.execute(_NOT_VALID, [tables]).fetchall()
    for table, name, _text in unasked:
        _constrain(owner, "DROP", table, name)
    yield
    for table, name, text in unasked:
        _constrain(owner, "ADD", table, name, text)
    _alter(owner, [(_ENABLE[when], table, name) for table, name, when in found])


def _constrain(
    owner: "psycopg.Connection[Any]", act: str, table: str, name: str, text: Any = ""
) -> None:
    statement = sql.SQL("ALTER TABLE {} " + act + " CONSTRAINT {} {}")
    parts = (sql.Identifier(table), sql.Identifier(name), sql.SQL(text))
    owner.execute(statement.format(*parts))


def _alter(owner: "psycopg.Connection[Any]", acts: list[tuple[str, str, str]]) -> None:
    for act, table, name in acts:
        statement = "ALTER TABLE {} " + act + " TRIGGER {}"
        owner.execute(sql.SQL(statement).format(sql.Identifier(table), sql.Identifier(name)))


def _rows(owner: "psycopg.Connection[Any]", tenant_id: UUID) -> dict[str, Any]:
    rows = {}
    for (table,) in owner.execute(_TABLES).fetchall():
        if not table.startswith(ROOMS) or table.startswith(LEFT_OUT):
            continue
        select = sql.SQL("SELECT coalesce(jsonb_agg(t), '[]') FROM {} t WHERE tenant_id = %s")
        found = owner.execute(select.format(sql.Identifier(table)), [tenant_id]).fetchone()
        if found and found[0]:
            rows[table] = found[0]
    return rows


def _ids_seen(rows: Mapping[str, list[dict[str, Any]]]) -> set[str]:
    """Return the ids that stand in what people saw; PostgreSQL gives bytes as hexadecimal text."""
    parts = ("args", "before", "after")
    found = [row[part] for row in rows.get("approvals_revision", ()) for part in parts]
    texts = (bytes.fromhex(each.removeprefix("\\x")).decode() for each in found)
    return {each for text in texts for each in _ID.findall(text)}


def _delete(owner: "psycopg.Connection[Any]", table: str, ids: list[str]) -> None:
    if ids:
        statement = sql.SQL("DELETE FROM {} WHERE id = ANY(%s)").format(sql.Identifier(table))
        owner.execute(statement, [ids])


def _insert(owner: "psycopg.Connection[Any]", table: str, rows: list[dict[str, Any]]) -> None:
    known = {name for (name,) in owner.execute(_COLUMNS, [table]).fetchall()}
    columns = sql.SQL(", ").join(sql.Identifier(name) for name in sorted(known & set(rows[0])))
    insert = "INSERT INTO {table} ({columns}) SELECT {columns} FROM "
    source = "jsonb_populate_recordset(NULL::{table}, %s::jsonb)"
    statement = sql.SQL(insert + source).format(table=sql.Identifier(table), columns=columns)
    owner.execute(statement, [json.dumps(rows)])


def _now(owner: "psycopg.Connection[Any]") -> datetime:
    found = owner.execute("SELECT clock_timestamp()").fetchone()
    assert found is not None
    at: datetime = found[0]
    return at
