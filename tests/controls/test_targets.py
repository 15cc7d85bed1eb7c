"""What the board lists and counts, over real runs."""

from uuid import UUID

from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.controls import queries, targets
from agents.controls.cards import Effect, Scope
from agents.controls.states import ScopeKind
from agents.conversations.commands import receive_message
from agents.runtime.commands import register_agent, register_agent_version
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant
from tests.cast import Cast

REFUNDS = Scope(kind=ScopeKind.AGENT, value="refunds")


def register(cast: Cast) -> None:
    register_agent(actor=cast.system, slug="refunds", title="Refunds")
    register_agent_version(actor=cast.system, agent="refunds", prompt="Help.", tools=())


def message(cast: Cast) -> UUID:
    card = receive_message(
        actor=cast.system,
        conversation_id=None,
        agent_slug="refunds",
        client_id=str(uuid7()),
        text="Hello.",
        channel="widget",
        end_user=str(uuid7()),
    )
    assert card.run_id is not None
    return card.run_id


class TestEffects:
    def test_count_live_runs_of_the_agent_and_the_tenant(self, cast: Cast) -> None:
        register(cast)
        runs = [message(cast), message(cast)]

        with in_tenant(cast.tenant_id, read_only=True):
            found = targets.effects(cast.tenant_id)
            one = targets.effect_on_run(cast.tenant_id, runs[0])

        two = Effect(live_runs=2, parked_runs=0, executing_calls=0, open_proposals=0)
        assert found[targets.TENANT] == two
        assert found[REFUNDS] == two
        assert one.live_runs == 1

    def test_count_nothing_of_another_tenant(self, cast: Cast) -> None:
        register(cast)
        run = message(cast)

        elsewhere = cast.mallory.tenant_id
        with in_tenant(elsewhere, read_only=True):
            assert targets.effects(elsewhere)[targets.TENANT].live_runs == 0
            assert targets.effect_on_run(elsewhere, run).live_runs == 0


class TestBoard:
    def test_lists_agents_and_says_what_a_stop_would_meet(self, cast: Cast) -> None:
        register(cast)
        message(cast)

        card = queries.board(actor=cast.omar, scope=REFUNDS)
        text = cast.client("omar").get("/operations/switches/?scope=agent:refunds").content.decode()

        assert ("Agents", ("refunds",)) in [
            (title, tuple(lever.target.label for lever in levers)) for title, levers in card.groups
        ]
        assert not card.panel.empty
        assert "1 live run parks and keeps its place." in text

    def test_takes_as_many_reads_for_many_agents_as_for_one(self, cast: Cast) -> None:
        register(cast)
        few = _statements(cast)
        for number in range(20):
            register_agent(actor=cast.system, slug=f"agent-{number}", title="More")

        assert _statements(cast) == few


def _statements(cast: Cast) -> int:
    with CaptureQueriesContext(connection) as seen:
        queries.board(actor=cast.omar)
    return len(seen)
