"""The home page: every figure from the room that owns it, nothing made up."""

import re
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from agents.controls import commands as controls
from agents.controls.cards import Scope
from agents.controls.states import Category, ScopeKind
from agents.runtime.commands import register_agent
from audit import duties
from console.kernel.actors import Actor
from console.kernel.ids import uuid7
from console.shell import queries
from console.shell.cards import Home, Tile
from tests.approvals.desk import approve, facts, opened
from tests.cast import Cast


def stop(actor: Actor, agent: str = "refunds") -> None:
    scope = Scope(kind=ScopeKind.AGENT, value=agent)
    category = next(iter(Category))
    controls.engage(actor=actor, scope=scope, category=category, reason="wrong currency")


def seal_all() -> None:
    """Bring the trail up to now, as the duties of pulse do."""
    duties.seal()
    while duties.project():
        pass


def tile(home: Home, label: str) -> Tile:
    return next(tile for tile in home.tiles if tile.label == label)


class TestTiles:
    def test_are_those_of_the_rooms_a_person_may_enter(self, cast: Cast) -> None:
        shown = {
            name: [tile.label for tile in queries.home(actor=cast.members[name].actor).tiles]
            for name in ("ruth", "omar", "noor")
        }

        assert shown["ruth"] == ["Your turn", "Open proposals", "Runs under way"]
        assert "Audit sealed up to" not in shown["omar"]
        assert "Your turn" not in shown["noor"]
        assert "Audit sealed up to" in shown["noor"]

    def test_link_to_the_lists_behind_them(self, cast: Cast) -> None:
        client = cast.client("noor")

        for each in queries.home(actor=cast.noor).tiles:
            assert client.get(each.href).status_code == 200, each.href

    def test_nothing_yet_is_said_as_nothing(self, cast: Cast) -> None:
        home = queries.home(actor=cast.noor)

        assert tile(home, "Open proposals").value == "0"
        assert tile(home, "Spend today (UTC)").note == "no model call yet"
        assert tile(home, "Runs under way").note == "no run yet"
        assert home.attention == ()

    def test_a_stop_counts_in_its_tenant_only(self, cast: Cast) -> None:
        stop(cast.omar)

        assert tile(queries.home(actor=cast.omar), "Active stops").value == "1"
        assert tile(queries.home(actor=cast.mallory), "Active stops").value == "0"


class TestAttention:
    def test_names_a_stop_with_who_and_why(self, cast: Cast) -> None:
        stop(cast.omar)
        (item,) = queries.home(actor=cast.omar).attention

        assert item.signal == "stop"
        assert "agent refunds is stopped by" in item.text
        assert "wrong currency" in item.text

    def test_names_a_vote_that_is_awaited(self, cast: Cast) -> None:
        opened(cast)
        (item,) = queries.home(actor=cast.ruth).attention

        assert item.text == "1 proposal waits for your vote"
        assert cast.client("ruth").get(item.href).status_code == 200

    def test_shortens_the_id_of_a_stopped_run(self, cast: Cast) -> None:
        run = "01a1f8db-1d04-7fd3-ad95-26885c87cb76"
        scope = Scope(kind=ScopeKind.RUN, value=run)
        controls.engage(actor=cast.omar, scope=scope, category=Category.CONTROLLED, reason="loop")
        (item,) = queries.home(actor=cast.omar).attention

        assert item.text.startswith("run 01a1…cb76 is stopped by")


class TestChanges:
    def test_come_from_the_trail(self, cast: Cast) -> None:
        stop(cast.omar)
        seal_all()
        changes = queries.home(actor=cast.noor).changes

        assert changes is not None
        assert changes[0].action == "switch.engaged"
        assert cast.client("noor").get(changes[0].href).status_code == 200

    def test_are_for_readers_of_the_trail(self, cast: Cast) -> None:
        assert queries.home(actor=cast.ruth).changes is None
        assert b"Recent changes" not in cast.client("ruth").get("/").content


class TestSteps:
    def test_tick_themselves_from_the_trail(self, cast: Cast, settings: Any) -> None:
        settings.DEMO = True
        register_agent(actor=cast.system, slug="refunds", title="Refunds", owner=UUID(cast.noor.id))
        seal_all()
        before = queries.home(actor=cast.omar)
        stop(cast.omar)
        approve(opened(cast, facts_=facts(run_id=uuid7())), cast.ruth)
        seal_all()
        after = queries.home(actor=cast.omar)

        assert before.steps_done == 0
        assert [step.title for step in after.steps if step.done_at] == [
            "Vote on a waiting change",
            "Stop the agent",
        ]

    def test_are_no_steps_where_there_is_no_agent_to_talk_to(
        self, cast: Cast, settings: Any
    ) -> None:
        settings.DEMO = True

        assert queries.home(actor=cast.mallory).steps == ()

    def test_exist_in_the_demo_only(self, cast: Cast, settings: Any) -> None:
        settings.DEMO = False

        assert queries.home(actor=cast.omar).steps == ()


class TestPage:
    @pytest.mark.parametrize("name", ["ruth", "ines", "omar", "noor", "mallory"])
    def test_opens_for_everybody(self, cast: Cast, name: str) -> None:
        assert cast.client(name).get("/").status_code == 200

    def test_part_is_the_same_as_on_the_page(self, cast: Cast) -> None:
        client = cast.client("omar")
        page = client.get("/").content.decode()
        part = client.get("/?part=overview").content.decode()
        figures = re.compile(r'class="stat-value"[^>]*>([^<]*)<')

        assert part.strip().startswith("<sb-live")
        assert figures.findall(part) == figures.findall(page)

    def test_sends_strangers_to_the_sign_in(self) -> None:
        answer = Client(SERVER_NAME="localhost").get("/")

        assert answer.status_code == 302
        assert answer.headers["Location"] == "/sign-in/?next=%2F"
