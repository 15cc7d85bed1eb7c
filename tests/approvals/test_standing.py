"""Approvals given in advance: who may give one, what it covers, and what takes it away."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from approvals import commands, queries
from approvals.cards import Claimed, NotClaimed, Principal, ProposalCard
from approvals.errors import (
    StaleRevision,
    StandingInvalid,
    StandingNotAllowed,
    StandingNotApproved,
    StandingNotYours,
    StandingTaken,
    VoteByMachine,
)
from approvals.models import Standing, StandingUse
from approvals.states import Basis, PrincipalRole, ProposalState, StandingState
from console.accounts import commands as accounts
from console.kernel import clock
from console.kernel.errors import BadInput
from console.kernel.transactions import in_tenant
from tests.accounts.trail import events
from tests.approvals.advance import MISTAKE, like, made, make, terms
from tests.approvals.clocks import asking
from tests.approvals.desk import (
    agent,
    approve,
    approved,
    claim,
    content,
    facts,
    now,
    opened,
    principals,
    pulse,
    reject,
)
from tests.approvals.policies.rules import FINANCE, rule, spoken, when
from tests.cast import Cast


def left(cast: Cast) -> int:
    with in_tenant(cast.tenant_id, read_only=True):
        (found,) = Standing.objects.values_list("uses_left", flat=True)
    return int(found)


def basis(cast: Cast, card: ProposalCard) -> Basis | None:
    decision = now(cast, card).decision
    return decision.basis if decision else None


class TestMakeStanding:
    def test_says_what_it_covers_for_whom_and_how_long(self, cast: Cast) -> None:
        card = made(cast)
        assert (card.tool, card.agent_id, card.maker) == ("cancel_pending_order", "refunds", "Ruth")
        assert (card.uses, card.uses_left, card.state) == (3, 3, StandingState.SPEAKS)
        assert card.ends_at - card.made_at == timedelta(days=7)
        (event,) = [one for one in events(cast) if one["action"] == "standing.made"]
        assert event["target"]["id"] == str(card.id)
        assert event["bind"]["paths"] == ["/args/reason"]
        assert event["reason"] == "Mistakes are cancelled all day."
        assert "ordered by mistake" not in str(event["bind"])

    @pytest.mark.parametrize(("name", "value"), [("uses", 0), ("uses", 51), ("days", 31)])
    def test_is_bounded(self, cast: Cast, name: str, value: int) -> None:
        with pytest.raises(BadInput) as refused:
            made(cast, **{name: value})
        assert set(refused.value.details["fields"]) == {name}  # type: ignore[call-overload]

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
    def test_needs_a_reason(self, cast: Cast, reason: str) -> None:
        with pytest.raises(BadInput, match="Reason: "):
            made(cast, reason=reason)

    @pytest.mark.parametrize(
        ("conditions", "free", "said"),
        [
            ((), (), "a list of 1 to"),
            (({"path": "/actor/kind", "op": "eq", "value": "agent"},), (), "at least one thing"),
            (({"path": "/args/reason", "op": "like", "value": "x"},), (), "is not known"),
            (({**MISTAKE, "value": "other"},), ("/args/order_id",), "do not fit the request"),
            ((MISTAKE,), (), "do not fit the request"),  # nobody spoke of the order
            ((MISTAKE,), ("/args",), "Only single arguments"),
            ((MISTAKE,), ("/target/orders",), "Only single arguments"),
            ((MISTAKE,), ("order",), "JSON Pointer"),
        ],
    )
    def test_refuses_terms_that_say_too_little(
        self, cast: Cast, conditions: Any, free: Any, said: str
    ) -> None:
        card = approved(cast)
        with pytest.raises(StandingInvalid, match=said):
            commands.make_standing(
                actor=cast.ruth,
                proposal_id=card.id,
                revision_no=1,
                seen_digest=card.digest,
                terms=replace(terms(), conditions=conditions, free=free),
                reason="Often.",
            )

    def test_is_only_for_whoever_approved_it(self, cast: Cast) -> None:
        card = approved(cast)
        with pytest.raises(StandingNotApproved):
            make(card, cast.ines)
        waiting = opened(cast)
        with pytest.raises(StandingNotApproved):
            make(waiting, cast.ruth)
        with pytest.raises(VoteByMachine):
            make(card, agent(cast))

    def test_carries_one_with_each_vote(self, cast: Cast) -> None:
        card = approved(cast)
        first = make(card, cast.ruth)
        with pytest.raises(StandingTaken):
            make(card, cast.ruth)
        commands.revoke_standing(actor=cast.ruth, standing_id=first.id, reason="Too wide.")
        assert make(card, cast.ruth).id != first.id

    def test_is_of_what_was_seen(self, cast: Cast) -> None:
        card = approved(cast)
        with pytest.raises(StaleRevision):
            make(replace(card, digest="0" * 64), cast.ruth)

    def test_is_never_for_the_highest_tier_or_two_people(self, cast: Cast) -> None:
        with pytest.raises(StandingNotAllowed, match="highest tier"):
            make(approved(cast, tier=2), cast.ruth)
        spoken(cast, rule("two", "hold", require={"all": [{"spread": 2}]}))
        both = opened(cast)
        approve(both, cast.ruth)
        approve(both, cast.ines)
        with pytest.raises(StandingNotAllowed, match="more than one person"):
            make(both, cast.ruth)

    def test_is_not_for_what_a_rule_wants_decided_by_itself(self, cast: Cast) -> None:
        spoken(cast, rule("each", "hold", standing=False))
        with pytest.raises(StandingNotAllowed, match="A rule wants each"):
            made(cast)


class TestStandingApproval:
    def test_approves_what_it_covers_and_names_its_maker(self, cast: Cast) -> None:
        standing = made(cast)
        card = opened(cast, **like("#W2"))
        assert card.state is ProposalState.APPROVED
        mine = [one for one in events(cast) if one["target"]["id"] == str(card.id)]
        (said,) = [one["bind"] for one in mine if one["action"] == "proposal.decided"]
        assert (said["basis"], said["standing_id"], said["maker"]) == (
            Basis.STANDING,
            str(standing.id),
            cast.ruth.id,
        )
        decision = now(cast, card).decision
        assert decision is not None
        assert decision.standing is not None
        assert (decision.standing.id, decision.standing.maker) == (standing.id, "Ruth")
        assert isinstance(claim(cast, card, **like("#W2")), Claimed)
        assert left(cast) == 2

    def test_is_used_up_and_then_people_decide(self, cast: Cast) -> None:
        made(cast, uses=2)
        found = [opened(cast, **like(f"#W{n}")).state for n in range(2, 5)]
        assert found == [ProposalState.APPROVED, ProposalState.APPROVED, ProposalState.OPEN]
        (card,) = queries.standing_approvals(actor=cast.noor)
        assert (card.state, card.uses_left, len(card.last_uses)) == (StandingState.USED_UP, 0, 2)

    def test_ends(self, cast: Cast) -> None:
        card = made(cast, days=1)
        with clock.frozen(card.ends_at - timedelta(seconds=1)):
            assert opened(cast, **like("#W2")).state is ProposalState.APPROVED
        with clock.frozen(card.ends_at):
            assert opened(cast, **like("#W3")).state is ProposalState.OPEN

    @pytest.mark.parametrize(
        "other",
        [
            like("#W2", reason="no longer needed"),
            like("#W2", refund="all"),  # an argument of which nobody spoke
            {"args": {"order_id": "#W2"}},  # nothing there to compare
            {**like("#W2"), "contract_hash": "d" * 64},
            {**like("#W2"), "tool": "cancel_order"},
        ],
    )
    def test_covers_nothing_else(self, cast: Cast, other: Any) -> None:
        made(cast)
        assert opened(cast, **other).state is ProposalState.OPEN
        assert left(cast) == 3

    def test_covers_nothing_of_another_agent_or_tier(self, cast: Cast) -> None:
        made(cast)
        for facts_ in (facts(agent_id="sales"), facts(2)):
            assert opened(cast, facts_=facts_, **like("#W2")).state is ProposalState.OPEN

    def test_looks_at_the_target_and_the_record_too(self, cast: Cast) -> None:
        cheap = {"path": "/before/orders/*/total", "op": "le", "value": "50000"}
        same = {"path": "/target/orders", "op": "eq", "value": "#W1"}
        made(cast, MISTAKE, cheap, same)
        dear = {"orders": {"#W1": {"status": "pending", "total": 60000}}}
        assert opened(cast, before=dear).state is ProposalState.OPEN
        other = {"orders": {"#W2": {"status": "pending", "total": 100}}}
        assert opened(cast, before=other, after=other).state is ProposalState.OPEN
        assert opened(cast).state is ProposalState.APPROVED

    def test_never_speaks_for_its_maker(self, cast: Cast) -> None:
        made(cast)
        mine = Principal(
            role=PrincipalRole.STARTER,
            actor_kind="person",
            actor_id=cast.ruth.id,
            label="Ruth",
            person_id=cast.members["ruth"].id,
        )
        card = opened(cast, chain=(*principals(cast), mine), **like("#W2"))
        assert card.state is ProposalState.OPEN

    def test_fills_only_a_place_of_its_maker(self, cast: Cast) -> None:
        made(cast)
        spoken(cast, rule("money", "hold", require=FINANCE))  # Ruth is of care
        assert opened(cast, **like("#W2")).state is ProposalState.OPEN

    @pytest.mark.parametrize(
        "strict",
        [
            rule("two", "hold", require={"all": [{"spread": 2}]}),
            rule("each", "hold", standing=False),
            rule("fresh", "hold", require={"stepup_s": 60}),
            rule("unclear", "hold", when=when("/args/nothing", "gt", "1")),
        ],
        ids=lambda one: one["id"],
    )
    def test_gives_way_to_a_stricter_rule(self, cast: Cast, strict: Any) -> None:
        made(cast)
        spoken(cast, strict)
        assert opened(cast, **like("#W2")).state is ProposalState.OPEN
        assert left(cast) == 3

    def test_gives_way_to_denials_guardrails_and_repeats(self, cast: Cast) -> None:
        made(cast)
        held = opened(cast, facts_=facts(verdicts={"amounts": "hold"}), **like("#W2"))
        assert held.state is ProposalState.OPEN
        reject(held, cast.ruth)
        assert opened(cast, **like("#W2")).state is ProposalState.BLOCKED
        spoken(cast, rule("never", "deny", match={"tool": "cancel_*"}))
        assert opened(cast, **like("#W3")).state is ProposalState.BLOCKED
        assert left(cast) == 3

    def test_holds_only_where_the_rules_could_be_asked(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made(cast)

        def broken(*_: Any, **__: Any) -> None:
            raise ValueError

        monkeypatch.setattr("approvals.policies.evaluate", broken)
        assert opened(cast, **like("#W2")).state is ProposalState.OPEN

    def test_is_silent_when_its_vote_was_taken_back(self, cast: Cast) -> None:
        card = approved(cast)
        make(card, cast.ruth)
        commands.withdraw_vote(actor=cast.ruth, proposal_id=card.id)
        assert opened(cast, **like("#W2")).state is ProposalState.OPEN
        (found,) = queries.standing_approvals(actor=cast.noor)
        assert found.state is StandingState.SILENT

    def test_counts_a_proposal_once_however_often_it_comes_back(self, cast: Cast) -> None:
        made(cast)
        card = opened(cast)
        after = {"orders": {"#W1": {"status": "pending", "total": 42000, "note": "ring"}}}
        assert claim(cast, card, before=after, after=after).code == "proposal.stale"
        fresh = content(before=after, after=after)
        again = commands.refresh(actor=pulse(cast), proposal_id=card.id, content=fresh)
        assert (again.state, again.revision_no) == (ProposalState.APPROVED, 2)
        assert basis(cast, card) is Basis.STANDING
        assert left(cast) == 2
        with in_tenant(cast.tenant_id, read_only=True):
            assert StandingUse.objects.count() == 1

    def test_does_not_return_where_the_new_base_does_not_fit(self, cast: Cast) -> None:
        cheap = {"path": "/before/orders/*/total", "op": "le", "value": "50000"}
        made(cast, MISTAKE, cheap)
        card = opened(cast)
        dear = {"orders": {"#W1": {"status": "pending", "total": 60000}}}
        claim(cast, card, before=dear)
        again = commands.refresh(
            actor=pulse(cast), proposal_id=card.id, content=content(before=dear)
        )
        assert again.state is ProposalState.OPEN


class TestClaimDispatch:
    def test_goes_back_to_people_when_it_was_revoked(self, cast: Cast) -> None:
        standing = made(cast)
        card = opened(cast, **like("#W2"))
        commands.revoke_standing(actor=cast.noor, standing_id=standing.id, reason="Fraud.")
        said = claim(cast, card, **like("#W2"))
        assert isinstance(said, NotClaimed)
        assert (said.code, said.state) == ("proposal.reopened", ProposalState.OPEN)
        assert "of Ruth was revoked" in said.message
        approve(card, cast.ines)
        assert isinstance(claim(cast, card, **like("#W2")), Claimed)
        assert basis(cast, card) is Basis.PEOPLE

    def test_goes_back_to_people_when_its_maker_may_not_vote_any_more(self, cast: Cast) -> None:
        made(cast)
        card = opened(cast, **like("#W2"))
        accounts.set_membership(
            actor=cast.noor,
            person_id=cast.members["ruth"].id,
            roles=(),
            groups=(),
            active=True,
        )
        assert claim(cast, card, **like("#W2")).code == "proposal.reopened"

    def test_goes_back_to_people_when_a_rule_asks_more(self, cast: Cast) -> None:
        made(cast)
        card = opened(cast, **like("#W2"))
        spoken(cast, rule("money", "hold", require=FINANCE))
        assert claim(cast, card, **like("#W2")).code == "proposal.reopened"
        approve(card, cast.ines)
        assert now(cast, card).card.state is ProposalState.APPROVED

    def test_goes_on_when_a_rule_asks_what_its_maker_could_give(self, cast: Cast) -> None:
        made(cast)
        card = opened(cast, **like("#W2"))
        care = {"all": [{"slots": [{"groups": ["care"], "n": 1}]}]}
        spoken(cast, rule("care", "hold", require=care))
        assert isinstance(claim(cast, card, **like("#W2")), Claimed)

    def test_flags_a_dead_end_that_nobody_had_to_look_for(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        standing = made(cast)
        card = opened(cast, **like("#W2"))
        for name in ("ruth", "ines"):
            accounts.set_membership(
                actor=cast.noor,
                person_id=cast.members[name].id,
                roles=(),
                groups=(),
                active=True,
            )
        commands.revoke_standing(actor=cast.noor, standing_id=standing.id, reason="Over.")
        claim(cast, card, **like("#W2"))
        assert now(cast, card).unfillable


class TestRevokeStanding:
    def test_is_for_its_maker_and_who_leads(self, cast: Cast) -> None:
        card = made(cast)
        with pytest.raises(StandingNotYours):
            commands.revoke_standing(actor=cast.ines, standing_id=card.id, reason="No.")
        done = commands.revoke_standing(actor=cast.ruth, standing_id=card.id, reason="Enough.")
        assert (done.state, done.revoked_by) == (StandingState.REVOKED, "Ruth")
        again = commands.revoke_standing(actor=cast.noor, standing_id=card.id, reason="Twice.")
        assert (again.revoked_at, again.revoke_reason) == (done.revoked_at, "Enough.")
        assert [one["action"] for one in events(cast)].count("standing.revoked") == 1
        assert opened(cast, **like("#W2")).state is ProposalState.OPEN

    def test_needs_a_reason(self, cast: Cast) -> None:
        card = made(cast)
        with pytest.raises(BadInput):
            commands.revoke_standing(actor=cast.ruth, standing_id=card.id, reason=" ")


class TestStepUp:
    def test_is_asked_for_where_approving_asks_for_it(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asking(monkeypatch, stepup_s=300)
        card = approved(cast)
        standing = make(card, cast.ruth)
        assert opened(cast, **like("#W2")).state is ProposalState.APPROVED
        with in_tenant(cast.tenant_id, read_only=True):
            assert Standing.objects.get(pk=standing.id).stepup_s == 300
        asking(monkeypatch, stepup_s=60)
        assert opened(cast, **like("#W3")).state is ProposalState.OPEN
