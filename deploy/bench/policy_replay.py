"""A draft asked about 100,000 past calls, in one run: `python deploy/bench/policy_replay.py`.

*Ours* is the whole replay through the product's own commands, some thousand calls in a transaction,
with 10 rules of which some look into arguments, and the processor time of this process beside it:
that depends less on what else the machine does. *Plain* only reads the rows. The proposals are in a
tenant of their own, and withdrawn at the end.
"""

import argparse
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection
from django_ready import connect
from queue_page import COPIES, WITHDRAW
from rows import Row, say, script

from approvals import commands
from approvals.cards import Content, ProposalCard, ProposalFacts, Subject
from approvals.states import ReplayState
from console.accounts import commands as accounts
from console.kernel.actors import Actor, system
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant

CALLS: Final = 100_000
QUICK: Final = 10_000
TARGET_S: Final = 60.0
EVALUATIONS: Final = """
    INSERT INTO approvals_evaluation
    SELECT made.* FROM approvals_evaluation one, generate_series(1, %(open)s) n,
      LATERAL jsonb_populate_record(one, jsonb_build_object(
        'id', md5(one.tenant_id::text || 'e' || n)::uuid,
        'created_at', one.created_at - n * interval '1 second',
        'proposal_id', md5(one.tenant_id::text || 'p' || n)::uuid)) made
     WHERE one.proposal_id = %(one)s
"""
BODY: Final = {
    "policy": "bench",
    "rules": [
        {
            "id": f"rule-{no}",
            "effect": "hold",
            "priority": no,
            "match": {"tool": "tool_*" if no % 2 else f"tool_{no}"},
            "when": {
                "all": [
                    {"path": "/args/amount", "op": "gt", "value": f"{no * 10}.00"},
                    {"path": "/before/orders/*/status", "op": "eq", "value": "pending"},
                ]
            },
        }
        for no in range(10)
    ],
}


def measure(asked: argparse.Namespace) -> list[Row]:
    calls = QUICK if asked.quick else CALLS
    with _past(calls) as me, connect("default") as plain:
        version = commands.add_version(actor=me, body=BODY)
        began, before = time.perf_counter(), os.times()
        card = commands.start_replay(actor=me, version_id=version.id, days=7)
        while card.state is ReplayState.RUNNING:
            card = commands.advance_replay(actor=me, replay_id=card.id)
        ours, used = time.perf_counter() - began, os.times().user - before.user
        if card.done < calls:
            raise RuntimeError(f"Only {card.done} of {calls} calls were looked at.")
        plain.execute("SELECT set_config('signalbox.tenant_id', %s, false)", [str(me.tenant_id)])
        began = time.perf_counter()
        plain.execute(
            "SELECT e.facts, r.args, r.before, r.after FROM approvals_evaluation e JOIN"
            " approvals_revision r ON r.tenant_id = e.tenant_id AND r.proposal_id = e.proposal_id"
            " WHERE e.tenant_id = %s",
            [me.tenant_id],
        ).fetchall()
        least = time.perf_counter() - began
    return [
        Row(
            measurement=f"policy replay, {calls:,} past calls",
            ours=f"{ours:.1f} s, {used * 10_000 / calls:.2f} s of processor for each 10,000",
            plain=f"{least:.1f} s, reading them",
            target=f"<= {TARGET_S * calls / CALLS:.0f} s",
            met=ours <= TARGET_S * calls / CALLS,
        )
    ]


@contextmanager
def _past(calls: int) -> Iterator[Actor]:
    me = system("bench", uuid7())
    accounts.create_tenant(actor=me, slug=f"bench-{me.tenant_id.hex[-12:]}", name="Bench")
    began = time.monotonic()
    with in_tenant(me.tenant_id), connection.cursor() as cursor:
        card = _opened(me)
        for copy in (*COPIES[:3], EVALUATIONS):
            cursor.execute(copy, {"open": calls, "one": card.id})
    say(f"replay: {calls:,} past calls made in {time.monotonic() - began:.0f} s")
    with connect("owner") as owner:
        owner.execute("ANALYZE approvals_proposal, approvals_revision, approvals_evaluation")
    try:
        yield me
    finally:
        with in_tenant(me.tenant_id), connection.cursor() as cursor:
            # An event, without which no proposal changes.
            commands.withdraw(actor=me, proposal_id=card.id, cause="bench")
            cursor.execute(WITHDRAW, {"tenant": me.tenant_id})


def _opened(me: Actor) -> ProposalCard:
    return commands.open_proposal(
        actor=me,
        subject=Subject(kind="bench", id=uuid7()),
        content=Content(
            tool="tool_0",
            contract_hash="c" * 64,
            args={"order_id": "#W1", "amount": "55.00"},
            before={"orders": {"#W1": {"status": "pending", "total": 41800}}},
            after={"orders": {"#W1": {"status": "cancelled", "total": 41800}}},
        ),
        facts=ProposalFacts(title="Change", tier=1, agent_id="bench", agent_label="bench"),
        principals=(),
    )


if __name__ == "__main__":
    script(measure)
