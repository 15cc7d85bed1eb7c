"""A draft asked about 100,000 past calls, in one run: `python deploy/bench/policy_replay.py`.

*Ours* is the whole replay through the product's own commands, some thousand calls in a transaction,
with 10 rules of which some look into arguments, so that a part of the calls would have been denied
or released and is named. Beside it stand the processor time of this process, which depends less on
what else the machine does; how far apart the moves of the progress bar were; and what memory grew
by at its peak. *Plain* only reads the rows. The proposals are in a tenant of their own, and
withdrawn at the end.
"""

import argparse
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django_ready import connect
from queue_page import COPIES, WITHDRAW
from rows import Row, say, script

from approvals import commands
from approvals.cards import Content, ProposalCard, ProposalFacts, ReplayCard, Subject
from approvals.states import ReplayState
from console.accounts import commands as accounts
from console.kernel.actors import Actor, system
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant

CALLS: Final = 100_000
QUICK: Final = 10_000
TARGET_S: Final = 60.0
# As in `queue_page.py`, copies of what the product's own command made; amounts are from 0 to 199.
# Who was asked is in the evaluation, so the copies need no requirement.
REVISIONS: Final = """
    INSERT INTO approvals_revision
    SELECT made.* FROM approvals_revision one, generate_series(1, %(open)s) n,
      LATERAL jsonb_populate_record(one, jsonb_build_object(
        'id', md5(one.tenant_id::text || 'r' || n)::uuid,
        'args', convert_to(replace(convert_from(one.args, 'UTF8'), '"55.00"',
                                   format('"%%s.00"', n %% 200)), 'UTF8'),
        'fingerprint', E'\\\\x' || repeat(md5(n::text), 2),
        'proposal_id', md5(one.tenant_id::text || 'p' || n)::uuid)) made
     WHERE one.proposal_id = %(one)s
"""
EVALUATIONS: Final = """
    INSERT INTO approvals_evaluation
    SELECT made.* FROM approvals_evaluation one, generate_series(1, %(open)s) n,
      LATERAL jsonb_populate_record(one, jsonb_build_object(
        'id', md5(one.tenant_id::text || 'e' || n)::uuid,
        'created_at', one.created_at - n * interval '1 second',
        'proposal_id', md5(one.tenant_id::text || 'p' || n)::uuid)) made
     WHERE one.proposal_id = %(one)s
"""
PLAIN: Final = """
    SELECT e.facts, r.args, r.before, r.after FROM approvals_evaluation e
      JOIN approvals_revision r ON r.tenant_id = e.tenant_id AND r.proposal_id = e.proposal_id
     WHERE e.tenant_id = %s
"""
ITEMS: Final = {
    f"{no}026574014": {
        "name": "Water Bottle",
        "price": f"4{no}.99",
        "options": {"capacity": "750ml", "material": "stainless steel", "color": "black"},
    }
    for no in range(5)
}
PENDING: Final = ("/before/orders/*/status", "eq", "pending")


def _rule(no: int, effect: str, *tests: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "id": f"rule-{no}",
        "effect": effect,
        "priority": no,
        "match": {"tool": "tool_*" if no % 2 else f"tool_{no}"},
        "when": {"all": [{"path": path, "op": op, "value": value} for path, op, value in tests]},
    }


BODY: Final = {
    "policy": "bench",
    "rules": [
        *(_rule(no, "hold", ("/args/amount", "gt", f"{no * 10}.00"), PENDING) for no in range(8)),
        _rule(9, "allow", ("/args/amount", "lt", "20.00"), PENDING),
        _rule(11, "deny", ("/args/amount", "ge", "150.00"), PENDING),
    ],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """What one replay took."""

    whole_s: float
    processor_s: float
    moves_s: list[float]  # between two moves of the progress bar
    grown_mb: float


def measure(asked: argparse.Namespace) -> list[Row]:
    calls = asked.calls or (QUICK if asked.quick else CALLS)
    with _past(calls) as (me, version), connect("default") as plain:
        took = _replayed(me, version, calls)
        plain.execute("SELECT set_config('signalbox.tenant_id', %s, false)", [str(me.tenant_id)])
        began = time.perf_counter()
        plain.execute(PLAIN, [me.tenant_id]).fetchall()
        least = time.perf_counter() - began
    target = TARGET_S * calls / CALLS
    name = f"policy replay, {calls:,} past calls"
    return [
        Row(
            measurement=name,
            ours=f"{took.whole_s:.1f} s, {took.processor_s:.1f} s of processor",
            plain=f"{least:.1f} s, reading them",
            target=f"<= {target:.0f} s",
            met=took.whole_s <= target,
        ),
        Row(
            measurement="  its progress bar",
            ours=f"{len(took.moves_s)} moves, {max(took.moves_s):.1f} s apart at most",
        ),
        Row(measurement="  memory it took at its peak", ours=f"{took.grown_mb:.0f} MB"),
    ]


def _replayed(me: Actor, version: UUID, calls: int) -> Took:
    peak, used, began = _peak_mb(), os.times().user, time.perf_counter()
    card = commands.start_replay(actor=me, version_id=version, days=7)
    moved, moves = began, []
    while card.state is ReplayState.RUNNING:
        card = commands.advance_replay(actor=me, replay_id=card.id)
        moves.append(time.perf_counter() - moved)
        moved = time.perf_counter()
    _require_answer(card, calls)
    return Took(
        whole_s=moved - began,
        processor_s=os.times().user - used,
        moves_s=moves,
        grown_mb=_peak_mb() - peak,
    )


def _require_answer(card: ReplayCard, calls: int) -> None:
    """Refuse a figure of something else: one call in ten is released, one in four denied."""
    looked_at = sum(card.counts.values())
    if looked_at != calls + 1 or not card.counts["released"] or not card.counts["denied"]:
        raise RuntimeError(f"The replay found {card.counts} in {calls + 1} calls.")


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # kB on Linux


@contextmanager
def _past(calls: int) -> Iterator[tuple[Actor, UUID]]:
    """Make past calls, and the version that is asked about them."""
    me = system("bench", uuid7())
    accounts.create_tenant(actor=me, slug=f"bench-{me.tenant_id.hex[-12:]}", name="Bench")
    began = time.monotonic()
    with in_tenant(me.tenant_id):
        card = _opened(me)
        _copy(COPIES[0], card, calls)
    # What follows looks for its proposal row by row, by a plan that has to know this tenant.
    _analyze("approvals_proposal")
    with in_tenant(me.tenant_id):
        version = commands.add_version(actor=me, body=BODY)  # an event, as each change needs one
        _copy(REVISIONS, card, calls)
        _copy(EVALUATIONS, card, calls)
    _analyze("approvals_revision, approvals_evaluation")
    say(f"replay: {calls:,} past calls made in {time.monotonic() - began:.0f} s")
    try:
        yield me, version.id
    finally:
        with in_tenant(me.tenant_id), connection.cursor() as cursor:
            # An event, without which no proposal changes.
            commands.withdraw(actor=me, proposal_id=card.id, cause="bench")
            cursor.execute(WITHDRAW, {"tenant": me.tenant_id})


def _copy(copies: str, card: ProposalCard, calls: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(copies, {"open": calls, "one": card.id})


def _analyze(tables: str) -> None:
    with connect("owner") as owner:
        owner.execute(f"ANALYZE {tables}")


def _opened(me: Actor) -> ProposalCard:
    order = {"status": "pending", "total": 41800, "items": ITEMS}
    return commands.open_proposal(
        actor=me,
        subject=Subject(kind="bench", id=uuid7()),
        content=Content(
            tool="tool_0",
            contract_hash="c" * 64,
            args={"order_id": "#W1", "amount": "55.00"},
            before={"orders": {"#W1": order}},
            after={"orders": {"#W1": {**order, "status": "cancelled"}}},
        ),
        facts=ProposalFacts(title="Change", tier=1, agent_id="bench", agent_label="bench"),
        principals=(),
    )


if __name__ == "__main__":
    script(measure, numbers=["calls"])
