"""A tenant with one of everything that an address can name."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from agents.controls import commands as controls
from agents.controls.cards import Scope
from agents.controls.states import ScopeKind
from agents.llm.scripted import Reply, Use
from approvals import commands as approvals
from approvals.queries import View
from approvals.states import ChannelKind, CommentKind
from console.accounts import commands as accounts
from console.accounts import queries
from console.kernel import pulse
from console.widget import commands as widget
from tests.agents.world import PENDING, SOFIA, World, make_world
from tests.approvals import lent
from tests.approvals.advance import made_beside
from tests.approvals.desk import approved, claim, opened
from tests.approvals.glass import broken, lend
from tests.architecture.bodies import POLICY
from tests.architecture.routes import Route
from tests.authenticator import Authenticator, registered
from tests.cast import Cast, make_cast


@dataclass(frozen=True, slots=True)
class Filled:
    """A tenant with one of everything, and the ids by the names that addresses give them."""

    cast: Cast
    ids: dict[str, dict[str, Any]]

    def ids_for(self, route: Route) -> dict[str, Any]:
        return {**self.ids[""], **self.ids.get(route.key.partition(":")[0], {})}


@pytest.fixture(scope="module")
def filled(database: None) -> Filled:
    cast = make_cast()
    cast.add("dana", roles=("reviewer", "operator", "auditor", "admin"))
    world = make_world(cast)
    run_id, call_id, conversation_id, proposal_id = held_call(world)
    cast.client("ruth")
    key = accounts.create_key(actor=cast.noor, name="ci", scopes=["runs.view"], days=1)
    switch = controls.engage(
        actor=cast.omar, scope=Scope(kind=ScopeKind.AGENT, value="another"), reason="For the test."
    )
    view = approvals.save_view(actor=cast.ruth, name="Mine", view=View.MINE)
    tool = approvals.add_external_tool(
        actor=cast.noor, name="crm.update", tier=2, summary="Changes a customer."
    ).tool
    assert tool is not None
    asked = approvals.ask(
        actor=cast.ruth, proposal_id=proposal_id, kind=CommentKind.QUESTION, text="Why?"
    )
    version = approvals.add_version(actor=cast.noor, body=POLICY)
    room = approvals.add_channel(
        actor=cast.noor,
        kind=ChannelKind.EMAIL,
        title="Room",
        address="room@meridian.example",
    )
    embed = widget.create_key(
        actor=cast.noor, title="Shop", agent="support", origins="http://localhost:*"
    )
    for duty in ("audit.seal", "audit.project"):
        while pulse.run_once(duty):
            pass
    plain = {
        "person_id": cast.ruth.id,
        "session_id": queries.own_sessions(actor=cast.ruth)[0].id,
        "key_id": key.key.id,
        "run_id": run_id,
        "call_id": call_id,
        "conversation_id": conversation_id,
        "proposal_id": proposal_id,
        "comment_id": asked.id,
        "switch_id": switch.id,
        "version_id": version.id,
        "standing_id": made_beside(cast).id,
        "replay_id": approvals.start_replay(actor=cast.noor, version_id=version.id, days=1).id,
        "channel_id": room.id,
        "passkey_id": registered(cast.ruth, Authenticator()).id,
        "view_id": view.id,
        "tool_id": tool.id,
        "dispatch_id": claim(cast, approved(cast)).dispatch_id,
        "grant_id": lend(cast, cast.ines).id,
        "delegation_id": lent.lend(cast.ines, cast.ruth).id,
        "task_id": broken(opened(cast, tier=2), cast.ines).task_id,
        "index": 5,  # Mallory's own log is shorter
        "tile": "0/000.p/6",
        "place": "000.p/6",
    }
    return Filled(cast, {"": plain, "widget": {"key_id": embed.id}})


def held_call(world: World) -> tuple[UUID, UUID, UUID, UUID]:
    """Have the agent ask for a change that waits for people; return its ids."""
    use = Use(
        name="cancel_pending_order", args={"order_id": PENDING, "reason": "ordered by mistake"}
    )
    with world.answering(Reply(calls=(use,))):
        said = world.say("Please cancel my order.", customer=SOFIA)
        assert said.run_id is not None
        world.advance(said.run_id)
    call = world.calls(said.run_id)[0]
    assert call.proposal_id is not None
    return said.run_id, call.id, said.conversation_id, call.proposal_id
