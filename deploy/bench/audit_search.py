"""Search of the trail at SIZE entries: `make bench-audit SIZE=10000000`.

The search table is filled by COPY, as the projector would have filled it, for 64 tenants; what is
asked goes through the product's own queries, as the role that row-level security binds: the page
with its count and its neighbours, and the facets. It belongs into a database that is thrown away.
"""

import argparse
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import psycopg
from django_ready import connect
from rows import Row, quantile, say, script

from audit import queries
from audit.search import Place, Search
from console.kernel.actors import Actor, ActorKind

SIZE: Final = "AUDIT_SIZE"
TENANTS: Final = 64
DAYS: Final = 90
LIST_MS, TRACE_MS, DAILY_MS, LIVE_MS = 50.0, 5.0, 50.0, 300.0
ACTIONS: Final = (
    "call.succeeded", "model.answered", "message.received", "run.queued", "run.ended",
    "proposal.opened", "proposal.decided", "vote.cast", "proposal.dispatched",
    "dispatch.succeeded", "audit.searched", "session.started", "request.refused",
    "switch.engaged",
)  # fmt: skip
WEIGHTS: Final = (30, 25, 12, 8, 8, 3, 3, 4, 2, 2, 4, 2, 1, 0.01)
WORDS: Final = tuple(f"{a}{b}" for a in ("re", "un", "over", "in", "de") for b in (
    "fund", "charge", "ship", "order", "cancel", "claim", "pay", "call", "send", "hold", "view",
    "state", "price", "count", "load", "form", "press", "serve", "act", "part"))  # fmt: skip
COLUMNS: Final = (
    "log_id, tenant_id, index, event_id, received_us, action, kind, actor_kind, actor_id,"
    " actor_label, target_type, target_id, agent, agent_label, run, version, tool, trace, proposal,"
    " digest, outcome, claimed_us, ids, tokens, words"
)
TABLES: Final = ("audit_search", "audit_facet_day", "audit_search_state", "audit_log", "audit_head")
INDEXES: Final = """
    SELECT indexdef, indexrelid::regclass::text FROM pg_index
      JOIN pg_indexes ON indexname = indexrelid::regclass::text
     WHERE indrelid = 'audit_search'::regclass AND NOT indisprimary"""
SIZED: Final = "SELECT pg_size_pretty(pg_total_relation_size('audit_search'))"
LOG: Final = "INSERT INTO audit_log (id, tenant_id, kind, origin) VALUES (%s, %s, 'tenant', %s)"
HEAD: Final = "INSERT INTO audit_head VALUES (%s, %s, 1, %s, %s, '', %s)"
STATE: Final = "INSERT INTO audit_search_state (log_id, tenant_id, next_index) VALUES (%s, %s, %s)"
FACETS: Final = """
    INSERT INTO audit_facet_day (tenant_id, facet, day, kind, value, label, count)
    SELECT s.tenant_id, v.facet, (to_timestamp(s.received_us / 1000000) AT TIME ZONE 'UTC')::date,
           s.kind, v.value, max(v.label), count(*)
      FROM audit_search s CROSS JOIN LATERAL (VALUES
        ('kind', s.kind, ''), ('action', s.action, ''), ('actor', s.actor_id, s.actor_label),
        ('agent', s.agent, s.agent_label), ('outcome', s.outcome, '')) v (facet, value, label)
     WHERE v.value > '' AND s.log_id = ANY (%s) GROUP BY 1, 2, 3, 4, 5"""


def measure(asked: argparse.Namespace) -> list[Row]:
    """Fill the tables, then ask; a size in the environment counts."""
    size = int(os.environ.get(SIZE) or 100_000)
    chance = random.Random(7)  # noqa: S311 - the same rows and questions each time
    tenants = [UUID(int=chance.getrandbits(128), version=4) for _ in range(TENANTS)]
    with connect("owner") as owner:
        _fill(owner, tenants, size, chance)
    return list(_rows(tenants, size, chance, samples=40 if asked.quick else 200))


def _fill(
    owner: "psycopg.Connection[Any]", tenants: list[UUID], size: int, chance: random.Random
) -> None:
    for table in TABLES:
        owner.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    indexes = owner.execute(INDEXES).fetchall()
    for _definition, name in indexes:
        owner.execute(f"DROP INDEX {name}")
    with owner.cursor().copy(f"COPY audit_search ({COLUMNS}) FROM STDIN") as copy:
        for n, row in enumerate(_entries(tenants, size, chance)):
            copy.write_row(row)
            if n % max(1, size // 200) == 0:
                _progress("entries", n, size)
    for n, (definition, _name) in enumerate(indexes):
        _progress("indexes", n, len(indexes))
        owner.execute(definition)
    _progress("indexes", len(indexes), len(indexes))
    per_tenant = -(-size // TENANTS)
    for tenant in tenants:
        owner.execute(LOG, [tenant, tenant, f"bench/{tenant}"])
        owner.execute(HEAD, [tenant, per_tenant, tenant, bytes(32), _us(_now())])
        owner.execute(STATE, [tenant, tenant, per_tenant])
    owner.execute(FACETS, [tenants])
    for table in TABLES:
        owner.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        owner.execute(f"VACUUM ANALYZE {table}")
    sized = owner.execute(SIZED).fetchone()
    say(f"audit search: {size:,} entries of {TENANTS} tenants, {sized and sized[0]} with indexes")


def _entries(tenants: list[UUID], size: int, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    begun = _us(_now() - timedelta(days=DAYS))
    step = DAYS * 86_400_000_000 // size
    actions = chance.choices(ACTIONS, WEIGHTS, k=100_000)
    for n in range(size):
        tenant = tenants[n % TENANTS]
        index, action = n // TENANTS, actions[n * 7919 % 100_000]
        trace, run, thing = (_hex(n % TENANTS, word, index // per) for word, per in _GROUPS)
        actor = f"actor-{chance.randrange(50)}"
        agent = f"agent-{index % 5}" if action.startswith(("call", "model", "run", "prop")) else ""
        proposal = thing if action.startswith(("proposal", "vote", "dispatch")) else ""
        kind = "read" if action == "audit.searched" else "fact"
        outcome = "ok" if action.endswith("succeeded") else ""
        said = sorted(set(chance.choices(WORDS, k=10)))
        words = " ".join(f"'{word}':{place}" for place, word in enumerate(said, start=1))
        us = begun + n * step
        yield (
            tenant, tenant, index, n, us, action, kind, "person", actor, actor, "thing", thing,
            agent, agent, run if agent else "", "3", "refund" if "call" in action else "", trace,
            proposal, thing + thing if proposal else "", outcome, us - 3_000,
            [thing, run, trace, actor], [f"subject:{run}"], words,
        )  # fmt: skip


_GROUPS: Final = (("trace", 8), ("run", 20), ("thing", 5))


def _hex(tenant: int, word: str, n: int) -> str:
    return random.Random(f"{tenant}{word}{n}").randbytes(16).hex()  # noqa: S311 - an id


def _rows(tenants: list[UUID], size: int, chance: random.Random, *, samples: int) -> Iterator[Row]:
    per_tenant = size // TENANTS
    since = (_now() - timedelta(days=29)).date().isoformat()

    def thing(word: str, per: int) -> tuple[UUID, str]:
        n = chance.randrange(TENANTS)
        return tenants[n], _hex(n, word, chance.randrange(per_tenant) // per)

    def anyone(text: str) -> Callable[[], tuple[UUID, Search]]:
        return lambda: (chance.choice(tenants), Search.of(text))

    def named(field: str, word: str, per: int) -> Callable[[], tuple[UUID, Search]]:
        def ask() -> tuple[UUID, Search]:
            tenant, text = thing(word, per)
            return tenant, Search.of(f"{field}:{text}")

        return ask

    def deep() -> tuple[UUID, Search]:
        at = _us(_now() - timedelta(days=chance.random() * DAYS))
        return chance.choice(tenants), Search(
            query=Search.of("-kind:read").query, before=Place(at, 0)
        )

    lists = {
        "newest 50": anyone("-kind:read"),
        "50 from a random time": deep,
        "one actor": anyone("actor:actor-7"),
        "action:proposal.*": anyone("action:proposal.*"),
        "a rare action": anyone("action:switch.engaged"),
        "exact target": named("target", "thing", 5),
        "any id": named("id", "run", 20),
        "one word": anyone("refund"),
        "two words and an action": anyone("unship overcharge action:vote.cast"),
        "word and 30 days": anyone(f"refund created:>={since}"),
    }
    for name, ask in lists.items():
        yield _row(f"audit list of {size:,}, {name}", ask, LIST_MS, samples)
    yield _row(f"audit list of {size:,}, trace id", named("trace", "trace", 8), TRACE_MS, samples)
    for name, text, target in (
        ("daily", "-kind:read", DAILY_MS),
        ("live", "actor:actor-7,actor-8,actor-9", LIVE_MS),
    ):
        words, asked = (
            f"audit facets of {size:,}, {name}, 30 days",
            anyone(f"{text} created:>={since}"),
        )
        yield _row(words, asked, target, samples, with_facets=True)


def _row(
    name: str, ask: Callable[[], tuple[UUID, Search]], target: float, samples: int, **more: bool
) -> Row:
    took: list[float] = []
    for n in range(samples + 5):
        tenant, search = ask()
        actor = Actor(tenant_id=tenant, kind=ActorKind.PERSON, id="bench", label="bench")
        begun = time.perf_counter()
        queries.entries(actor=actor, search=search, **more)
        if n >= 5:  # the first ones warm up
            took.append((time.perf_counter() - begun) * 1000)
    p50, p95 = quantile(took, 0.5), quantile(took, 0.95)
    say(f"{name}: p50 {p50:.1f} ms, p95 {p95:.1f} ms")
    return Row(
        measurement=name,
        ours=f"p50 {p50:.1f} ms, p95 {p95:.1f} ms",
        target=f"p95 <= {target:.0f} ms",
        met=p95 <= target,
    )


def _progress(what: str, done: int, whole: int) -> None:
    share = done / max(1, whole)
    bar = ("#" * int(share * 40)).ljust(40)
    print(f"\r{what:8} [{bar}] {done:,} of {whole:,}", end="\n" if done == whole else "",
          file=sys.stderr, flush=True)  # fmt: skip


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - times of made-up rows


def _us(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)


if __name__ == "__main__":
    script(measure)
