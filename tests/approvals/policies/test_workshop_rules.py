"""Rules change by proposals: who may agree, what is carried out, and what is refused."""

from typing import Any
from uuid import uuid4

import pytest

from approvals import commands, queries
from approvals.cards import DispatchCard, NotClaimed, PolicyVersionCard, ProposalCard
from approvals.errors import PolicyConflict, VoteByPrincipal
from approvals.queries.carrying import to_carry_out
from approvals.states import DispatchState, PolicyState, ProposalState
from console.kernel import clock, relay
from console.kernel.errors import NotAllowed, NotFound
from tests.accounts import trail
from tests.approvals import desk
from tests.approvals.policies.rules import FINANCE, body, rule, silenced, spoken
from tests.cast import Cast
from tests.races.test_votes import at_once

HOLD = rule("a", "hold", match={"tool": "cancel_*"}, require=FINANCE)


def drafted(cast: Cast, *rules: dict[str, Any], name: str = "shop-writes") -> PolicyVersionCard:
    return commands.add_version(actor=cast.noor, body=body(*(rules or (HOLD,)), name=name))


def agreed(cast: Cast, card: ProposalCard) -> ProposalCard:
    desk.approve(card, cast.ruth)
    desk.approve(card, cast.ines)
    return card


def carried(cast: Cast, card: ProposalCard) -> Any:
    return commands.carry_out(actor=cast.system, proposal_id=card.id)


def state_of(cast: Cast, version: PolicyVersionCard) -> PolicyState:
    return queries.version(actor=cast.noor, version_id=version.id).state


class TestProposeActivation:
    def test_is_of_tier_2_and_shows_what_changes(self, cast: Cast) -> None:
        spoken(cast, HOLD)
        other = rule("a", "deny", match={"tool": "cancel_*"})
        card = commands.propose_activation(actor=cast.noor, version_id=drafted(cast, other).id)
        found = queries.proposal(actor=cast.ruth, proposal_id=card.id)
        assert (card.tier, found.requirement.people) == (2, 2)
        assert card.title == "Activate version 2 of the policy shop-writes"
        paths = {change.path for change in found.diff.changes}
        assert "version" in paths
        assert any("effect" in path for path in paths)
        assert not any("match" in path for path in paths)

    def test_neither_who_asks_nor_the_author_may_vote(self, cast: Cast) -> None:
        both = ("reviewer", "admin")
        author = cast.add("paul", roles=both, groups=("finance",))
        asker = cast.add("anna", roles=both, groups=("care",))
        version = commands.add_version(actor=author, body=body(HOLD))
        card = commands.propose_activation(actor=asker, version_id=version.id)
        for one in (author, asker):
            with pytest.raises(VoteByPrincipal):
                desk.approve(card, one)

    def test_the_same_question_is_the_same_proposal(self, cast: Cast) -> None:
        version = drafted(cast)
        first = commands.propose_activation(actor=cast.noor, version_id=version.id)
        assert commands.propose_activation(actor=cast.noor, version_id=version.id).id == first.id

    def test_refuses_what_speaks_or_was_put_away(self, cast: Cast) -> None:
        active = spoken(cast, HOLD)
        for version in (active, silenced(cast, active)):
            with pytest.raises(PolicyConflict):
                commands.propose_activation(actor=cast.noor, version_id=version.id)

    def test_refuses_whoever_has_no_right_and_another_tenant(self, cast: Cast) -> None:
        version = drafted(cast)
        with pytest.raises(NotAllowed):
            commands.propose_activation(actor=cast.ruth, version_id=version.id)
        with pytest.raises(NotFound):
            commands.propose_activation(actor=cast.mallory, version_id=version.id)
        with pytest.raises(PolicyConflict):
            commands.propose_activation(actor=cast.system, version_id=version.id)


class TestProposeRetirement:
    def test_takes_the_word_of_two_people(self, cast: Cast) -> None:
        active = spoken(cast, HOLD)
        card = commands.propose_retirement(actor=cast.noor, version_id=active.id)
        assert state_of(cast, active) is PolicyState.ACTIVE
        done = carried(cast, agreed(cast, card))
        assert isinstance(done, DispatchCard)
        assert state_of(cast, active) is PolicyState.RETIRED

    def test_refuses_a_draft(self, cast: Cast) -> None:
        with pytest.raises(PolicyConflict, match="discard"):
            commands.propose_retirement(actor=cast.noor, version_id=drafted(cast).id)


class TestCarryOut:
    def test_activates_once(self, cast: Cast) -> None:
        version = drafted(cast)
        card = agreed(cast, commands.propose_activation(actor=cast.noor, version_id=version.id))
        assert to_carry_out(actor=cast.system) == [card.id]
        done = carried(cast, card)
        assert isinstance(done, DispatchCard)
        assert done.state is DispatchState.SUCCEEDED
        assert state_of(cast, version) is PolicyState.ACTIVE
        assert carried(cast, card) is None
        assert commands.carry_out_due(actor=cast.system) == 0

    def test_does_nothing_before_people_agreed(self, cast: Cast) -> None:
        version = drafted(cast)
        card = commands.propose_activation(actor=cast.noor, version_id=version.id)
        desk.approve(card, cast.ruth)
        assert carried(cast, card) is None
        assert state_of(cast, version) is PolicyState.DRAFT

    def test_leaves_other_proposals_alone(self, cast: Cast) -> None:
        card = desk.approved(cast)
        assert carried(cast, card) is None
        assert carried(cast, desk.opened(cast, tier=2)) is None
        assert commands.carry_out(actor=cast.system, proposal_id=uuid4()) is None

    def test_goes_stale_when_another_version_speaks_by_now(self, cast: Cast) -> None:
        version = drafted(cast)
        card = agreed(cast, commands.propose_activation(actor=cast.noor, version_id=version.id))
        spoken(cast, rule("b", "deny", match={"tool": "x"}))
        found = carried(cast, card)
        assert isinstance(found, NotClaimed)
        assert found.code == "proposal.stale"
        assert state_of(cast, version) is PolicyState.DRAFT
        now = desk.now(cast, card)
        again = commands.rebase(
            actor=cast.ruth,
            proposal_id=card.id,
            revision_no=now.card.revision_no,
            seen_digest=now.card.digest,
        )
        assert carried(cast, agreed(cast, again)).state is DispatchState.SUCCEEDED

    def test_fails_for_good_when_the_version_was_put_away(self, cast: Cast) -> None:
        version = drafted(cast)
        card = agreed(cast, commands.propose_activation(actor=cast.noor, version_id=version.id))
        commands.discard_version(actor=cast.noor, version_id=version.id)
        assert carried(cast, card).state is DispatchState.FAILED
        assert state_of(cast, version) is PolicyState.RETIRED

    def test_waits_for_a_stop_and_is_tried_again(self, cast: Cast) -> None:
        version = drafted(cast)
        card = agreed(cast, commands.propose_activation(actor=cast.noor, version_id=version.id))
        cause = "All writes stopped"
        commands.freeze(actor=cast.system, proposal_ids=[card.id], cause=cause, since=clock.now())
        assert isinstance(carried(cast, card), NotClaimed)
        assert state_of(cast, version) is PolicyState.DRAFT
        commands.thaw(actor=cast.system, proposal_ids=[card.id], cause=cause)
        assert commands.carry_out_due(actor=cast.system) == 1
        assert state_of(cast, version) is PolicyState.ACTIVE

    def test_follows_from_the_decision_by_itself(self, cast: Cast) -> None:
        version = drafted(cast)
        agreed(cast, commands.propose_activation(actor=cast.noor, version_id=version.id))
        relay.relay_all(tenant_id=cast.tenant_id)
        assert state_of(cast, version) is PolicyState.ACTIVE

    def test_is_done_once_by_many_at_the_same_time(self, cast: Cast) -> None:
        version = drafted(cast)
        card = agreed(cast, commands.propose_activation(actor=cast.noor, version_id=version.id))
        found = at_once([lambda: carried(cast, card)] * 4)
        done = [one for one in found if isinstance(one, DispatchCard)]
        assert [one.state for one in done] == [DispatchState.SUCCEEDED]
        assert trail.actions(cast, "policy.").count("policy.activated") == 1

    def test_never_loosens_what_waits(self, cast: Cast) -> None:
        spoken(cast, HOLD)
        waiting = desk.opened(cast)
        loose = drafted(cast, rule("a", "allow", match={"tool": "cancel_*"}))
        card = commands.propose_activation(actor=cast.noor, version_id=loose.id)
        carried(cast, agreed(cast, card))
        found = desk.now(cast, waiting)
        assert found.card.state is ProposalState.OPEN
        desk.approve(waiting, cast.ines)
        assert desk.now(cast, waiting).card.state is ProposalState.APPROVED

    def test_tightens_what_waits_when_it_is_dispatched(self, cast: Cast) -> None:
        waiting = desk.approved(cast)
        version = drafted(cast)
        card = commands.propose_activation(actor=cast.noor, version_id=version.id)
        carried(cast, agreed(cast, card))
        found = desk.claim(cast, waiting)
        assert (found.code, found.state) == ("proposal.reopened", ProposalState.OPEN)
