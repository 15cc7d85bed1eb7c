"""The rules against 306 outcomes that somebody else computed, in memory."""

from copy import deepcopy
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.showcase.retail import images, shop, state
from agents.showcase.retail.tools import DOMAIN
from agents.tools import registry
from agents.tools.contracts import Image, Tool, UndoKind
from agents.tools.errors import ToolRefused
from tests.showcase.outcomes import Task, bulk, initial_digest, natural
from tests.tools.strategies import fitting

WRITES = [tool for tool in registry.every(domain=DOMAIN) if tool.writes]
FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@cache
def initial_fragments() -> dict[str, dict[str, bytes]]:
    return {
        kind: {key: state.fragment(key, record) for key, record in records.items()}
        for kind, records in state.initial().items()
    }


def digest_of(changed: shop.MemoryShop) -> str:
    """Return the digest of a state that shares most records with the initial one."""
    initial = state.initial()
    return state.digest(
        {
            kind: [
                (
                    key,
                    initial_fragments()[kind][key]
                    if record is initial[kind][key]
                    else state.fragment(key, record),
                )
                for key, record in records.items()
            ]
            for kind, records in changed.state.items()
        }
    )


def planned(
    tool: Tool, held: shop.Shop, args: dict[str, Any], customer: str
) -> tuple[Image, Image]:
    before = shop.before_image(tool.name, held, tool.validate(args), customer=customer)
    assert tool.plan is not None
    return before, tool.plan(before, args)


def replay(task: Task) -> tuple[shop.MemoryShop, list[images.Changes]]:
    held = shop.MemoryShop(dict(state.initial()))
    steps: list[images.Changes] = []
    for action, result in zip(task.actions, task.results, strict=True):
        tool = registry.get(action["name"])
        if not tool.writes:
            continue
        if not result["ok"]:
            with pytest.raises(ToolRefused) as caught:
                planned(tool, held, action["arguments"], task.user_id)
            assert caught.value.message.startswith(result["error"])
            continue
        before, after = planned(tool, held, action["arguments"], task.user_id)
        steps.append(images.changes(before, after))
        held.take(before, after)
    return held, steps


class TestPlan:
    @pytest.mark.parametrize("task", [*natural(), *bulk()], ids=lambda task: task.id)
    def test_reaches_the_state_that_the_data_set_expects(self, task: Task) -> None:
        held, steps = replay(task)

        assert digest_of(held) == task.state_sha256
        assert len(steps) == task.applied
        assert images.composed(steps) == task.changes
        if len(steps) == 1:
            assert steps[0] == task.changes

    @pytest.mark.parametrize("tool", WRITES, ids=lambda tool: tool.name)
    def test_only_ever_refuses_what_a_model_makes_up(self, tool: Tool) -> None:
        held = shop.MemoryShop(dict(state.initial()))
        customers = sorted(state.initial()["users"])

        @FUZZ
        @given(fitting(tool.input_schema), st.sampled_from(customers))
        def check(args: dict[str, Any], customer: str) -> None:
            order_ids = state.initial()["users"][customer]["orders"]
            known = {"order_id": order_ids[0] if order_ids else "#W0000000", "user_id": customer}
            args = {**args, **{name: known[name] for name in known if name in args}}
            try:
                before, after = planned(tool, held, args, customer)
            except ToolRefused as refusal:
                assert refusal.rule.startswith("retail.")  # noqa: PT017 - either way is fine
            else:
                assert images.changes(before, after) is not None

        check()

    @pytest.mark.parametrize("task", bulk()[:40], ids=lambda task: task.id)
    def test_changes_nothing_in_place_and_is_repeatable(self, task: Task) -> None:
        held = shop.MemoryShop(dict(state.initial()))
        action = task.actions[0]
        tool = registry.get(action["name"])
        if not task.results[0]["ok"]:
            return
        assert tool.plan is not None
        before, after = planned(tool, held, action["arguments"], task.user_id)
        kept = deepcopy(before)

        assert tool.plan(before, action["arguments"]) == after
        assert before == kept

    @pytest.mark.parametrize("task", bulk(), ids=lambda task: task.id)
    def test_is_taken_back_by_its_undo(self, task: Task) -> None:
        held = shop.MemoryShop(dict(state.initial()))
        action = task.actions[0]
        tool = registry.get(action["name"])
        if tool.undo.kind is not UndoKind.BEFORE_IMAGE or not task.results[0]["ok"]:
            return
        before, after = planned(tool, held, action["arguments"], task.user_id)
        held.take(before, after)
        assert digest_of(held) != initial_digest()

        held.take(after, tool.plan_undo(after, before, after))

        assert digest_of(held) == initial_digest()

    def test_moves_no_money_but_what_it_says(self) -> None:
        for task in bulk():
            held, steps = replay(task)
            for step in steps:
                for key, change in step.get("users", {}).items():
                    for name, method in change["after"].get("payment_methods", {}).items():
                        assert method.get("balance", 0) >= 0, (task.id, key, name)
            assert held.state.keys() == state.initial().keys()
