"""Why people decide, and what rules would say; nothing of it writes."""

from typing import Any
from uuid import uuid4

import pytest

from approvals import commands, policies, queries
from approvals.cards import Call, Explained
from approvals.errors import PolicyInvalid
from approvals.states import Says
from console.kernel.errors import NotFound
from tests.approvals import desk
from tests.approvals.policies.rules import FINANCE, body, rule, spoken, when
from tests.approvals.sql import run
from tests.cast import Cast

CANCEL = {"match": {"tool": "cancel_*"}}


def explained(cast: Cast, **other: Any) -> Explained:
    card = desk.opened(cast, **other)
    return queries.explain(actor=cast.ruth, proposal_id=card.id)


class TestExplain:
    def test_shows_every_rule_and_each_condition(self, cast: Cast) -> None:
        test = when("/args/reason", "glob", "*mistake*")
        spoken(
            cast,
            rule("mistakes", "hold", **CANCEL, when=test, require=FINANCE),
            rule("others", "deny", match={"tool": "refund.*"}),
        )
        why = explained(cast).evaluation
        assert why is not None
        assert why.rules == ("shop-writes/mistakes",)
        first, second = why.trace
        assert first["when"] == {**test, "found": "ordered by mistake", "result": "true"}
        assert (second["rule"], second["match"], second["result"]) == ("others", False, "false")

    def test_says_the_blocks_in_words(self, cast: Cast) -> None:
        spoken(cast, rule("a", "hold", **CANCEL, require=FINANCE))
        why = explained(cast, tier=2)
        assert why.blocks == ("one of finance", "two reviewers of different groups")

    def test_names_who_may_decide_and_why_others_may_not(self, cast: Cast) -> None:
        spoken(cast, rule("a", "hold", **CANCEL, require=FINANCE))
        people = {one.name: one.excluded for one in explained(cast).people}
        assert people["Ines"] == ""
        assert people["Ruth"] == "is in no review group that this needs"

    def test_masks_what_the_contract_hides(self, cast: Cast) -> None:
        spoken(cast, rule("a", "hold", **CANCEL, when=when("/args/reason", "eq", "x")))
        facts = desk.facts(sensitive=("/args/reason",))
        why = explained(cast, facts_=facts).evaluation
        assert why is not None
        assert why.trace[0]["when"]["found"] == policies.MASK

    def test_is_the_same_before_and_after_a_hidden_vote(self, cast: Cast) -> None:
        card = desk.opened(cast, tier=2)
        before = queries.explain(actor=cast.ines, proposal_id=card.id)
        desk.approve(card, cast.ruth)
        assert queries.explain(actor=cast.ines, proposal_id=card.id) == before

    def test_hides_another_tenants_proposal(self, cast: Cast) -> None:
        card = desk.opened(cast)
        for proposal_id, actor in ((card.id, cast.mallory), (uuid4(), cast.ruth)):
            with pytest.raises(NotFound):
                queries.explain(actor=actor, proposal_id=proposal_id)


class TestSimulate:
    CALL = Call(tool="cancel_pending_order", tier=1, args={"reason": "x"})

    def test_asks_the_active_rules(self, cast: Cast) -> None:
        spoken(cast, rule("a", "allow", **CANCEL))
        found = queries.simulate(actor=cast.ruth, call=self.CALL)
        assert (found.says, found.rules) == (Says.ALLOW, ("shop-writes/a",))

    def test_asks_a_draft_in_place_of_the_active_version(self, cast: Cast) -> None:
        spoken(cast, rule("a", "allow", **CANCEL))
        draft = body(rule("b", "deny", **CANCEL))
        stored = commands.add_version(actor=cast.noor, body=draft)
        for given in ({"body": draft}, {"version_id": stored.id}):
            found = queries.simulate(actor=cast.ruth, call=self.CALL, **given)
            assert (found.says, found.rules) == (Says.DENY, ("shop-writes/b",))

    def test_writes_nothing(self, cast: Cast) -> None:
        queries.simulate(actor=cast.ruth, call=self.CALL, body=body(rule("b", "deny")))
        counts = "SELECT (SELECT count(*) FROM approvals_evaluation), "
        assert run(cast, counts + "(SELECT count(*) FROM approvals_policyversion)") == [(0, 0)]

    def test_agrees_with_what_happens(self, cast: Cast) -> None:
        total = {"sum": "/args/amount", "window": "24h", "op": "gt", "value": "10"}
        spoken(
            cast,
            rule("a", "allow", **CANCEL),
            rule("b", "deny", **CANCEL, when=when("/args/amount", "gt", 9)),
            rule("c", "hold", priority=5, **CANCEL, total=total),
        )
        for amount in (8, 9, 10, "2.00", "x"):
            args = {"amount": amount}
            call = Call(tool="cancel_pending_order", tier=1, args=args)
            tried = queries.simulate(actor=cast.ruth, call=call)
            card = desk.opened(cast, args=args)
            why = queries.explain(actor=cast.ruth, proposal_id=card.id).evaluation
            assert why is not None
            assert (tried.says, tried.rules, tried.trace) == (why.says, why.rules, why.trace)

    def test_refuses_a_faulty_draft_and_an_unknown_version(self, cast: Cast) -> None:
        with pytest.raises(PolicyInvalid):
            queries.simulate(actor=cast.ruth, call=self.CALL, body={"rules": []})
        with pytest.raises(NotFound):
            queries.simulate(actor=cast.ruth, call=self.CALL, version_id=uuid4())
