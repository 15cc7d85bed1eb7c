import threading
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection

from approvals import commands
from approvals.cards import Principal, ProposalCard, Subject
from approvals.errors import NotStale, OtherCall, ProposalExpired, RefreshSpent
from approvals.states import PrincipalRole, ProposalState
from console.kernel import clock
from console.kernel.canonical import NotCanonical
from console.kernel.errors import BadInput, NotFound
from console.kernel.ids import uuid7
from tests.approvals.desk import (
    agent,
    approve,
    claim,
    content,
    facts,
    now,
    opened,
    principals,
)
from tests.cast import Cast

SHIPPED = {"orders": {"#W1": {"status": "shipped", "total": 41800}}}


def stale(cast: Cast, *, tier: int = 1) -> ProposalCard:
    card = opened(cast, tier=tier)
    approve(card, cast.ruth)
    if tier == 2:
        approve(card, cast.ines)
    claim(cast, card, before=SHIPPED)
    return card


def refreshed(cast: Cast, card: ProposalCard) -> ProposalCard:
    return commands.refresh(actor=agent(cast), proposal_id=card.id, content=content(before=SHIPPED))


class TestOpenProposal:
    def test_freezes_requirement_chain_and_content(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        detail = now(cast, card)
        assert card.state is ProposalState.OPEN
        assert detail.content == content()
        assert detail.requirement.people == 2
        assert detail.requirement.blind
        assert {p.role for p in detail.principals} == {
            PrincipalRole.AGENT,
            PrincipalRole.OWNER,
            PrincipalRole.STARTER,
        }
        assert card.decide_by == card.opened_at + timedelta(hours=4)
        assert [line.action for line in detail.history] == ["proposal.opened"]

    def test_returns_the_live_one_for_the_same_content(self, cast: Cast) -> None:
        subject = Subject(kind="tool_call", id=uuid7())
        first, again = (opened(cast, subject=subject) for _ in range(2))
        assert first.id == again.id
        assert len(now(cast, first).history) == 1

    def test_supersedes_the_live_one_with_other_content(self, cast: Cast) -> None:
        subject = Subject(kind="tool_call", id=uuid7())
        old = opened(cast, subject=subject)
        approve(old, cast.ruth)
        new = opened(cast, subject=subject, args={"order_id": "#W2"})
        assert now(cast, old).card.state is ProposalState.SUPERSEDED
        assert now(cast, new).card.state is ProposalState.OPEN
        assert claim(cast, old).code == "proposal.superseded"

    def test_opens_anew_after_an_expiry(self, cast: Cast) -> None:
        subject = Subject(kind="tool_call", id=uuid7())
        old = opened(cast, subject=subject)
        with clock.frozen(old.decide_by):
            new = opened(cast, subject=subject)
        assert new.id != old.id
        assert now(cast, old).card.state is ProposalState.EXPIRED

    def test_opens_one_when_two_come_at_once(self, cast: Cast) -> None:
        subject = Subject(kind="tool_call", id=uuid7())
        barrier = threading.Barrier(4)
        found: list[UUID] = []

        def come() -> None:
            barrier.wait()
            try:
                found.append(opened(cast, subject=subject).id)
            finally:
                connection.close()

        threads = [threading.Thread(target=come) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 4
        assert len(set(found)) == 1

    def test_adds_the_people_behind_the_request(self, cast: Cast) -> None:
        card = opened(cast, chain=())
        chain = now(cast, card).principals
        assert [(one.role, one.person_id) for one in chain] == [
            (PrincipalRole.STARTER, UUID(cast.omar.id))
        ]

    def test_keeps_the_person_behind_a_key_out(self, cast: Cast) -> None:
        key = Principal(
            role=PrincipalRole.STARTER,
            actor_kind="key",
            actor_id=str(uuid7()),
            label="batch",
            person_id=UUID(cast.ruth.id),
        )
        card = opened(cast, chain=(*principals(cast), key))
        detail = now(cast, card, cast.ruth)
        assert "You started this" in detail.refusal

    def test_says_when_nobody_can_complete_it(self, cast: Cast) -> None:
        owner = replace(principals(cast)[1], actor_id=cast.ines.id, person_id=UUID(cast.ines.id))
        assert now(cast, opened(cast, tier=2, chain=(owner,))).unfillable
        assert not now(cast, opened(cast, tier=2)).unfillable

    @pytest.mark.parametrize("tier", [0, 3])
    def test_refuses_a_tier_without_requirement(self, cast: Cast, tier: int) -> None:
        with pytest.raises(BadInput):
            opened(cast, tier=tier)

    def test_refuses_a_title_that_is_too_long(self, cast: Cast) -> None:
        with pytest.raises(BadInput, match="title is too long"):
            opened(cast, facts_=facts(1, title="x" * 301))

    @pytest.mark.parametrize("bad", [{"amount": 1.5}, {"text": "a\x00"}, {"n": 2**60}])
    def test_refuses_content_without_canonical_form(
        self, cast: Cast, bad: dict[str, object]
    ) -> None:
        with pytest.raises(NotCanonical):
            opened(cast, args=bad)


class TestRefresh:
    def test_puts_the_same_call_on_a_new_base_and_voids_votes(self, cast: Cast) -> None:
        card = stale(cast)
        fresh = refreshed(cast, card)
        assert (fresh.state, fresh.revision_no) == (ProposalState.OPEN, 2)
        assert fresh.digest != card.digest
        detail = now(cast, card, cast.ruth)
        assert detail.my_vote is None
        assert detail.my_voided is not None
        assert detail.my_voided.void_cause == "drift"
        assert "proposal.revised" in [line.action for line in detail.history]

    def test_lets_nobody_vote_on_the_old_revision(self, cast: Cast) -> None:
        card = stale(cast)
        fresh = refreshed(cast, card)
        with pytest.raises(Exception, match="changed while you were reading") as refused:
            approve(card, cast.ines)
        changes = refused.value.details["changes"]  # type: ignore[attr-defined]
        assert {
            "path": "orders, as it is #W1 status",
            "before": "pending",
            "after": "shipped",
        } in changes
        assert approve(fresh, cast.ruth).state is ProposalState.APPROVED
        assert claim(cast, fresh, before=SHIPPED).repeated is False

    def test_works_only_on_a_stale_proposal(self, cast: Cast) -> None:
        with pytest.raises(NotStale):
            refreshed(cast, opened(cast))

    @pytest.mark.parametrize("other", [{"tool": "x"}, {"args": {"order_id": "#W2"}}])
    def test_keeps_tool_and_arguments(self, cast: Cast, other: dict[str, object]) -> None:
        card = stale(cast)
        with pytest.raises(OtherCall):
            commands.refresh(actor=agent(cast), proposal_id=card.id, content=content(**other))

    def test_happens_three_times_at_most(self, cast: Cast) -> None:
        card = stale(cast)
        for n in range(4):
            base = {"orders": {"#W1": {"status": f"s{n}"}}}
            if n == 3:
                with pytest.raises(RefreshSpent):
                    commands.refresh(
                        actor=agent(cast), proposal_id=card.id, content=content(before=base)
                    )
                return
            fresh = commands.refresh(
                actor=agent(cast), proposal_id=card.id, content=content(before=base)
            )
            approve(fresh, cast.ruth)
            claim(cast, fresh, before={"orders": {"#W1": {"status": f"t{n}"}}})

    def test_is_too_late_after_the_deadline_and_keeps_the_expiry(self, cast: Cast) -> None:
        card = stale(cast)
        deadline = now(cast, card).card.decide_by
        with clock.frozen(deadline), pytest.raises(ProposalExpired):
            refreshed(cast, card)
        assert now(cast, card).card.state is ProposalState.EXPIRED

    def test_hides_the_proposal_from_another_tenant(self, cast: Cast) -> None:
        card = stale(cast)
        with pytest.raises(NotFound):
            commands.refresh(actor=cast.mallory, proposal_id=card.id, content=content())


class TestWithdraw:
    @pytest.mark.parametrize("prepare", ["open", "approved", "stale"])
    def test_ends_every_live_state(self, cast: Cast, prepare: str) -> None:
        card = stale(cast) if prepare == "stale" else opened(cast)
        if prepare == "approved":
            approve(card, cast.ruth)
        commands.withdraw(actor=cast.omar, proposal_id=card.id, cause="run cancelled")
        detail = now(cast, card)
        assert detail.card.state is ProposalState.WITHDRAWN
        assert detail.close_cause == "run cancelled"
        assert claim(cast, card).code == "proposal.withdrawn"

    def test_leaves_what_is_final(self, cast: Cast) -> None:
        card = opened(cast)
        approve(card, cast.ruth)
        claim(cast, card)
        before = now(cast, card)
        commands.withdraw(actor=cast.omar, proposal_id=card.id, cause="run cancelled")
        after = now(cast, card)
        assert after.card == before.card
        assert after.history == before.history

    def test_hides_the_proposal_from_another_tenant(self, cast: Cast) -> None:
        with pytest.raises(NotFound):
            commands.withdraw(actor=cast.mallory, proposal_id=opened(cast).id, cause="x")
