from datetime import UTC, datetime, timedelta

import pytest

from approvals import commands, queries
from approvals.cards import (
    Block,
    ClaimCard,
    ClaimsCard,
    ProposalCard,
    QueuePage,
    Requirement,
    Slot,
    Voter,
)
from approvals.errors import (
    AlreadyDecided,
    AlreadyVoted,
    ProposalClaimed,
    ProposalExpired,
    VoteByMachine,
    VoteByPrincipal,
    VoteNotEligible,
)
from approvals.policies import LEASE, has_free_place, in_the_way, newly_asked
from approvals.queries import View
from approvals.states import ProposalState
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import NotAllowed, NotFound
from console.kernel.ids import uuid7
from tests.approvals.desk import agent, approve, now, opened, reject
from tests.cast import Cast, with_permissions

AT = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)


def voter(*groups: str) -> Voter:
    return Voter(person_id=uuid7(), name="x", groups=frozenset(groups), active=True, may_vote=True)


def asks(*blocks: Block) -> Requirement:
    return Requirement(blocks=blocks, blind=True, decide_s=1, execute_s=1, explanation="")


def slots(*wanted: tuple[str, int]) -> Block:
    return Block(slots=tuple(Slot(groups=(group,), n=n) for group, n in wanted))


class TestHasFreePlace:
    def test_has_one_holder_for_each_place(self) -> None:
        one, other = voter("care"), voter("finance")
        alone = asks(slots(("*", 1)))
        assert has_free_place(alone, [], one)
        assert not has_free_place(alone, [one], other)
        assert has_free_place(asks(slots(("*", 2))), [one], other)

    def test_keeps_a_place_for_another_group(self) -> None:
        first, second, lead = voter("finance"), voter("finance"), voter("leads")
        both = asks(slots(("finance", 1), ("leads", 1)))
        assert not has_free_place(both, [first], second)
        assert has_free_place(both, [first], lead)
        assert has_free_place(both, [first, second], lead)

    def test_tells_people_apart_by_group_for_a_spread(self) -> None:
        spread = asks(Block(spread=2))
        assert not has_free_place(spread, [voter("care")], voter("care"))
        assert has_free_place(spread, [voter("care")], voter("care", "finance"))

    def test_looks_at_every_block_and_every_way(self) -> None:
        two = asks(slots(("finance", 1)), slots(("leads", 1)))
        assert has_free_place(two, [voter("finance")], voter("leads"))
        ways = Block(any_of=((Slot(groups=("finance",), n=1),), (Slot(groups=("leads",), n=2),)))
        assert has_free_place(asks(ways), [voter("finance")], voter("leads"))
        assert not has_free_place(asks(ways), [voter("finance")], voter("finance"))


class TestInTheWay:
    def test_names_whose_claim_ends_first(self) -> None:
        people = [voter("care") for _ in range(3)]
        claims = [self.claim(people[0], minutes=4), self.claim(people[1], minutes=2)]
        way = self.ask(people, claims, slots(("*", 2)), people[2])
        assert way is not None
        assert way.person_id == people[1].person_id

    def test_is_never_the_own_claim(self) -> None:
        people = [voter("care"), voter("care")]
        claims = [self.claim(one) for one in people]
        assert self.ask(people, claims, slots(("*", 1)), people[0]) is None

    def test_does_not_count_who_may_not_decide_any_more(self) -> None:
        gone, here = voter("other"), voter("care")
        claims = [self.claim(gone), self.claim(voter("care"))]
        assert self.ask([gone, here], claims, slots(("care", 1)), here) is None

    def test_is_nobody_for_whoever_may_not_decide(self) -> None:
        holder, stranger = voter("care"), voter("other")
        found = self.ask([holder, stranger], [], slots(("care", 1)), stranger)
        assert found is None

    def claim(self, one: Voter, *, minutes: int = 5) -> ClaimCard:
        until = AT + timedelta(minutes=minutes)
        return ClaimCard(
            proposal_id=uuid7(), person_id=one.person_id, name=one.name, since=AT, until=until
        )

    def ask(
        self, people: list[Voter], claims: list[ClaimCard], block: Block, me: Voter
    ) -> ClaimCard | None:
        return in_the_way(
            me.person_id,
            claims,
            requirement=asks(block),
            principals=(),
            voters={one.person_id: one for one in people},
        )


class TestNewlyAsked:
    def test_are_those_who_were_not_asked_before(self) -> None:
        old, new, never = voter("finance"), voter("leads"), voter("care")
        wider = asks(slots(("finance", 1), ("leads", 1)))
        assert list(newly_asked({"finance"}, wider, [old, new, never])) == [new.person_id]


class TestClaim:
    def test_holds_for_five_minutes_and_is_renewed(self, cast: Cast) -> None:
        card = opened(cast)
        at = clock.now()
        with clock.frozen(at):
            first = commands.claim(actor=cast.ruth, proposal_id=card.id)
        with clock.frozen(at + timedelta(minutes=2)):
            again = commands.claim(actor=cast.ruth, proposal_id=card.id)
        assert first.mine is not None
        assert again.mine is not None
        assert first.mine.until == at + LEASE
        assert again.mine.until == at + timedelta(minutes=2) + LEASE
        assert again.mine.since == at

    def test_keeps_others_from_approving_and_not_from_rejecting(self, cast: Cast) -> None:
        card = opened(cast)
        held = commands.claim(actor=cast.ruth, proposal_id=card.id).mine
        assert held is not None
        with pytest.raises(ProposalClaimed, match="Ruth is at work on this until") as refused:
            approve(card, cast.ines)
        assert refused.value.details == {"holder": "Ruth", "until": held.until.isoformat()}
        with pytest.raises(ProposalClaimed):
            commands.claim(actor=cast.ines, proposal_id=card.id)
        reject(card, cast.ines)
        assert now(cast, card).card.state is ProposalState.REJECTED

    def test_never_conflicts_with_its_holder(self, cast: Cast) -> None:
        card = opened(cast)
        commands.claim(actor=cast.ruth, proposal_id=card.id)
        approve(card, cast.ruth)
        assert now(cast, card).card.state is ProposalState.APPROVED

    def test_lapses_back(self, cast: Cast) -> None:
        card = opened(cast)
        held = commands.claim(actor=cast.ruth, proposal_id=card.id).mine
        assert held is not None
        with clock.frozen(held.until):
            assert claims(cast, card, cast.ines).others == ()
            taken = commands.claim(actor=cast.ines, proposal_id=card.id).mine
        assert taken is not None
        assert taken.name == "Ines"

    def test_leaves_room_for_the_second_of_two(self, cast: Cast) -> None:
        peer = cast.add("peer", roles=("reviewer",), groups=("care",))
        card = opened(cast, tier=2)
        commands.claim(actor=cast.ruth, proposal_id=card.id)
        commands.claim(actor=cast.ines, proposal_id=card.id)
        with pytest.raises(ProposalClaimed):
            commands.claim(actor=peer, proposal_id=card.id)
        assert [one.name for one in claims(cast, card, peer).others] == ["Ruth", "Ines"]

    @pytest.mark.parametrize("who", ["omar", "noor"])
    def test_is_not_for_the_chain(self, cast: Cast, who: str) -> None:
        with pytest.raises(VoteByPrincipal):
            commands.claim(actor=getattr(cast, who), proposal_id=opened(cast).id)

    def test_is_only_for_people_who_can_decide_it(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        with pytest.raises(VoteNotEligible):
            commands.claim(actor=cast.add("loose", roles=("reviewer",)), proposal_id=card.id)
        with pytest.raises(VoteByMachine):
            commands.claim(actor=agent(cast), proposal_id=card.id)
        with pytest.raises(NotFound):
            commands.claim(actor=cast.mallory, proposal_id=card.id)
        approve(card, cast.ruth)
        with pytest.raises(AlreadyVoted):
            commands.claim(actor=cast.ruth, proposal_id=card.id)

    def test_is_not_for_what_is_over(self, cast: Cast) -> None:
        card = opened(cast)
        with clock.frozen(card.decide_by), pytest.raises(ProposalExpired):
            commands.claim(actor=cast.ruth, proposal_id=card.id)
        assert now(cast, card).card.state is ProposalState.EXPIRED
        with pytest.raises(AlreadyDecided):
            commands.claim(actor=cast.ruth, proposal_id=card.id)

    def test_by_itself_is_refused_nothing_where_nothing_is_to_claim(self, cast: Cast) -> None:
        """A page that is open cannot know yet what was decided a moment ago."""
        decided, late = opened(cast), opened(cast)
        reject(decided, cast.ines)
        answer = cast.client("ruth").post(
            f"/api/v1/approvals/proposals/{decided.id}/claim",
            {"by_itself": True},
            content_type="application/json",
        )
        assert (answer.status_code, answer.json()["mine"]) == (200, None)
        with clock.frozen(late.decide_by):
            found = commands.claim(actor=cast.ruth, proposal_id=late.id, by_itself=True)
        assert (found.mine, found.by_itself) == (None, False)
        assert now(cast, late).card.state is ProposalState.EXPIRED

    def test_by_itself_gives_way_after_sixty_decisions_an_hour(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("approvals.policies.DECISIONS_AN_HOUR", 1)
        for _ in range(2):
            approve(opened(cast), cast.ruth)
        card = opened(cast)
        assert commands.claim(actor=cast.ruth, proposal_id=card.id, by_itself=True).mine is None
        assert queries.awaiting_review(actor=cast.ruth, view=View.MINE).pace == 2
        assert commands.claim(actor=cast.ruth, proposal_id=card.id).mine is not None
        # Whoever holds it goes on to.
        assert commands.claim(actor=cast.ruth, proposal_id=card.id, by_itself=True).mine is not None
        approve(card, cast.ruth)

    def test_tells_nothing_of_votes(self, cast: Cast) -> None:
        """A claim outlasts its holder's vote, or its end would tell of it."""
        card = opened(cast, tier=2)
        at = clock.now()
        with clock.frozen(at):
            for who in (cast.ruth, cast.ines):
                commands.claim(actor=who, proposal_id=card.id)
            before = (claims(cast, card, cast.ruth), row(cast, cast.ruth))
            approve(card, cast.ines)
            assert (claims(cast, card, cast.ruth), row(cast, cast.ruth)) == before
            # Ines herself is not asked again.
            assert claims(cast, card, cast.ines).mine is None
        with clock.frozen(at + LEASE):
            assert claims(cast, card, cast.ruth).others == ()


class TestRelease:
    def test_frees_it_at_once(self, cast: Cast) -> None:
        card = opened(cast)
        commands.claim(actor=cast.ruth, proposal_id=card.id)
        assert commands.release(actor=cast.ruth, proposal_id=card.id).mine is None
        approve(card, cast.ines)

    def test_shows_nothing_to_whoever_may_see_nothing(self, cast: Cast) -> None:
        card = opened(cast)
        nobody = cast.add("nobody", roles=())
        for act in (commands.release, commands.claim, commands.wake):
            with pytest.raises(NotAllowed):
                act(actor=nobody, proposal_id=card.id)

    def test_ends_no_claim_of_another(self, cast: Cast) -> None:
        card = opened(cast)
        commands.claim(actor=cast.ruth, proposal_id=card.id)
        commands.release(actor=cast.ines, proposal_id=card.id)
        assert claims(cast, card, cast.ruth).mine is not None


class TestTakeOver:
    def test_needs_the_lead_and_is_recorded(self, cast: Cast) -> None:
        card = opened(cast)
        commands.claim(actor=cast.ruth, proposal_id=card.id)
        with pytest.raises(NotAllowed):
            commands.take_over(actor=cast.ines, proposal_id=card.id)
        lead = with_permissions(cast.ines, "approvals.lead")
        found = commands.take_over(actor=lead, proposal_id=card.id)
        assert found.mine is not None
        assert found.others == ()
        assert "proposal.taken_over" in [line.action for line in now(cast, card).history]
        with pytest.raises(ProposalClaimed, match="Ines"):
            approve(card, cast.ruth)

    def test_only_frees_it_for_a_lead_who_cannot_decide(self, cast: Cast) -> None:
        card = opened(cast)
        commands.claim(actor=cast.ruth, proposal_id=card.id)
        assert claims(cast, card, cast.noor).may_take_over
        assert commands.take_over(actor=cast.noor, proposal_id=card.id).mine is None
        approve(card, cast.ines)


class TestClaimOn:
    def test_is_what_keeps_the_reader_from_approving(self, cast: Cast) -> None:
        card = opened(cast)
        held = commands.claim(actor=cast.ruth, proposal_id=card.id).mine
        assert queries.claim_on(actor=cast.ines, proposal_id=card.id) == held
        assert queries.claim_on(actor=cast.ruth, proposal_id=card.id) is None
        assert queries.claim_on(actor=cast.omar, proposal_id=card.id) is None
        with pytest.raises(NotFound):
            queries.claim_on(actor=cast.mallory, proposal_id=card.id)


def claims(cast: Cast, card: ProposalCard, reader: Actor) -> ClaimsCard:
    return queries.claims_of(actor=reader, proposal_id=card.id)


def row(cast: Cast, reader: Actor) -> QueuePage:
    return queries.awaiting_review(actor=reader, view=View.TEAM)
