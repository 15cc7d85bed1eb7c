"""What it costs to checkpoint one step: `python deploy/bench/checkpoint.py`.

*Ours* is the fence of the runtime in a transaction of the tenant: fenced update of the run, event
of 2 KB, one outbox row. Beside it stands the whole COMMIT of a step with one tool call, which also
books the cost and writes the audit event. *Plain* is one UPDATE and one INSERT of the same size
with psycopg, prepared. All three take turns on one connection each, in one run.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final
from uuid import UUID

import psycopg
from django_ready import connect
from psycopg.types.json import Jsonb
from rows import Row, quantile, say, script

from agents.conversations import commands as conversations
from agents.llm.door import Answer
from agents.llm.ports import ModelRequest, ToolUse
from agents.models import Run
from agents.runtime import commands as runtime
from agents.runtime import fence, stepping, timeline
from agents.runtime.held import Held
from agents.runtime.timeline import Note
from agents.runtime.transcript import Prepared
from agents.states import RunState, StopReason
from console.accounts import commands as accounts
from console.kernel import outbox
from console.kernel.actors import Actor, system
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant

TARGET_MS: Final = 1.0
PAYLOAD: Final = {"text": "x" * 2000}
ROUND: Final = 20  # transactions of one kind in a row; fewer than the tool calls a run may make
TOOL: Final = "find_user_id_by_email"
AGENT: Final = "bench"


def measure(asked: argparse.Namespace) -> list[Row]:
    rounds = 6 if asked.quick else 30
    actor = _agent()
    fenced: list[float] = []
    plain: list[float] = []
    whole: list[float] = []
    with _bench_tables(), connect("default", autocommit=False) as connection:
        for number in range(rounds + 1):
            held = _claimed(actor)
            took = (
                _timed(partial(_fence, held)),
                _timed(partial(_plain, connection, _plain_run(connection))),
                _timed(partial(_commit, held, _prepared(held))),
            )
            _end(held)
            if number:  # the first round only warms up
                for all_of_them, new in zip((fenced, plain, whole), took, strict=True):
                    all_of_them.extend(new)
    say(f"checkpoint: {len(fenced)} transactions of each kind")
    return [
        _row("checkpoint: fence, 2 KB event, outbox (p50)", fenced, plain, target=True),
        _row("checkpoint: whole COMMIT of a step (p50)", whole, plain, target=False),
    ]


def _row(name: str, ours: list[float], plain: list[float], *, target: bool) -> Row:
    return Row(
        measurement=name,
        ours=f"{_both(ours)} = {quantile(ours, 0.5) / quantile(plain, 0.5):.1f} x plain",
        plain=f"{_both(plain)}, UPDATE + INSERT",
        target=f"<= {TARGET_MS} ms" if target else "-",
        met=quantile(ours, 0.5) <= TARGET_MS if target else None,
    )


def _both(values: list[float]) -> str:
    return f"{quantile(values, 0.5):.2f} ms (p99 {quantile(values, 0.99):.2f})"


def _timed(act: Callable[[int], object]) -> list[float]:
    took = []
    for number in range(ROUND):
        began = time.perf_counter()
        act(number)
        took.append((time.perf_counter() - began) * 1000)
    return took


def _fence(held: Held, _number: int) -> None:
    with in_tenant(held.about.tenant_id):
        timeline.step(held, Note(type="bench", payload=PAYLOAD), keeps=True)
        outbox.hint(f"run:{held.run_id}")


def _commit(held: Held, first: Prepared, number: int) -> None:
    """Commit a step as the engine does: one answer that calls one tool."""
    use = ToolUse(id=f"use-{number}", name=TOOL, args={"email": f"somebody{number}@example.com"})
    answer = Answer(
        text="",
        uses=(use,),
        usage=None,
        provider="rules",
        model="rules",
        live=False,
        reason="tools",
    )
    prepared = Prepared(
        request=first.request, head_seq=first.head_seq + number, read_seq=first.read_seq
    )
    stepping.commit(
        actor=held.actor,
        held=held,
        prepared=prepared,
        answer=answer,
        model_call=stepping.model_call(held),
        took_ms=1,
    )


def _plain(connection: "psycopg.Connection[Any]", run: UUID, number: int) -> None:
    connection.execute(
        "UPDATE bench_run SET head = head + 1 WHERE id = %s AND epoch = 1", [run], prepare=True
    )
    connection.execute(
        "INSERT INTO bench_event (run, seq, payload) VALUES (%s, %s, %s)",
        [run, number, Jsonb(PAYLOAD)],
        prepare=True,
    )
    connection.commit()


def _plain_run(connection: "psycopg.Connection[Any]") -> UUID:
    run = uuid7()
    connection.execute("INSERT INTO bench_run (id) VALUES (%s)", [run])
    connection.commit()
    return run


def _agent() -> Actor:
    """Register an agent in a tenant of its own; returns who writes to it."""
    me = system("bench", uuid7())
    slug = f"bench-{me.tenant_id.hex[-12:]}"
    accounts.create_tenant(actor=me, slug=slug, name="Bench")
    runtime.register_agent(actor=me, slug=AGENT, title="Bench")
    runtime.register_agent_version(actor=me, agent=AGENT, prompt="Measured.", tools=[TOOL])
    return me


def _claimed(actor: Actor) -> Held:
    """Start a run by a message, and claim it as a worker does."""
    card = conversations.receive_message(
        actor=actor,
        conversation_id=None,
        agent_slug=AGENT,
        client_id=str(uuid7()),
        text="Hello.",
        channel="api",
        end_user="bench",
    )
    if card.run_id is None:
        raise RuntimeError("The message set off no run.")
    about = fence.about(actor=actor, run_id=card.run_id)
    held = fence.claim(actor=actor, about=about, worker="bench")
    if held is None:
        raise RuntimeError("The run is another worker's; stop the product on this database.")
    return held


def _prepared(held: Held) -> Prepared:
    with in_tenant(held.about.tenant_id):
        head = timeline.pass_fence(held)
    request = ModelRequest(model="", system="", turns=(), tools=())
    return Prepared(request=request, head_seq=head, read_seq=1)


def _end(held: Held) -> None:
    """End the run, so that no worker goes on with it if the database is a real one."""
    with in_tenant(held.about.tenant_id):
        run = Run.objects.select_for_update().get(pk=held.run_id)
        fence.end_row(run, actor=held.actor, state=RunState.CANCELLED, reason=StopReason.CANCELLED)


@contextmanager
def _bench_tables() -> Iterator[None]:
    drop = "DROP TABLE IF EXISTS bench_run, bench_event"
    with connect("owner") as owner:
        owner.execute(drop)
        owner.execute(
            "CREATE TABLE bench_run (id uuid PRIMARY KEY, head int NOT NULL DEFAULT 0, "
            "epoch int NOT NULL DEFAULT 1)"
        )
        owner.execute(
            "CREATE TABLE bench_event (run uuid NOT NULL, seq int NOT NULL, "
            "at timestamptz NOT NULL DEFAULT clock_timestamp(), payload jsonb NOT NULL, "
            "PRIMARY KEY (run, seq))"
        )
        owner.execute("GRANT SELECT, INSERT, UPDATE ON bench_run, bench_event TO signalbox_app")
        try:
            yield
        finally:
            owner.execute(drop)


if __name__ == "__main__":
    script(measure)
