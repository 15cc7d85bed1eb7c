"""What waits on the desk alone, of every release, is taken up again by the present code.

`test_golden.py` has paused runs; here are the proposals that no run waits for, or that stand for
what a run's own do not show: plans, words given in advance, broken glass, stops, questions, places
that were lent, signatures, rules and the gate. Each is loaded twice: people agree, and people do
not. `tests/golden.py` says how a release adds its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from approvals import commands, queries
from approvals.cards import Claimed, DispatchCard, ProposalCard, ProposalDetail
from approvals.errors import AlreadyDecided, AlreadyVoted, ProposalFrozen, VoteByPrincipal
from approvals.models import BreakGlassGrant, Dispatch, Proposal, Standing
from approvals.states import Choice, CommentKind, DispatchState, PolicyState, ProposalState
from console.accounts import commands as accounts
from console.accounts.states import Strength
from console.kernel import clock
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant
from tests import golden
from tests.approvals import glass, lent
from tests.approvals.advance import like, made
from tests.approvals.clocks import sweep
from tests.approvals.desk import agent, approve, now, opened, reject, shown, vote
from tests.approvals.outsider import SUMMARY, asked_by_key
from tests.approvals.plans import opened_plan, running
from tests.approvals.policies.rules import body, rule, spoken
from tests.authenticator import Authenticator, registered
from tests.cast import Cast, make_cast

KIND: Final = "desk"
SAVED: Final = golden.saved(KIND)
CARE: Final = {"all": [{"slots": [{"groups": ["care"], "n": 1}]}]}
PEOPLE: Final = ("ruth", "ines", "pia")


@pytest.fixture
def peopled() -> Cast:
    return with_pia(make_cast())


def with_pia(cast: Cast) -> Cast:
    cast.add("pia", roles=("reviewer",), groups=("care",))
    for actor in (cast.ruth, cast.ines, cast.noor, cast.members["pia"].actor):
        accounts.renew_proof(actor=actor, by=Strength.PASSWORD)
    return cast


@dataclass
class Taken:
    """A saved proposal in a tenant of today."""

    cast: Cast
    id: UUID

    @property
    def detail(self) -> ProposalDetail:
        return queries.proposal(actor=self.cast.system, proposal_id=self.id)

    @property
    def card(self) -> ProposalCard:
        return self.detail.card

    def decide(self, choose: Callable[..., Any], *names: str) -> None:
        """Have people say the same until it is settled, each who may."""
        for name in names or PEOPLE:
            if self.card.state is not ProposalState.OPEN:
                return
            try:
                choose(self.card, self.cast.members[name].actor)
            except (AlreadyVoted, VoteByPrincipal):
                continue

    def claim(self, about: UUID | None = None) -> Any:
        found = queries.proposal(actor=self.cast.system, proposal_id=about or self.id)
        return commands.claim_dispatch(
            actor=agent(self.cast), proposal_id=found.card.id, call_key=uuid7(),
            content=found.content,
        )  # fmt: skip

    def ran(self) -> int:
        with in_tenant(self.cast.tenant_id, read_only=True):
            return Dispatch.objects.count()

    def steps(self) -> list[UUID]:
        with in_tenant(self.cast.tenant_id, read_only=True):
            rows = Proposal.objects.filter(plan_id=self.id).order_by("plan_pos")
            return list(rows.values_list("id", flat=True))


# -- what a release leaves behind ----------------------------------------------------------------


def plan_waits(cast: Cast) -> UUID:
    return opened_plan(cast, 2).plan.id


def plan_runs(cast: Cast) -> UUID:
    return running(cast, 1).plan.id


def foreseen(cast: Cast) -> UUID:
    made(cast)
    return opened(cast, **like("#W2")).id


def glass_broken(cast: Cast) -> UUID:
    glass.lend(cast, cast.ruth)
    card = opened(cast, tier=2)
    glass.broken(card, cast.ruth)
    return card.id


def stopped(cast: Cast) -> UUID:
    card = opened(cast)
    commands.freeze(actor=cast.system, proposal_ids=[card.id], cause="a stop", since=clock.now())
    return card.id


def questioned(cast: Cast) -> UUID:
    card = opened(cast)
    commands.ask(
        actor=cast.ruth, proposal_id=card.id, kind=CommentKind.QUESTION, text="Why?", pause=True
    )
    return card.id


def external(cast: Cast) -> UUID:
    return asked_by_key(cast)[0].id


def widened(cast: Cast) -> UUID:
    """Ask care, and nobody answers: half an hour later finance is asked as well."""
    ladder = [{"at": "0.5", "widen": ["finance"]}]
    spoken(cast, rule("w", "hold", match={"tier": 1}, require=CARE, ladder=ladder))
    card = opened(cast)
    sweep(cast, clock.now() + timedelta(minutes=31))
    return card.id


def voted_for_another(cast: Cast) -> UUID:
    lent.lend(cast.ines, cast.ruth)
    card = opened(cast, tier=2)
    lent.instead(card, cast.ruth, cast.ines)
    return card.id


def signed(cast: Cast) -> UUID:
    device, card = Authenticator(), opened(cast, tier=2)
    registered(cast.ruth, device)
    shown(card, cast.ruth)
    challenge = commands.challenge_vote(
        actor=cast.ruth, proposal_id=card.id, revision_no=1, seen_digest=card.digest,
        choice=Choice.APPROVE,
    )  # fmt: skip
    vote(card, cast.ruth, Choice.APPROVE, signed=device.signed(challenge))
    return card.id


def parked(cast: Cast) -> UUID:
    spoken(cast, rule("p", "hold", match={"tier": 1}, on_expiry="park"))
    card = opened(cast)
    sweep(cast, clock.now() + timedelta(hours=2))
    return card.id


def rules(cast: Cast) -> UUID:
    version = commands.add_version(actor=cast.noor, body=body(rule("a", "deny")))
    return commands.propose_activation(actor=cast.noor, version_id=version.id).id


def gate(cast: Cast) -> UUID:
    made = commands.add_external_tool(actor=cast.noor, name="crm.x", tier=1, summary=SUMMARY)
    assert made.waiting is not None
    return made.waiting.id


MAKERS: Final[dict[str, Callable[[Cast], UUID]]] = {
    make.__name__: make
    for make in (
        plan_waits, plan_runs, foreseen, glass_broken, stopped, questioned, external, widened,
        voted_for_another, signed, parked, rules, gate,
    )
}  # fmt: skip
STATES: Final = {
    **dict.fromkeys(MAKERS, ProposalState.OPEN),
    "plan_runs": ProposalState.DISPATCHED,
    "foreseen": ProposalState.APPROVED,
    "glass_broken": ProposalState.APPROVED,
    "parked": ProposalState.EXPIRED,
}


# -- what people of today do with it -------------------------------------------------------------


def agree(found: Taken, name: str) -> None:
    if name == "stopped":
        with pytest.raises(ProposalFrozen):
            approve(found.card, found.cast.ruth)
        commands.thaw(actor=found.cast.system, proposal_ids=[found.id], cause="a stop")
    found.decide(approve, *(("ines",) if name == "widened" else ()))


def run_it(found: Taken, name: str) -> None:
    """Have what was agreed to run, as what it is."""
    if name in {"rules", "gate"}:
        done = commands.carry_out(actor=found.cast.system, proposal_id=found.id)
        assert isinstance(done, DispatchCard)
    elif name.startswith("plan"):
        for step in found.steps()[1 if name == "plan_runs" else 0 :]:
            claimed = found.claim(step)
            assert isinstance(claimed, Claimed), claimed
            commands.report_outcome(
                actor=agent(found.cast),
                dispatch_id=claimed.dispatch_id,
                outcome=DispatchState.SUCCEEDED,
                after={},
                evidence={},
            )
    else:
        assert isinstance(found.claim(), Claimed)


def decline(found: Taken, name: str) -> None:
    """Take back what an approval rests on, and say no."""
    if name == "foreseen":
        with in_tenant(found.cast.tenant_id, read_only=True):
            standing = Standing.objects.get()
        commands.revoke_standing(actor=found.cast.ruth, standing_id=standing.pk, reason="No more.")
    if name == "glass_broken":
        with in_tenant(found.cast.tenant_id, read_only=True):
            grant = BreakGlassGrant.objects.get()
        commands.revoke_break_glass(actor=found.cast.noor, grant_id=grant.pk)
    if found.card.state is ProposalState.APPROVED:
        assert not isinstance(found.claim(), Claimed)
    if name == "plan_runs":
        commands.withdraw_vote(actor=found.cast.ruth, proposal_id=found.id)
    else:
        reject(found.card, found.cast.ines)


@pytest.fixture(params=SAVED, ids=lambda one: f"{one.release}-{one.name}")
def one(request: pytest.FixtureRequest) -> golden.Saved:
    found: golden.Saved = request.param
    return found


@pytest.fixture
def taken(one: golden.Saved, peopled: Cast) -> Taken:
    return Taken(peopled, UUID(golden.load(one, peopled)["proposal"]))


class TestWriting:
    def test_saves_what_waits(
        self, pytestconfig: pytest.Config, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        release = pytestconfig.getoption("--write-golden")
        if not release:
            monkeypatch.setattr(golden, "FOLDER", tmp_path)  # one, to see that it can be done
        for name in MAKERS if release else ["plan_waits"]:
            cast = with_pia(make_cast())
            path = golden.write(
                release or "next", name, cast, proposal_id=MAKERS[name](cast), kind=KIND
            )
            assert f'"kind": "{KIND}"' in path.read_text()


class TestSaved:
    def test_has_every_kind_from_the_first_release_on_that_knew_it(self) -> None:
        for release in {one.release for one in SAVED}:
            assert set(MAKERS) <= {one.name for one in SAVED if one.release == release}
        assert SAVED

    def test_is_agreed_to_and_runs_as_it_was_seen(self, one: golden.Saved, taken: Taken) -> None:
        assert taken.card.state is STATES[one.name]
        seen, ran = taken.card.digest, taken.ran()
        if one.name == "parked":
            with pytest.raises(AlreadyDecided):
                approve(taken.card, taken.cast.ruth)
            assert not isinstance(taken.claim(), Claimed)
            return
        agree(taken, one.name)
        run_it(taken, one.name)
        assert (taken.card.state, taken.card.digest) == (ProposalState.DISPATCHED, seen)
        assert taken.ran() > ran
        if one.name == "rules":
            (active,) = queries.active_policies(actor=taken.cast.noor)
            assert active.state is PolicyState.ACTIVE

    def test_is_declined_and_never_runs(self, one: golden.Saved, taken: Taken) -> None:
        ran = taken.ran()
        if one.name == "parked":
            with pytest.raises(AlreadyDecided):
                reject(taken.card, taken.cast.ruth)
            return
        decline(taken, one.name)
        ended = now(taken.cast, taken.card).card.state
        expected = ProposalState.DISPATCHED if one.name == "plan_runs" else ProposalState.REJECTED
        assert ended is expected
        for about in [taken.id, *taken.steps()]:
            assert not isinstance(taken.claim(about), Claimed)
        assert taken.ran() == ran
