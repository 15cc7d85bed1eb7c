"""A worker is killed with SIGKILL at each point of a step; the next finishes, each write once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from agents.llm.scripted import Reply, Use
from agents.models import Run
from agents.runtime import commands, queries
from agents.runtime.engine import Progress
from agents.tools import registry
from console.kernel.transactions import in_tenant
from tests.agents import outside_tools
from tests.agents.world import PENDING, SOFIA, Said, World, make_world, says
from tests.approvals.sql import counts
from tests.cast import Cast, with_permissions
from tests.crashes.conftest import Processes

CANCEL = ["cancel_pending_order", {"order_id": PENDING, "reason": "ordered by mistake"}]
LABEL = ["print_label", {"order_id": "8812"}]
FAX = ["send_fax", {"order_id": "8812"}]
DONE = "It is done."
Killed = Callable[..., None]


@pytest.fixture
def world(cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv(outside_tools.FOLDER, str(tmp_path))
    outside_tools.register()
    world = make_world(cast)
    tools = [*registry.every(domain="retail"), *registry.every(domain="tests")]
    commands.register_agent_version(
        actor=cast.system,
        agent="support",
        prompt="With tools outside.",
        tools=[tool.name for tool in tools],
        confirm_tiers=(),
    )
    return world


@pytest.fixture
def killed(world: World, processes: Processes, tmp_path: Path) -> Killed:
    """Return what advances a run in a process of its own, which has to die at a point."""

    def kill(run_id: UUID, point: str, *script: Any, since: str = "") -> None:
        assert processes.killed(
            "advance",
            tenant=str(world.tenant_id),
            run=str(run_id),
            point=point,
            since=since,
            script=script,
            folder=str(tmp_path),
        )
        with in_tenant(world.tenant_id):
            run = Run.objects.get(pk=run_id)
            assert run.state == "running"
            # Thirty seconds later, on the database's clock.
            Run.objects.filter(pk=run_id).update(lease_until=run.created_at)
        assert run_id in [one.run_id for one in queries.stranded(actor=world.cast.system)]

    return kill


def approved(world: World, *script: Any) -> Said:
    """Return a queued run whose one write people have agreed to."""
    said = world.say("Please do it", customer=SOFIA)
    with world.answering(*_replies(script)):
        assert world.advance(said.run_id) is Progress.WAITS
    world.vote(world.calls(said.run_id)[0].proposal_id)
    world.relay()
    return said


def _replies(script: tuple[Any, ...]) -> list[Any]:
    return [Reply(calls=tuple(Use(name=n, args=a) for n, a in one)) for one in script]


def refunds(world: World) -> int:
    history = world.order(PENDING, SOFIA)["payment_history"]
    return sum(entry["transaction_type"] == "refund" for entry in history)


class TestKilledBeforeAnyoneAgreed:
    @pytest.mark.parametrize(("point", "asked"), [("P1", 2), ("P2", 2), ("P3", 1)])
    def test_the_answer_is_stored_once(
        self, world: World, killed: Killed, point: str, asked: int
    ) -> None:
        said = world.say("Please do it", customer=SOFIA)
        killed(said.run_id, point, [CANCEL])
        # After P3 the stored calls are continued and the model is not asked again.
        replies = _replies(([CANCEL],)) if asked == 2 else []
        with world.answering(*replies) as model:
            assert world.advance(said.run_id) is Progress.WAITS
            assert len(model.asked) == asked - 1
        (call,) = world.calls(said.run_id)
        world.vote(call.proposal_id)
        world.relay()
        with world.answering(says(DONE)):
            assert world.advance(said.run_id) is Progress.ENDED
        assert refunds(world) == 1


class TestKilledWhileItWrites:
    @pytest.mark.parametrize("point", ["P4", "P5", "P6"])
    def test_a_write_of_our_own_happens_once(
        self, world: World, killed: Killed, point: str
    ) -> None:
        said = approved(world, [CANCEL])
        killed(said.run_id, point, DONE)
        assert refunds(world) == (1 if point == "P6" else 0)
        with world.answering(says(DONE)):
            assert world.advance(said.run_id) is Progress.ENDED
        (call,) = world.calls(said.run_id)
        assert (call.state, call.attempt, refunds(world)) == ("succeeded", 1, 1)
        seqs = [e.seq for e in queries.events(actor=world.cast.system, run_id=said.run_id)]
        assert seqs == list(range(1, len(seqs) + 1))
        assert world.kinds(said.conversation_id).count("executed") == 1

    @pytest.mark.parametrize("point", ["P4", "P5", "P6"])
    def test_a_target_that_honours_keys_gets_the_same_one(
        self, world: World, killed: Killed, point: str
    ) -> None:
        said = approved(world, [LABEL])
        killed(said.run_id, point, DONE)
        with world.answering(says(DONE)):
            assert world.advance(said.run_id) is Progress.ENDED
        (call,) = world.calls(said.run_id)
        assert call.state == "succeeded"
        assert outside_tools.lines("labels") == [str(call.idempotency_key)]

    @pytest.mark.parametrize(("point", "sent"), [("P4", 0), ("P5", 1)])
    def test_without_keys_a_person_decides(
        self, world: World, killed: Killed, point: str, sent: int
    ) -> None:
        said = approved(world, [FAX])
        killed(said.run_id, point, DONE)
        assert world.advance(said.run_id) is Progress.WAITS
        assert world.run(said.run_id).state == "needs_reconciliation"
        (call,) = world.calls(said.run_id)
        assert (call.state, len(outside_tools.lines("faxes"))) == ("unknown", sent)

        omar = with_permissions(world.cast.omar, "runs.start")
        commands.reconcile_call(actor=omar, call_id=call.pk, happened=bool(sent))
        with world.answering(says(DONE)):
            assert world.advance(said.run_id) is Progress.ENDED
        (call,) = world.calls(said.run_id)
        assert call.state == ("succeeded" if sent else "failed")
        assert len(outside_tools.lines("faxes")) == sent

    def test_without_keys_a_stored_result_is_no_question(
        self, world: World, killed: Killed
    ) -> None:
        said = approved(world, [FAX])
        killed(said.run_id, "P6", DONE)
        with world.answering(says(DONE)):
            assert world.advance(said.run_id) is Progress.ENDED
        assert world.calls(said.run_id)[0].state == "succeeded"
        assert len(outside_tools.lines("faxes")) == 1


class TestKilledWhileItIsHandedOver:
    """In the middle of the transaction that says: this may run now, once."""

    @pytest.mark.parametrize("point", ["INSERT approvals_dispatch", "COMMIT", "COMMIT sent"])
    @pytest.mark.parametrize("write", [CANCEL, LABEL], ids=["inside", "outside"])
    def test_runs_once(self, world: World, killed: Killed, write: list[Any], point: str) -> None:
        said = approved(world, [write])
        killed(said.run_id, point, DONE, since="INSERT approvals_dispatch")
        with world.answering(says(DONE)):
            assert world.advance(said.run_id) is Progress.ENDED
        (call,) = world.calls(said.run_id)
        assert call.state == "succeeded"
        done = refunds(world) if write is CANCEL else len(outside_tools.lines("labels"))
        assert done == 1
        kept = counts(world.cast)
        assert (kept["approvals_dispatch"], kept["proposal.dispatched"]) == (1, 1)
        assert kept["dispatch.succeeded"] == 1
