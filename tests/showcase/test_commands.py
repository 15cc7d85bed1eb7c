"""The shop's tables: real transactions, as the role that row-level security binds."""

import threading
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection

from agents.showcase.retail import commands, queries, shop, state
from agents.showcase.retail.models import Order
from agents.tools import registry
from agents.tools.contracts import Image, Tool, ToolContext
from agents.tools.errors import Drifted, ToolRefused
from audit.events import catalogue
from console.kernel.actors import Actor, system
from console.kernel.transactions import command, in_tenant
from tests.showcase.conftest import context
from tests.showcase.outcomes import Task, bulk, initial_digest, natural


def a_task(name: str) -> Task:
    """Return the first machine-written task that begins with an applied write of that tool."""
    tasks = (task for task in bulk() if task.actions[0]["name"] == name and task.results[0]["ok"])
    return next(tasks)


def expected_digest(task: Task) -> str:
    """Return the digest after the task's first write, by the rules alone and in memory."""
    held, action = shop.MemoryShop(dict(state.initial())), task.actions[0]
    plan = registry.get(action["name"]).plan
    assert plan is not None
    before = shop.before_image(action["name"], held, action["arguments"], customer=task.user_id)
    held.take(before, plan(before, action["arguments"]))
    return state.digest_of(held.state)


def prepared(actor: Actor, task: Task) -> tuple[Tool, ToolContext, Image, Image]:
    """Return what a task's first write was planned on, and what it would make of it."""
    action = task.actions[0]
    tool, ctx = registry.get(action["name"]), context(actor, task.user_id)
    args = tool.validate(action["arguments"])
    assert tool.before is not None
    assert tool.plan is not None
    before = tool.before(ctx, args)
    return tool, ctx, before, tool.plan(before, args)


def applied(tool: Tool, ctx: ToolContext, before: Image, after: Image) -> dict[str, Any]:
    assert tool.apply is not None
    return tool.validate_result(tool.apply(ctx, before, after))


@command
def changed_in_silence(*, actor: Actor) -> None:
    Order.objects.filter(order_id="#W2702727").update(version=7)


@command
def look_then_wait(*, actor: Actor, task: Task, barrier: threading.Barrier) -> None:
    """Apply a write that was planned before anybody else applied theirs."""
    tool, ctx, before, after = prepared(actor, task)
    barrier.wait(timeout=20)
    applied(tool, ctx, before, after)


class TestSeedShop:
    def test_reaches_the_initial_state_of_the_data_set(self, keeper: Actor) -> None:
        assert queries.state_digest(actor=keeper) == initial_digest()

    def test_fills_a_shop_once(self, keeper: Actor) -> None:
        marks = queries.row_marks(actor=keeper)

        assert commands.seed_shop(actor=keeper) == initial_digest()
        assert queries.row_marks(actor=keeper) == marks
        assert {kind: len(rows) for kind, rows in marks.items()} == {
            "orders": 1000,
            "products": 50,
            "users": 500,
        }

    def test_leaves_another_tenant_empty(self, keeper: Actor) -> None:
        other = system("test.retail", uuid4())

        assert queries.is_seeded(actor=keeper)
        assert not queries.is_seeded(actor=other)
        assert queries.row_marks(actor=other) == {"orders": {}, "products": {}, "users": {}}


class TestApplyChange:
    @pytest.mark.parametrize(
        "name",
        [
            "cancel_pending_order",
            "modify_pending_order_items",
            "modify_pending_order_payment",
            "return_delivered_order_items",
            "exchange_delivered_order_items",
        ],
    )
    def test_makes_the_change_and_shows_the_record(self, keeper: Actor, name: str) -> None:
        task = a_task(name)
        tool, ctx, before, after = prepared(keeper, task)

        result = applied(tool, ctx, before, after)

        assert queries.state_digest(actor=keeper) == expected_digest(task)
        assert result["order_id"] == task.actions[0]["arguments"]["order_id"]

    def test_refuses_the_same_change_a_second_time(self, keeper: Actor) -> None:
        task = a_task("cancel_pending_order")
        tool, ctx, before, after = prepared(keeper, task)
        applied(tool, ctx, before, after)

        with pytest.raises(Drifted):
            applied(tool, ctx, before, after)

        assert queries.state_digest(actor=keeper) == expected_digest(task)

    def test_refuses_once_the_record_is_another_one(self, keeper: Actor) -> None:
        task = a_task("modify_pending_order_items")
        tool, ctx, before, after = prepared(keeper, task)
        order_id = task.actions[0]["arguments"]["order_id"]
        cancel = registry.get("cancel_pending_order")
        assert cancel.before is not None
        assert cancel.plan is not None
        args = {"order_id": order_id, "reason": "no longer needed"}
        image = cancel.before(ctx, args)
        applied(cancel, ctx, image, cancel.plan(image, args))
        digest = queries.state_digest(actor=keeper)

        with pytest.raises(Drifted) as caught:
            applied(tool, ctx, before, after)

        assert caught.value.code == "tool.drifted"
        assert queries.state_digest(actor=keeper) == digest

    def test_lets_one_of_two_at_once_through(self, keeper: Actor) -> None:
        task = a_task("cancel_pending_order")
        barrier = threading.Barrier(2)
        outcomes: list[str] = []

        def work() -> None:
            try:
                look_then_wait(actor=keeper, task=task, barrier=barrier)
                outcomes.append("applied")
            except Drifted as refusal:
                outcomes.append(refusal.code)
            finally:
                connection.close()

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)

        assert sorted(outcomes) == ["applied", "tool.drifted"]
        assert queries.state_digest(actor=keeper) == expected_digest(task)

    def test_is_the_only_way_to_change_an_order(self, keeper: Actor) -> None:
        with pytest.raises(DatabaseError, match="has no audit event"):
            changed_in_silence(actor=keeper)

    def test_keeps_rows_from_being_deleted(self, keeper: Actor) -> None:
        with (
            pytest.raises(DatabaseError, match="permission denied"),
            in_tenant(keeper.tenant_id),
            connection.cursor() as cursor,
        ):
            cursor.execute("DELETE FROM retail_order")

    def test_puts_the_old_values_back_through_its_undo(self, keeper: Actor) -> None:
        for name in ("return_delivered_order_items", "exchange_delivered_order_items"):
            task = a_task(name)
            tool, ctx, before, after = prepared(keeper, task)
            applied(tool, ctx, before, after)
            args = task.actions[0]["arguments"]
            assert tool.before is not None

            now = tool.before(ctx, args)
            applied(tool, ctx, now, tool.plan_undo(now, before, after))

            assert queries.state_digest(actor=keeper) == initial_digest()

    def test_takes_a_change_that_changes_nothing(self, keeper: Actor) -> None:
        user = state.initial()["users"]["mei_kovacs_8020"]
        tool, ctx = registry.get("modify_user_address"), context(keeper, user["user_id"])
        args = {"user_id": user["user_id"], **user["address"]}
        assert tool.before is not None
        assert tool.plan is not None
        before = tool.before(ctx, args)

        result = applied(tool, ctx, before, tool.plan(before, args))

        assert result["address"] == user["address"]
        assert queries.state_digest(actor=keeper) == initial_digest()


class TestRestoreInitial:
    def test_brings_back_the_initial_digest(self, keeper: Actor) -> None:
        task = max(bulk(), key=lambda one: one.applied)
        for action, outcome in zip(task.actions, task.results, strict=True):
            tool, ctx = registry.get(action["name"]), context(keeper, task.user_id)
            if not outcome["ok"]:
                continue
            assert tool.before is not None
            assert tool.plan is not None
            before = tool.before(ctx, action["arguments"])
            applied(tool, ctx, before, tool.plan(before, action["arguments"]))
        assert queries.state_digest(actor=keeper) == task.state_sha256

        keys = {kind: list(records) for kind, records in task.changes.items()}
        commands.restore_initial(actor=keeper, keys=keys)

        assert queries.state_digest(actor=keeper) == initial_digest()


class TestReads:
    def test_answer_as_the_data_set_says(self, keeper: Actor) -> None:
        for task in natural():
            for action, outcome in zip(task.actions, task.results, strict=True):
                tool = registry.get(action["name"])
                if tool.writes:
                    continue
                args = tool.validate(action["arguments"])
                assert tool.run is not None
                ctx = context(keeper, task.user_id)
                if outcome["ok"]:
                    tool.validate_result(tool.run(ctx, args))
                else:
                    with pytest.raises(ToolRefused) as caught:
                        tool.run(ctx, args)
                    assert caught.value.message.startswith(outcome["error"])

    @pytest.mark.parametrize(
        ("name", "args"),
        [
            ("get_order_details", {"order_id": "#W6390527"}),
            ("get_user_details", {"user_id": "mei_kovacs_8020"}),
        ],
    )
    @pytest.mark.parametrize("customer", ["", "noah_brown_6181"])
    def test_show_a_record_to_its_customer_only(
        self, keeper: Actor, name: str, args: dict[str, str], customer: str
    ) -> None:
        tool = registry.get(name)
        assert tool.run is not None

        assert tool.run(context(keeper, "mei_kovacs_8020"), args)
        with pytest.raises(ToolRefused):
            tool.run(context(keeper, customer), args)

    def test_do_not_say_whether_a_foreign_order_exists(self, keeper: Actor) -> None:
        tool = registry.get("get_order_details")
        assert tool.run is not None
        sentences = set()
        for order_id in ("#W6390527", "#W0000000"):
            with pytest.raises(ToolRefused) as caught:
                tool.run(context(keeper, "noah_brown_6181"), {"order_id": order_id})
            sentences.add((caught.value.rule, caught.value.message))

        assert len(sentences) == 1

    def test_find_a_customer_whatever_the_case(self, keeper: Actor) -> None:
        user = state.initial()["users"]["mei_kovacs_8020"]
        by_email = registry.get("find_user_id_by_email")
        by_name = registry.get("find_user_id_by_name_zip")
        assert by_email.run is not None
        assert by_name.run is not None

        found = [
            by_email.run(context(keeper), {"email": user["email"].upper()}),
            by_name.run(
                context(keeper), {"first_name": "MEI", "last_name": "kovacs", "zip": "28236"}
            ),
        ]

        assert found == [{"user_id": "mei_kovacs_8020"}] * 2

    @pytest.mark.parametrize("email", ["%@example.com", "_@example.com", "mei.kovacs%@example.com"])
    def test_take_no_wildcards(self, keeper: Actor, email: str) -> None:
        tool = registry.get("find_user_id_by_email")
        assert tool.run is not None

        with pytest.raises(ToolRefused):
            tool.run(context(keeper), {"email": email})

    def test_serve_one_customer_per_conversation(self, keeper: Actor) -> None:
        tool = registry.get("find_user_id_by_name_zip")
        assert tool.run is not None

        with pytest.raises(ToolRefused) as caught:
            tool.run(
                context(keeper, "noah_brown_6181"),
                {"first_name": "Mei", "last_name": "Kovacs", "zip": "28236"},
            )

        assert caught.value.rule == "retail.other_customer"

    def test_see_nothing_of_another_tenant(self, keeper: Actor) -> None:
        tool = registry.get("get_order_details")
        assert tool.run is not None
        mallory = system("test.retail", uuid4())

        assert queries.is_seeded(actor=keeper)
        with pytest.raises(ToolRefused):
            tool.run(context(mallory, "mei_kovacs_8020"), {"order_id": "#W6390527"})


class TestEvents:
    def test_hold_no_values(self) -> None:
        own = [event for event in catalogue() if event.name.startswith("shop.")]

        assert {event.name for event in own} == {"shop.seeded", "shop.changed", "shop.restored"}
