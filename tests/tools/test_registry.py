import json
from pathlib import Path

import pytest

from agents.showcase.retail import tools as retail_tools
from agents.tools import registry
from agents.tools.contracts import Effect, Idempotency, Tool, UndoKind
from agents.tools.errors import BadContract, UnknownTool

UPSTREAM = {
    tool["name"]: tool
    for tool in json.loads(
        (Path(__file__).parents[1] / "data" / "tau_retail" / "tools.json").read_bytes()
    )
}
TIERS = {
    "modify_user_address": 1,
    "modify_pending_order_address": 1,
    "return_delivered_order_items": 1,
    "exchange_delivered_order_items": 1,
    "cancel_pending_order": 2,
    "modify_pending_order_items": 2,
    "modify_pending_order_payment": 2,
}


class TestEvery:
    def test_has_all_tools_of_the_shop_and_no_others(self) -> None:
        names = {tool.name for tool in registry.every(domain=retail_tools.DOMAIN)}

        assert names == set(UPSTREAM)

    @pytest.mark.parametrize("name", sorted(UPSTREAM))
    def test_asks_for_the_arguments_of_the_data_set(self, name: str) -> None:
        tool, upstream = registry.get(name), UPSTREAM[name]

        assert tool.effect.value == upstream["kind"]
        assert tool.writes == upstream["mutates_state"]
        assert set(tool.input_schema["properties"]) == set(upstream["input_schema"]["properties"])
        assert set(tool.input_schema["required"]) == set(
            upstream["input_schema"].get("required", [])
        )

    @pytest.mark.parametrize("tool", registry.every(), ids=lambda tool: tool.name)
    def test_finds_tier_images_plan_and_undo_on_every_write(self, tool: Tool) -> None:
        if tool.effect is not Effect.WRITE:
            assert tool.tier == 0
            assert tool.run is not None
            return
        assert tool.tier in (1, 2)
        assert tool.before is not None
        assert tool.plan is not None
        assert tool.touches
        assert tool.scopes
        assert tool.undo.kind is not UndoKind.NONE or tool.undo.reason

    def test_gives_each_write_of_the_shop_the_tier_of_the_design(self) -> None:
        shop = registry.every(domain=retail_tools.DOMAIN)

        assert {tool.name: tool.tier for tool in shop if tool.writes} == TIERS
        assert all(
            tool.idempotency is Idempotency.TRANSACTIONAL and tool.apply is not None
            for tool in shop
            if tool.writes
        )

    def test_has_no_way_back_only_where_money_moves(self) -> None:
        without = {
            tool.name
            for tool in registry.every(domain=retail_tools.DOMAIN)
            if tool.writes and tool.undo.kind is UndoKind.NONE
        }

        assert without == {name for name, tier in TIERS.items() if tier == 2}

    @pytest.mark.parametrize("tool", registry.every(), ids=lambda tool: tool.name)
    def test_finds_words_for_every_argument(self, tool: Tool) -> None:
        names = set(tool.input_schema["properties"])

        assert set(tool.phrases.slots) == names
        for slot in tool.phrases.slots.values():
            assert slot.pairs_with in {"", *names}
            if slot.lookup is not None:
                looked_at = registry.get(slot.lookup.tool)
                assert not looked_at.writes
                assert set(slot.lookup.args) == set(looked_at.input_schema["properties"])


class TestGet:
    def test_refuses_an_unknown_name_without_repeating_it(self) -> None:
        with pytest.raises(UnknownTool) as caught:
            registry.get("rm -rf /")

        assert "rm" not in caught.value.message
        assert caught.value.status == 404


class TestAdd:
    def test_refuses_a_second_tool_of_the_same_name(self) -> None:
        with pytest.raises(BadContract, match="registered already"):
            registry.add(registry.get("calculate"))
