"""Rules at work: born approved, blocked or held, and asked again at the dispatch."""

from hashlib import sha256
from typing import Any

import pytest
from django.db import connection

from approvals import commands, policies, queries
from approvals.cards import Claimed, PolicyVersionCard, ProposalCard
from approvals.errors import PolicyDenied, PolicyInvalid, VoteNotEligible
from approvals.events import PolicyDrafted
from approvals.models import PolicyVersion
from approvals.states import Basis, Outcome, ProposalState, Purpose, Says
from audit.commands import record
from console.kernel import clock
from console.kernel.transactions import in_tenant
from tests.accounts import trail
from tests.approvals import desk
from tests.approvals.policies.rules import (
    FINANCE,
    body,
    carried_out,
    rule,
    silenced,
    spoken,
    when,
)
from tests.approvals.sql import run
from tests.cast import Cast

CANCEL = {"match": {"tool": "cancel_*"}}


def events(cast: Cast, card: ProposalCard) -> list[str]:
    return [line.action for line in desk.now(cast, card).history]


def decided(cast: Cast, card: ProposalCard) -> dict[str, Any]:
    """Return what the trail binds to the newest end of a proposal."""
    return next(
        event["bind"]
        for event in reversed(trail.events(cast))
        if event["action"] == "proposal.decided" and event["target"]["id"] == str(card.id)
    )


def bases(cast: Cast, card: ProposalCard) -> list[str]:
    sql = "SELECT basis FROM approvals_decision WHERE proposal_id = %(id)s ORDER BY decided_at"
    return [basis for (basis,) in run(cast, sql, id=card.id)]


def stored(cast: Cast, written: Any) -> PolicyVersionCard:
    """Put a draft there that today's parser refuses, as a row of the application."""
    raw = policies.body_bytes(written)
    with pytest.raises(PolicyInvalid):
        policies.parsed(raw)
    with in_tenant(cast.tenant_id):
        row = PolicyVersion.objects.create(
            tenant_id=cast.tenant_id,
            policy=written["policy"],
            no=99,
            body=raw,
            digest=sha256(raw).digest(),
            state="draft",
            note="",
            author=cast.noor.label,
            author_id=cast.noor.id,
            moved_at=clock.now(),
        )
        drafted = PolicyDrafted(
            version_id=row.pk, policy=row.policy, no=99, digest=sha256(raw).hexdigest()
        )
        record(drafted, actor=cast.noor)
        return row.card()


class TestOpenProposal:
    def test_without_a_policy_asks_what_the_tier_asks(self, cast: Cast) -> None:
        card = desk.opened(cast, tier=2)
        why = queries.explain(actor=cast.noor, proposal_id=card.id)
        assert (card.state, card.needs) == (ProposalState.OPEN, 2)
        assert why.evaluation is not None
        assert (why.evaluation.says, why.evaluation.rules) == (Says.HOLD, ())

    def test_holds_for_whom_the_rule_names(self, cast: Cast) -> None:
        spoken(cast, rule("by-finance", "hold", **CANCEL, require=FINANCE, decide="2h"))
        card = desk.opened(cast)
        detail = desk.now(cast, card)
        assert card.state is ProposalState.OPEN
        assert "shop-writes/by-finance" in detail.requirement.explanation
        assert detail.requirement.decide_s == 7200
        desk.approve(card, cast.ines)
        assert desk.now(cast, card).card.state is ProposalState.APPROVED

    def test_lets_nobody_else_decide_what_the_rule_gave_to_a_group(self, cast: Cast) -> None:
        spoken(cast, rule("by-finance", "hold", **CANCEL, require=FINANCE))
        card = desk.opened(cast)
        with pytest.raises(Exception, match="review group"):
            desk.approve(card, cast.ruth)

    def test_is_born_approved_where_a_rule_allows_it(self, cast: Cast) -> None:
        spoken(cast, rule("fine", "allow", **CANCEL))
        card = desk.opened(cast)
        assert card.state is ProposalState.APPROVED
        assert card.execute_by is not None
        assert events(cast, card) == ["proposal.decided"]
        assert bases(cast, card) == [Basis.RULE.value]
        assert isinstance(desk.claim(cast, card), Claimed)

    def test_names_the_rule_in_the_event(self, cast: Cast) -> None:
        spoken(cast, rule("fine", "allow", **CANCEL))
        card = desk.opened(cast)
        assert decided(cast, card)["rules"] == ["shop-writes/fine"]
        assert decided(cast, card)["basis"] == "rule"

    def test_allows_nothing_of_tier_2_without_people(self, cast: Cast) -> None:
        spoken(cast, rule("fine", "allow", **CANCEL))
        card = desk.opened(cast, tier=2)
        assert (card.state, card.needs) == (ProposalState.OPEN, 2)

    def test_is_born_blocked_where_a_rule_denies_it(self, cast: Cast) -> None:
        spoken(cast, rule("never", "deny", **CANCEL), rule("fine", "allow", priority=1000))
        card = desk.opened(cast)
        assert card.state is ProposalState.BLOCKED
        told = decided(cast, card)
        assert (told["outcome"], told["rules"]) == (Outcome.BLOCKED.value, ["shop-writes/never"])
        assert desk.claim(cast, card).code == "proposal.blocked"

    def test_blocks_a_tool_that_nobody_knows(self, cast: Cast) -> None:
        card = desk.opened(cast, facts_=desk.facts(known=False))
        assert card.state is ProposalState.BLOCKED
        assert decided(cast, card)["rules"] == ["signalbox/unknown-tool"]

    def test_holds_what_a_guardrail_holds(self, cast: Cast) -> None:
        spoken(cast, rule("fine", "allow", **CANCEL))
        held = desk.opened(cast, facts_=desk.facts(verdicts={"secrets": "hold"}))
        never = desk.opened(cast, facts_=desk.facts(verdicts={"secrets": "block"}))
        assert (held.state, never.state) == (ProposalState.OPEN, ProposalState.BLOCKED)

    def test_holds_for_the_floor_when_the_rules_cannot_be_evaluated(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        spoken(cast, rule("fine", "allow", **CANCEL))

        def broken(*_: Any, **_named: Any) -> Any:
            raise ZeroDivisionError

        monkeypatch.setattr(policies, "evaluate", broken)
        for tier, people in ((1, 1), (2, 2)):
            card = desk.opened(cast, tier=tier)
            why = queries.explain(actor=cast.noor, proposal_id=card.id).evaluation
            assert (card.state, card.needs) == (ProposalState.OPEN, people)
            assert why is not None
            assert "ZeroDivisionError" in why.flag

    def test_holds_for_the_floor_when_a_stored_body_cannot_be_read(self, cast: Cast) -> None:
        """A version of an earlier release has a word that this one does not know any more."""
        spoken(cast, rule("fine", "allow", **CANCEL))
        before = desk.approved(cast, tier=2)
        assert desk.opened(cast).state is ProposalState.APPROVED
        old = stored(cast, body(rule("old", "allow", **CANCEL, when=when("/args/a", "like", "x"))))
        proposal_id = carried_out(cast, old)
        commands.activate_version(actor=cast.system, version_id=old.id, proposal_id=proposal_id)

        for tier, people in ((1, 1), (2, 2)):
            card = desk.opened(cast, tier=tier)
            why = queries.explain(actor=cast.noor, proposal_id=card.id).evaluation
            assert (card.state, card.needs) == (ProposalState.OPEN, people)
            assert why is not None
            assert "PolicyInvalid" in why.flag
        assert isinstance(desk.claim(cast, before), Claimed)  # two people agreed: the floor is met

    def test_asks_the_other_policies_all_the_same(self, cast: Cast) -> None:
        """A version that cannot be read silences no rule of another policy."""
        finance = rule("by-finance", "hold", match={"tool": "refund_*"}, require=FINANCE)
        spoken(cast, rule("never", "deny", **CANCEL), finance, name="others")
        wrong = when("/args/a", "like", "x")
        old = stored(cast, body(rule("old", "allow", when=wrong), name="odd"))
        proposal_id = carried_out(cast, old)
        commands.activate_version(actor=cast.system, version_id=old.id, proposal_id=proposal_id)

        held = desk.opened(cast, tool="refund_order")
        why = queries.explain(actor=cast.noor, proposal_id=held.id).evaluation
        assert why is not None
        assert "Not to be read any more: version 99 of odd" in why.flag
        with pytest.raises(VoteNotEligible):
            desk.approve(held, cast.ruth)
        assert desk.opened(cast).state is ProposalState.BLOCKED

    def test_settles_with_as_many_rejections_as_a_rule_says(self, cast: Cast) -> None:
        both = {"all": [{"slots": [{"groups": ["care", "finance"], "n": 1}]}]}
        spoken(cast, rule("two", "hold", **CANCEL, require={**both, "deny_threshold": 2}))
        card = desk.opened(cast)
        asked = cast.api("ruth").get(f"/api/v1/approvals/proposals/{card.id}").json()
        assert asked["deny_threshold"] == 2
        page = cast.client("ruth").get(f"/reviews/{card.id}/").content.decode()
        assert "2 rejections settle it" in page

        assert desk.reject(card, cast.ruth).state is ProposalState.OPEN
        assert desk.reject(card, cast.ines).state is ProposalState.REJECTED

    def test_stores_what_a_shadow_says_and_does_not_heed_it(self, cast: Cast) -> None:
        spoken(cast, rule("fine", "allow", **CANCEL))
        draft = commands.add_version(actor=cast.noor, body=body(rule("never", "deny", **CANCEL)))
        commands.shadow_version(actor=cast.noor, version_id=draft.id, on=True)
        card = desk.opened(cast)
        assert card.state is ProposalState.APPROVED
        sql = "SELECT outcome, versions FROM approvals_evaluation WHERE proposal_id = %(id)s"
        shadows = run(cast, f"{sql} AND purpose = 'shadow'", id=card.id)
        assert shadows == [("deny", [draft.id])]

    def test_evaluates_in_the_same_transaction(self, cast: Cast) -> None:
        card = desk.opened(cast)
        with in_tenant(cast.tenant_id), connection.cursor() as cursor:
            cursor.execute(
                "SELECT e.xmin = p.xmin FROM approvals_evaluation e JOIN approvals_revision p "
                "ON p.proposal_id = e.proposal_id WHERE p.proposal_id = %s",
                [card.id],
            )
            assert cursor.fetchall() == [(True,)]


class TestRefresh:
    def drifted(self) -> dict[str, Any]:
        return {"before": {"orders": {"#W1": {"status": "pending", "total": 99, "note": ""}}}}

    def test_lets_a_rule_carry_it_again(self, cast: Cast) -> None:
        spoken(cast, rule("fine", "allow", **CANCEL))
        card = desk.opened(cast)
        assert desk.claim(cast, card, **self.drifted()).state is ProposalState.STALE
        again = commands.refresh(
            actor=desk.agent(cast), proposal_id=card.id, content=desk.content(**self.drifted())
        )
        assert again.state is ProposalState.APPROVED
        assert isinstance(desk.claim(cast, card, **self.drifted()), Claimed)

    def test_asks_people_whom_the_new_target_needs(self, cast: Cast) -> None:
        test = when("/before/orders/*/total", "lt", 100)
        spoken(cast, rule("cheap", "hold", **CANCEL, when=test, require=FINANCE))
        card = desk.approved(cast)
        desk.claim(cast, card, **self.drifted())
        commands.refresh(
            actor=desk.agent(cast), proposal_id=card.id, content=desk.content(**self.drifted())
        )
        blocks = desk.now(cast, card).requirement.blocks
        assert [slot.groups for block in blocks for slot in block.slots] == [("*",), ("finance",)]

    def test_refuses_what_a_rule_denies_now(self, cast: Cast) -> None:
        test = when("/before/orders/*/total", "lt", 100)
        spoken(cast, rule("cheap", "deny", **CANCEL, when=test))
        card = desk.approved(cast)
        desk.claim(cast, card, **self.drifted())
        with pytest.raises(PolicyDenied, match="shop-writes/cheap denies"):
            commands.refresh(
                actor=desk.agent(cast), proposal_id=card.id, content=desk.content(**self.drifted())
            )


class TestClaimDispatch:
    def test_blocks_what_a_rule_denies_since(self, cast: Cast) -> None:
        card = desk.approved(cast)
        spoken(cast, rule("never", "deny", **CANCEL))
        refused = desk.claim(cast, card)
        assert (refused.code, refused.state) == ("policy.denied", ProposalState.BLOCKED)
        assert decided(cast, card)["rules"] == ["shop-writes/never"]
        assert desk.claim(cast, card).code == "proposal.blocked"

    def test_takes_it_back_to_the_people_whom_a_rule_asks_since(self, cast: Cast) -> None:
        card = desk.approved(cast)
        spoken(cast, rule("by-finance", "hold", **CANCEL, require=FINANCE))
        refused = desk.claim(cast, card)
        assert (refused.code, refused.state) == ("proposal.reopened", ProposalState.OPEN)
        detail = desk.now(cast, card)
        assert [block.people for block in detail.requirement.blocks] == [1, 1]
        desk.approve(card, cast.ines)
        assert desk.now(cast, card).card.state is ProposalState.APPROVED
        assert isinstance(desk.claim(cast, card), Claimed)

    def test_runs_when_the_votes_meet_the_new_blocks_already(self, cast: Cast) -> None:
        card = desk.opened(cast)
        desk.approve(card, cast.ines)
        spoken(cast, rule("by-finance", "hold", **CANCEL, require=FINANCE))
        assert isinstance(desk.claim(cast, card), Claimed)

    def test_is_not_loosened_by_a_looser_version(self, cast: Cast) -> None:
        held = rule("by-finance", "hold", **CANCEL, require=FINANCE)
        spoken(cast, held)
        card = desk.opened(cast)
        spoken(cast, rule("fine", "allow", **CANCEL))
        assert desk.claim(cast, card).code == "proposal.open"
        blocks = desk.now(cast, card).requirement.blocks
        assert blocks[0].slots[0].groups == ("finance",)
        with pytest.raises(Exception, match="review group"):
            desk.approve(card, cast.ruth)

    def test_gives_back_to_people_what_no_rule_carries_any_more(self, cast: Cast) -> None:
        version = spoken(cast, rule("fine", "allow", **CANCEL))
        card = desk.opened(cast)
        silenced(cast, version)
        assert desk.claim(cast, card).code == "proposal.reopened"
        assert "Allowed without" not in desk.now(cast, card).requirement.explanation
        desk.approve(card, cast.ruth)
        assert isinstance(desk.claim(cast, card), Claimed)

    def test_says_which_versions_were_asked_last(self, cast: Cast) -> None:
        version = spoken(cast, rule("fine", "allow", **CANCEL))
        card = desk.opened(cast)
        desk.claim(cast, card)
        sql = "SELECT policy_versions FROM approvals_dispatch WHERE proposal_id = %(id)s"
        assert run(cast, sql, id=card.id) == [([version.id],)]
        later = queries.explain(actor=cast.noor, proposal_id=card.id).later
        assert [one.purpose for one in later] == [Purpose.DISPATCH]
