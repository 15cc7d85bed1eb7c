from datetime import timedelta

import pytest

from approvals import commands, queries
from approvals.cards import ProposalCard
from approvals.errors import (
    EditByMachine,
    NotStale,
    NotYours,
    RefreshSpent,
    StaleRevision,
    VoteByPrincipal,
)
from approvals.queries.probing import unprobed
from approvals.states import HANDED_BACK, ProposalState
from console.kernel import clock
from console.kernel.errors import BadInput, NotFound
from tests.approvals import desk
from tests.approvals.desk import agent, approve, now
from tests.approvals.letters import CONTRACTS, DRAWER, opened
from tests.cast import Cast


def probe(cast: Cast, card: ProposalCard, every_s: int = 0) -> bool:
    return commands.probe(actor=cast.system, proposal_id=card.id, every_s=every_s)


def moved(cast: Cast, *, tier: int = 2, to: str = "weighed") -> ProposalCard:
    """Return a proposal whose target was changed and found to be."""
    card = opened(cast, tier=tier)
    DRAWER[card.subject.id]["state"] = to
    assert probe(cast, card)
    return card


def rebase(card: ProposalCard, cast: Cast, **other: object) -> ProposalCard:
    values = {"actor": cast.ruth, "proposal_id": card.id}
    seen = {"revision_no": card.revision_no, "seen_digest": card.digest}
    return commands.rebase(**{**values, **seen, **other})  # type: ignore[arg-type]


class TestProbe:
    def test_changes_nothing_while_the_target_is_the_same(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        assert not probe(cast, card)
        assert now(cast, card).card == card

    def test_makes_a_moved_target_stale_with_then_proposed_and_now(self, cast: Cast) -> None:
        card = opened(cast, tier=2, target={"stamps": 1, "weight": 20})
        DRAWER[card.subject.id] |= {"stamps": 5, "weight": 80}

        assert probe(cast, card)

        detail = now(cast, card)
        marks = {line.path: (line.then, line.now, line.mark) for line in detail.drift}
        assert detail.card.state is ProposalState.STALE
        assert marks["letters L1 stamps"] == ("1", "5", "conflict")
        assert marks["letters L1 weight"] == ("20", "80", "drifted")
        assert marks["letters L1 to"] == (None, None, "same")
        assert [line.action for line in detail.history][-1] == "proposal.staled"

    def test_takes_an_approval_back(self, cast: Cast) -> None:
        card = opened(cast)
        approve(card, cast.ruth)
        DRAWER[card.subject.id]["state"] = "weighed"
        assert probe(cast, card)
        detail = now(cast, card)
        assert (detail.card.state, detail.decision) == (ProposalState.STALE, None)

    def test_finds_a_changed_contract(self, cast: Cast) -> None:
        card = opened(cast)
        CONTRACTS[card.subject.id] = "2" * 64
        assert probe(cast, card)

    def test_asks_the_target_no_more_often_than_told(self, cast: Cast) -> None:
        card = opened(cast)
        at = clock.now()
        with clock.frozen(at):
            probe(cast, card, 30)
        DRAWER[card.subject.id]["state"] = "weighed"
        with clock.frozen(at + timedelta(seconds=29)):
            assert not probe(cast, card, 30)
        with clock.frozen(at + timedelta(seconds=30)):
            assert probe(cast, card, 30)

    def test_leaves_what_cannot_be_looked_at(self, cast: Cast) -> None:
        gone = desk.opened(cast, tier=2)  # a tool call whose run is not there
        letter = opened(cast)
        del DRAWER[letter.subject.id]
        assert not probe(cast, gone)
        assert not probe(cast, letter)
        assert now(cast, gone).card.state is ProposalState.OPEN

    def test_leaves_what_is_settled(self, cast: Cast) -> None:
        card = opened(cast)
        desk.reject(card, cast.ruth)
        DRAWER[card.subject.id]["state"] = "weighed"
        assert not probe(cast, card)
        assert not commands.probe(actor=cast.mallory, proposal_id=card.id, every_s=0)


class TestProbeOpened:
    def test_looks_at_high_stakes_only(self, cast: Cast) -> None:
        for tier, expected in ((1, False), (2, True)):
            card = opened(cast, tier=tier)
            DRAWER[card.subject.id]["state"] = "weighed"
            assert commands.probe_opened(actor=cast.ruth, card=card) is expected


class TestProbeDue:
    def test_looks_five_minutes_after_the_last_look(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        low = opened(cast, tier=1)
        for one in (card, low):
            DRAWER[one.subject.id]["state"] = "weighed"
        assert commands.probe_due(actor=cast.system) == 0
        with clock.frozen(clock.later(card.opened_at, seconds=301)):
            assert unprobed(actor=cast.system, older_than_s=300, tier=2, limit=9) == [card.id]
            assert commands.probe_due(actor=cast.system) == 1
            assert commands.probe_due(actor=cast.system) == 0
        assert now(cast, low).card.state is ProposalState.OPEN


class TestRebase:
    def test_puts_the_same_arguments_on_what_is_there(self, cast: Cast) -> None:
        card = moved(cast)
        new = rebase(card, cast)
        detail = now(cast, card)
        assert (new.state, new.revision_no) == (ProposalState.OPEN, 2)
        assert detail.content.args == {"to": "Mia", "stamps": 2}
        assert detail.content.before["letters"]["L1"]["state"] == "weighed"
        approve(new, cast.ruth)

    def test_needs_what_is_on_screen(self, cast: Cast) -> None:
        with pytest.raises(StaleRevision):
            rebase(moved(cast), cast, seen_digest="0" * 64)

    def test_needs_a_reviewer(self, cast: Cast) -> None:
        card = moved(cast)
        with pytest.raises(VoteByPrincipal):
            rebase(card, cast, actor=cast.omar)
        with pytest.raises(EditByMachine):
            rebase(card, cast, actor=agent(cast))
        with pytest.raises(NotFound):
            rebase(card, cast, actor=cast.mallory)

    def test_needs_a_stale_one(self, cast: Cast) -> None:
        with pytest.raises(NotStale):
            rebase(opened(cast), cast)

    def test_is_possible_three_times(self, cast: Cast) -> None:
        card = moved(cast)
        for n in range(3):
            card = rebase(card, cast)
            DRAWER[card.subject.id]["state"] = f"moved {n}"
            assert probe(cast, card)
        with pytest.raises(RefreshSpent):
            rebase(card, cast)

    def test_says_the_target_s_own_rule(self, cast: Cast) -> None:
        card = moved(cast)
        DRAWER[card.subject.id]["sealed"] = True
        with pytest.raises(BadInput, match="sealed already"):
            rebase(card, cast)


class TestHandBack:
    def test_ends_it_so_that_the_agent_looks_again(self, cast: Cast) -> None:
        card = moved(cast)
        commands.hand_back(
            actor=cast.ruth, proposal_id=card.id, revision_no=1, seen_digest=card.digest
        )
        detail = now(cast, card)
        assert (detail.card.state, detail.close_cause) == (ProposalState.WITHDRAWN, HANDED_BACK)

    def test_needs_a_stale_one(self, cast: Cast) -> None:
        card = opened(cast)
        with pytest.raises(NotStale):
            commands.hand_back(
                actor=cast.ruth, proposal_id=card.id, revision_no=1, seen_digest=card.digest
            )


class TestTakeBack:
    def test_is_for_starter_and_owner(self, cast: Cast) -> None:
        for who in (cast.omar, cast.noor):
            card = opened(cast)
            commands.take_back(actor=who, proposal_id=card.id)
            detail = now(cast, card)
            assert detail.card.state is ProposalState.WITHDRAWN
            assert detail.close_cause == f"taken back by {who.label}"

    def test_is_refused_to_others(self, cast: Cast) -> None:
        card = opened(cast)
        for who in (cast.ruth, agent(cast), cast.system):
            with pytest.raises((NotYours, Exception)) as refused:
                commands.take_back(actor=who, proposal_id=card.id)
            assert refused.value.status == 403  # type: ignore[attr-defined]
        with pytest.raises(NotFound):
            commands.take_back(actor=cast.mallory, proposal_id=card.id)
        assert now(cast, card).card.state is ProposalState.OPEN

    def test_takes_an_approval_back_too(self, cast: Cast) -> None:
        card = opened(cast)
        approve(card, cast.ruth)
        commands.take_back(actor=cast.omar, proposal_id=card.id)
        assert now(cast, card).card.state is ProposalState.WITHDRAWN
        assert queries.thread(actor=cast.ruth, proposal_id=card.id) == ()
