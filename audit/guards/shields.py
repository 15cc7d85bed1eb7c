"""Triggers, rules and functions, and what the tables themselves are."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import psycopg

from audit.cards import Drift
from audit.guards.expected import ADDED_ONLY, FUNCTIONS, GOVERNED, Looked, Trigger

# (as it is, its table, its name) → whether it is as it must be
_TRIGGERS: Final = """
    SELECT t.tgrelid::bigint, t.tgname::text, p.proname::text, t.tgtype::int, t.tgenabled::text,
           t.tgqual IS NULL AND t.tgattr = ''::int2vector,
           t.tgdeferrable AND t.tginitdeferred
      FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
     WHERE NOT t.tgisinternal AND t.tgrelid::bigint = ANY (%s)
"""


def triggers(db: "psycopg.Connection[Any]", at: Looked) -> Iterator[Drift]:
    """Every guard is there, whole, and on in replica mode too."""
    there = {(row[0], row[1]): row[2:] for row in db.execute(_TRIGGERS, [_all_of(at)]).fetchall()}
    for table, wanted in ((at.trail, ADDED_ONLY), (at.governed, GOVERNED)):
        yield from _missing(there, table, wanted)


def _missing(
    there: Mapping[tuple[int, str], Any],
    tables: Mapping[int, str],
    wanted: Mapping[str, Trigger],
) -> Iterator[Drift]:
    for oid, table in sorted(tables.items(), key=lambda one: one[1]):
        for name, trigger in wanted.items():
            found = there.get((oid, name))
            if (wrong := _wrong(found, trigger, deferred=name == "must_audit")) is not None:
                remedy = f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"
                if wrong != OFF:
                    remedy = (
                        f"make {name} on {table} anew, as its migration does (kernel/schema.py)"
                    )
                yield Drift(
                    place=table,
                    sentence=f"The trigger {name} on {table} {wrong}.",
                    remedy=remedy,
                    reach=False,
                )


OFF: Final = "is not always on"


def _wrong(found: Any, trigger: Trigger, *, deferred: bool) -> str | None:
    if found is None:
        return "is missing"
    function, kind, enabled, plain, late = found
    if (function, kind, plain) != (trigger.function, trigger.kind, True) or late != deferred:
        return "is not the one that was made"
    return None if enabled == "A" else OFF


def foreign(db: "psycopg.Connection[Any]", at: Looked) -> Iterator[Drift]:
    """Name triggers and rules on the trail that are not the product's."""
    rows = db.execute(
        """SELECT 'trigger', t.tgname::text, t.tgrelid::bigint FROM pg_trigger t
            WHERE NOT t.tgisinternal AND t.tgrelid::bigint = ANY (%(tables)s)
              AND t.tgname <> ALL (%(known)s)
           UNION ALL
           SELECT 'rule', w.rulename::text, w.ev_class::bigint FROM pg_rewrite w
            WHERE w.ev_class::bigint = ANY (%(tables)s) ORDER BY 3, 2""",
        {"tables": list(at.trail), "known": list(ADDED_ONLY)},
    )
    for kind, name, oid in rows.fetchall():
        table = at.trail[oid]
        yield Drift(
            place=table,
            sentence=f"There is a {kind} {name} on {table} that is not the product's.",
            remedy=f"DROP {kind.upper()} {name} ON {table}",
            reach=False,
        )


def functions(db: "psycopg.Connection[Any]", at: Looked) -> Iterator[Drift]:  # noqa: ARG001
    """The two functions behind the triggers say what they said."""
    rows = db.execute(
        """SELECT proname::text, encode(sha256(convert_to(prosrc, 'UTF8')), 'hex'), prosecdef,
                  proconfig FROM pg_proc
            WHERE pronamespace = 'public'::regnamespace AND proname = ANY (%s)""",
        [list(FUNCTIONS)],
    )
    there = {row[0]: row[1:] for row in rows.fetchall()}
    for name, (digest, as_owner) in FUNCTIONS.items():
        path = ["search_path=pg_catalog, pg_temp"] if as_owner else None
        if there.get(name) != (digest, as_owner, path):
            yield Drift(
                place=name,
                sentence=f"The function {name} is not the one that was made.",
                remedy="make it anew, as its migration does (audit, console.kernel)",
                reach=False,
            )


def shape(db: "psycopg.Connection[Any]", at: Looked) -> Iterator[Drift]:
    """Tables are logged, or a crash of the server would empty them."""
    rows = db.execute(
        """SELECT relname::text FROM pg_class
            WHERE oid::bigint = ANY (%s) AND relpersistence <> 'p' ORDER BY 1""",
        [_all_of(at)],
    )
    for (table,) in rows.fetchall():
        yield Drift(
            place=table,
            sentence=f"{table} is not logged, so a crash of the server would empty it.",
            remedy=f"ALTER TABLE {table} SET LOGGED",
            reach=False,
        )


def _all_of(at: Looked) -> list[int]:
    return [*at.trail, *at.governed]
