"""A tool over its time: failed if it cannot have happened, unknown if nobody can tell."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from agents.llm.scripted import Use
from agents.models import ToolCall
from agents.runtime import commands
from agents.runtime.engine import Progress
from agents.tools import registry
from agents.tools.contracts import (
    Args,
    Effect,
    Idempotency,
    Image,
    Result,
    Tool,
    ToolContext,
    Undo,
    UndoKind,
)
from agents.tools.errors import UnknownTool
from tests.agents.world import SOFIA, World, calls, make_world, says
from tests.cast import Cast

CLOSED: dict[str, Any] = {"type": "object", "additionalProperties": False}
_released = threading.Event()  # what the target outside waits for
_asked: list[str] = []  # the keys with which it was asked


def _sleep_in_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(60)")


def _slow_read(_ctx: ToolContext, _args: Args) -> Result:
    _sleep_in_database()
    return {}


def _stuck_outside(ctx: ToolContext, _args: Args) -> Result:
    _asked.append(ctx.key)
    assert _released.wait(60)
    return {}


def _stuck_once(ctx: ToolContext, _args: Args) -> Result:
    _asked.append(ctx.key)
    if len(_asked) == 1:
        assert _released.wait(60)
    return {}


def _before(_ctx: ToolContext, _args: Args, *, lock: bool = False) -> Image:
    return {"labels": {"1": {}}}


def _plan(_before: Image, _args: Args) -> Image:
    return {"labels": {"1": {"state": "sent"}}}


def _slow_apply(ctx: ToolContext, _before: Image, _after: Image) -> Result:
    assert ctx.call_id is not None
    ToolCall.objects.filter(pk=ctx.call_id).update(title="Touched")
    _sleep_in_database()
    return {}


def _add(name: str, **more: Any) -> None:
    writes = more.get("effect") is Effect.WRITE
    on_write: dict[str, Any] = {
        "touches": ("labels",),
        "undo": Undo(kind=UndoKind.NONE, reason="it is on paper."),
        "before": _before,
        "plan": _plan,
    }
    registry.add(
        Tool(
            name=name,
            title=name.replace("_", " ").capitalize(),
            summary="For tests.",
            headline="Be slow",
            input_schema={**CLOSED, "properties": {}},
            output_schema={**CLOSED, "properties": {}},
            domain="slow",
            timeout_s=1,
            **{"effect": Effect.READ, "tier": 0, **(on_write if writes else {}), **more},
        )
    )


def _register() -> None:
    try:
        registry.get("slow_read")
    except UnknownTool:
        write: dict[str, Any] = {"effect": Effect.WRITE, "tier": 2}
        _add("slow_read", run=_slow_read)
        _add("slow_fetch", run=_stuck_outside, egress=("slow.example",))
        _add("slow_change", apply=_slow_apply, idempotency=Idempotency.TRANSACTIONAL, **write)
        _add("slow_fax", run=_stuck_outside, idempotency=Idempotency.NONE, **write)
        _add(
            "slow_label",
            run=_stuck_once,
            idempotency=Idempotency.NATIVE,
            key_field="client_ref",
            **write,
        )


@pytest.fixture
def world(cast: Cast) -> Iterator[World]:
    _register()
    made = make_world(cast)
    commands.register_agent_version(
        actor=cast.system,
        agent="support",
        prompt="With slow tools.",
        tools=[tool.name for tool in registry.every(domain="slow")],
        confirm_tiers=(),
    )
    _released.clear()
    _asked.clear()
    yield made
    _released.set()  # the thread that was left behind may end


def _after(world: World, tool: str, *, agreed: bool) -> tuple[ToolCall, Progress]:
    """Let the agent call a tool once, agreed to by people if need be; returns the call."""
    said = world.say("Please do it", customer=SOFIA)
    with world.answering(calls(Use(name=tool, args={})), says("Done.")):
        progress = world.advance(said.run_id)
        if agreed:
            world.vote(world.calls(said.run_id)[0].proposal_id)
            world.relay()
            progress = world.advance(said.run_id)
    (call,) = world.calls(said.run_id)
    return call, progress


class TestOverItsTime:
    def test_a_read_is_cancelled_by_the_database_and_fails(self, world: World) -> None:
        call, progress = _after(world, "slow_read", agreed=False)
        assert (call.state, call.error_code) == ("failed", "tool.timeout")
        assert progress is Progress.ENDED

    def test_a_read_outside_fails(self, world: World) -> None:
        call, progress = _after(world, "slow_fetch", agreed=False)
        assert (call.state, call.error_code) == ("failed", "tool.timeout")
        assert progress is Progress.ENDED

    def test_a_write_of_our_own_is_undone_and_fails(self, world: World) -> None:
        call, progress = _after(world, "slow_change", agreed=True)
        assert (call.state, call.error_code) == ("failed", "tool.timeout")
        assert (call.title, call.attempt) == ("Be slow", 0)
        assert progress is Progress.ENDED
        assert world.card(call).state.value == "withdrawn"

    def test_a_target_that_honours_keys_is_asked_again_with_the_same_one(
        self, world: World
    ) -> None:
        call, progress = _after(world, "slow_label", agreed=True)
        assert (call.state, call.attempt, progress) == ("succeeded", 2, Progress.ENDED)
        assert _asked == [str(call.idempotency_key)] * 2

    def test_without_keys_nobody_knows(self, world: World) -> None:
        call, progress = _after(world, "slow_fax", agreed=True)
        assert (call.state, call.attempt, progress) == ("unknown", 1, Progress.WAITS)
        assert world.run(call.run_id).state == "needs_reconciliation"
        assert len(_asked) == 1

    @pytest.mark.parametrize(("said", "state"), [("yes", "succeeded"), ("no", "failed")])
    def test_what_a_person_says_on_the_proposals_page_settles_call_and_run(
        self, world: World, said: str, state: str
    ) -> None:
        call, _progress = _after(world, "slow_fax", agreed=True)
        address = f"/reviews/{call.proposal_id}/reconcile/"
        omar = world.cast.client("omar")

        answer = omar.post(address, {"happened": said, "evidence": "The machine's journal."})
        again = omar.post(address, {"happened": said, "evidence": "The machine's journal."})

        assert (answer.status_code, again.status_code) == (302, 409)
        (call,) = world.calls(call.run_id)
        assert (call.state, world.run(call.run_id).state) == (state, "queued")
