"""Paused runs and open proposals of every release are taken up again by the present code.

Each file of `tests/data/golden` is loaded into a fresh tenant and then approved, and rejected.
`tests/golden.py` says how a release adds its own.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest

from agents.models import ToolCall
from agents.runtime import commands as runtime
from agents.runtime.engine import Progress
from agents.showcase.retail.models import Order
from agents.tools import registry
from approvals import commands, queries
from approvals.cards import ProposalCard, ProposalDetail
from approvals.errors import VoteByPrincipal
from approvals.models import Dispatch
from approvals.states import ProposalState
from console.kernel.actors import Actor
from console.kernel.transactions import in_tenant
from tests import golden
from tests.agents.test_edited import edit
from tests.agents.test_rules_at_work import move
from tests.agents.world import (
    PENDING,
    SOFIA,
    World,
    calls,
    cancel,
    make_world,
    open_small_shop,
    proposal_of,
    says,
    touch,
)
from tests.approvals.desk import approve, reject
from tests.cast import Cast, make_cast

PEOPLE: Final = ("ruth", "ines", "pia")
SAVED: Final = golden.saved()
# Tools whose promise is another one since a release. Whoever changes a contract adds to it, and so
# says that nothing of what waits then will run: people agreed to something else.
OTHER_SINCE: Final[frozenset[tuple[str, str]]] = frozenset()
STATES: Final = {
    "open_tier_1": ProposalState.OPEN,
    "open_tier_2_one_vote": ProposalState.OPEN,
    "approved": ProposalState.APPROVED,
    "stale": ProposalState.STALE,
    "edited": ProposalState.OPEN,
}


def with_pia(cast: Cast) -> Cast:
    """Return a cast in which somebody of care is left when Ruth has edited."""
    cast.add("pia", roles=("reviewer",), groups=("care",))
    return cast


def asked(world: World, *, tier: int) -> ToolCall:
    said = world.say("Please do it", customer=SOFIA)
    with world.answering(calls(cancel() if tier == 2 else move())):
        assert world.advance(said.run_id) is Progress.WAITS
    (call,) = world.calls(said.run_id)
    return call


def one_vote(world: World) -> ToolCall:
    call = asked(world, tier=2)
    approve(world.card(call), world.cast.ruth)
    return call


def agreed(world: World) -> ToolCall:
    call = asked(world, tier=2)
    world.vote(call.proposal_id)
    return call


def drifted(world: World) -> ToolCall:
    call = asked(world, tier=2)
    touched(world, PENDING)
    commands.probe(actor=world.cast.system, proposal_id=proposal_of(call), every_s=0)
    return call


def edited(world: World) -> ToolCall:
    call = asked(world, tier=2)
    edit(world, call)
    world.relay()
    return call


def touched(world: World, order_id: str) -> None:
    with in_tenant(world.tenant_id):
        touch(Order.objects.get(order_id=order_id), world.cast.system)


MAKERS: Final[dict[str, Callable[[World], ToolCall]]] = {
    "open_tier_1": lambda world: asked(world, tier=1),
    "open_tier_2_one_vote": one_vote,
    "approved": agreed,
    "stale": drifted,
    "edited": edited,
}


class Loaded:
    """A saved run in a tenant of today, with its shop."""

    def __init__(self, one: golden.Saved, cast: Cast) -> None:
        open_small_shop(cast.system)
        body = golden.load(one, cast)
        self.world = World(cast)
        self.proposal_id = UUID(body["proposal"])
        if body["touched"]:
            touched(self.world, body["touched"])
        self.before = self.order()

    @property
    def detail(self) -> ProposalDetail:
        return queries.proposal(actor=self.world.cast.system, proposal_id=self.proposal_id)

    @property
    def call(self) -> ToolCall:
        with in_tenant(self.world.tenant_id, read_only=True):
            return ToolCall.objects.get(proposal_id=self.proposal_id)

    def order(self) -> Any:
        return self.world.order(PENDING, SOFIA)

    def decide(self, choose: Callable[[ProposalCard, Actor], Any]) -> None:
        """Have people say the same until it is settled; those in the chain may not."""
        for name in PEOPLE:
            card = self.detail.card
            if card.state not in {ProposalState.OPEN, ProposalState.STALE}:
                return
            try:
                choose(card, self.world.cast.members[name].actor)
            except VoteByPrincipal:
                continue

    def resume(self) -> Progress:
        self.world.relay()
        runtime.wake_decided(actor=self.world.cast.system)
        with self.world.answering(says("That is settled.")):
            return self.world.advance(self.call.run_id)

    def dispatches(self) -> int:
        with in_tenant(self.world.tenant_id, read_only=True):
            return Dispatch.objects.count()


@pytest.fixture(params=SAVED, ids=lambda one: f"{one.release}-{one.name}")
def loaded(request: pytest.FixtureRequest, cast: Cast) -> Loaded:
    return Loaded(request.param, with_pia(cast))


class TestWriting:
    """`--write-golden RELEASE` saves what the present code leaves behind; see `tests/golden.py`."""

    def test_saves_what_waits(
        self, pytestconfig: pytest.Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        release = pytestconfig.getoption("--write-golden")
        if not release:
            monkeypatch.setattr(golden, "FOLDER", tmp_path)  # one, to see that it can be done
        for name in MAKERS if release else ["stale"]:
            cast = with_pia(make_cast())
            proposal_id = proposal_of(MAKERS[name](make_world(cast)))
            order = PENDING if name == "stale" else ""
            path = golden.write(
                release or "next", name, cast, proposal_id=proposal_id, touched=order
            )
            assert f'"{proposal_id}"' in path.read_text()


class TestSaved:
    def test_has_every_kind_of_pause(self) -> None:
        releases = {one.release for one in SAVED}
        assert releases
        for release in releases:
            assert set(STATES) <= {one.name for one in SAVED if one.release == release}

    def test_is_what_it_was(self, loaded: Loaded, request: pytest.FixtureRequest) -> None:
        one: golden.Saved = request.node.callspec.params["loaded"]
        detail = loaded.detail
        assert detail.card.state is STATES[one.name]
        assert detail.card.digest == detail.content.digest.hex()
        assert loaded.call.state == "waiting_approval"
        assert (
            loaded.world.cast.client("ruth").get(f"/reviews/{detail.card.id}/").status_code == 200
        )


class TestApproved:
    def test_runs_what_people_saw(self, loaded: Loaded, request: pytest.FixtureRequest) -> None:
        one: golden.Saved = request.node.callspec.params["loaded"]
        card = loaded.detail.card
        if card.state is ProposalState.STALE:
            commands.rebase(
                actor=loaded.world.cast.ruth,
                proposal_id=card.id,
                revision_no=card.revision_no,
                seen_digest=card.digest,
            )
        loaded.decide(approve)
        assert loaded.detail.card.state is ProposalState.APPROVED
        assert loaded.resume() is Progress.ENDED
        call, args = loaded.call, loaded.detail.content.args
        changed = registry.get(call.tool).hash != bytes(call.contract_hash or b"").hex()
        assert changed is ((one.release, call.tool) in OTHER_SINCE)
        if changed:  # nothing of it runs, and the run went on
            assert (call.state, loaded.dispatches()) == ("failed", 0)
            assert loaded.order() == loaded.before
            return
        assert (call.state, call.runs_with, loaded.dispatches()) == ("succeeded", args, 1)
        assert loaded.order() != loaded.before


class TestRejected:
    def test_runs_nothing(self, loaded: Loaded) -> None:
        card = loaded.detail.card
        ines = loaded.world.cast.ines
        if card.state is ProposalState.APPROVED:
            commands.withdraw_vote(actor=ines, proposal_id=card.id)
        reject(loaded.detail.card, ines)
        assert loaded.detail.card.state is ProposalState.REJECTED
        assert loaded.resume() is Progress.ENDED
        assert (loaded.call.state, loaded.dispatches()) == ("denied", 0)
        assert loaded.order() == loaded.before
