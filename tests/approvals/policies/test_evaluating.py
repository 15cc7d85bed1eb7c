"""The rules against an oracle, and one by one."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approvals import policies
from approvals.cards import Voter
from approvals.policies.asking import exact_sum
from approvals.states import Says
from console.kernel.ids import uuid7
from tests.approvals.policies import oracle
from tests.approvals.policies.rules import FINANCE, active, call, rule, said, when

GROUPS = ("care", "finance", "leads")
TOTAL = {"sum": "/args/amount", "window": "24h", "op": "gt", "value": "500.00"}

# -- drawn rules and calls -----------------------------------------------------------------------

values: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(["", "a", "ab", "1", "1.0", "1.50", "007", "-2", "x*", None, True, False]),
    st.integers(-3, 3),
)
facts_json = st.fixed_dictionaries(
    {
        "tier": st.integers(0, 2),
        "args": st.dictionaries(st.sampled_from("abc"), values, max_size=3),
        "before": st.dictionaries(
            st.sampled_from(["x", "y"]), st.fixed_dictionaries({"n": values}), max_size=2
        ),
        "after": st.dictionaries(
            st.sampled_from(["x", "y"]), st.fixed_dictionaries({"n": values}), max_size=2
        ),
        "target": st.dictionaries(st.just("customer"), values, max_size=1),
    }
)
paths = st.sampled_from(
    ["/args/a", "/args/b", "/before/x/n", "/target/customer", "/args", "/args/*"]
)
decimals = st.sampled_from(["0", "1", "1.0", "1.50", "-2", 2])
one_path = {"path": paths}
conditions = st.one_of(
    st.fixed_dictionaries({**one_path, "op": st.sampled_from(["eq", "ne"]), "value": values}),
    st.fixed_dictionaries(
        {**one_path, "op": st.sampled_from(["lt", "le", "gt", "ge"]), "value": decimals}
    ),
    st.fixed_dictionaries(
        {
            **one_path,
            "op": st.sampled_from(["in", "not_in"]),
            "value": st.lists(values, min_size=1, max_size=3),
        }
    ),
    st.fixed_dictionaries(
        {
            **one_path,
            "op": st.just("glob"),
            "value": st.sampled_from(["*", "a*", "?b", "1*0", "*1", "?", "x*"]),
        }
    ),
    st.fixed_dictionaries({**one_path, "op": st.just("len_gt"), "value": st.integers(0, 2)}),
    st.fixed_dictionaries(
        {"path": st.just("/after/x/n"), "op": st.just("ratio_gt"), "value": decimals}
    ),
    st.fixed_dictionaries(
        {
            **one_path,
            "op": st.just("ratio_gt"),
            "value": st.fixed_dictionaries({"of": paths, "value": decimals}),
        }
    ),
    st.fixed_dictionaries(
        {
            "path": st.sampled_from(["/args/a", "/args/b", "/target/customer"]),
            "op": st.sampled_from(["exists", "absent"]),
        }
    ),
)
tests = st.recursive(
    conditions,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=2).map(lambda parts: {"all": parts}),
        st.lists(inner, min_size=1, max_size=2).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=4,
)
slot_lists = st.lists(
    st.fixed_dictionaries(
        {
            "groups": st.lists(
                st.sampled_from((*GROUPS, "*")), min_size=1, max_size=2, unique=True
            ),
            "n": st.integers(1, 2),
        }
    ),
    min_size=1,
    max_size=2,
)
blocks = st.one_of(
    st.fixed_dictionaries({"slots": slot_lists}),
    st.fixed_dictionaries({"spread": st.integers(1, 2)}),
    st.fixed_dictionaries(
        {"any": st.lists(st.fixed_dictionaries({"slots": slot_lists}), min_size=1, max_size=2)}
    ),
)
common = {
    "priority": st.integers(0, 2),
    "match": st.one_of(st.just({}), st.fixed_dictionaries({"tier": st.integers(0, 2)})),
}
drawn_rules = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {**common, "effect": st.sampled_from(["allow", "deny"])}, optional={"when": tests}
        ),
        st.fixed_dictionaries({**common, "effect": st.just("allow")}, optional={"when": tests}),
        st.fixed_dictionaries(
            {**common, "effect": st.just("hold")},
            optional={
                "when": tests,
                "require": st.fixed_dictionaries(
                    {"all": st.lists(blocks, min_size=1, max_size=2)},
                    optional={"blind": st.booleans(), "stepup_s": st.sampled_from([0, 60, 900])},
                ),
                "decide": st.sampled_from(["30m", "2h", "8h"]),
                "execute": st.sampled_from(["5m", "2h"]),
            },
        ),
    ),
    max_size=5,
).map(lambda rules: [{"id": f"r{n}", **rule} for n, rule in enumerate(rules)])
people = st.lists(st.frozensets(st.sampled_from(GROUPS), max_size=2), max_size=4)


def asked(rules: list[dict[str, Any]], facts: dict[str, Any]) -> policies.Verdict:
    if not rules:
        return policies.evaluate(call(**facts), [], {})
    half = len(rules) // 2
    several = [
        active(*part, name=name)
        for name, part in (("a", rules[:half]), ("b", rules[half:]))
        if part
    ]
    return policies.evaluate(call(**facts), several, {})


def voters(groups: list[frozenset[str]]) -> list[Voter]:
    return [
        Voter(person_id=uuid7(), name="P", groups=some, active=True, may_vote=True)
        for some in groups
    ]


class TestEvaluate:
    @settings(max_examples=400)
    @given(rules=drawn_rules, facts=facts_json, groups=people)
    def test_agrees_with_the_oracle(
        self, rules: list[dict[str, Any]], facts: dict[str, Any], groups: list[frozenset[str]]
    ) -> None:
        verdict = asked(rules, facts)
        assert verdict.says == oracle.outcome(rules, facts)
        if verdict.says is Says.HOLD:
            assert verdict.requirement is not None
            filled = policies.assignment(verdict.requirement, voters(groups)) is not None
            assert filled == oracle.enough(rules, facts, groups)

    @settings(max_examples=150)
    @given(rules=drawn_rules, facts=facts_json)
    def test_is_as_strict_as_the_strictest(
        self, rules: list[dict[str, Any]], facts: dict[str, Any]
    ) -> None:
        verdict = asked(rules, facts)
        found = verdict.requirement
        if verdict.says is not Says.HOLD or found is None:
            return
        holds = [r for r in oracle.counting(rules, facts) if r["effect"] == "hold"]
        named = {name.split("/")[1] for name in verdict.rules}
        holds = [r for r in holds if r["id"] in named]
        floor = policies.requirement_for(max(facts["tier"], 1))
        wanted = [r.get("require", {}) for r in holds]
        minutes = {"30m": 1800, "2h": 7200, "8h": 28_800, "5m": 300}
        decide = [minutes[r["decide"]] for r in holds if "decide" in r]
        execute = [minutes[r["execute"]] for r in holds if "execute" in r]
        fresh = [s for s in [floor.stepup_s, *(w.get("stepup_s", 0) for w in wanted)] if s]
        assert found.blind == (floor.blind or any(w.get("blind") for w in wanted))
        assert found.decide_s == min(decide or [floor.decide_s])
        assert found.execute_s == min([floor.execute_s, *execute])
        assert found.stepup_s == min(fresh, default=0)

    @settings(max_examples=100)
    @given(rules=drawn_rules, facts=facts_json)
    def test_says_everything_in_its_trace(
        self, rules: list[dict[str, Any]], facts: dict[str, Any]
    ) -> None:
        trace = asked(rules, facts).trace
        assert [line["rule"] for line in trace] == [rule["id"] for rule in rules]
        assert json.loads(json.dumps(trace)) == [dict(line) for line in trace]

    @settings(max_examples=100)
    @given(rules=drawn_rules, more=drawn_rules, facts=facts_json, groups=people)
    def test_another_hold_or_deny_never_asks_less(
        self,
        rules: list[dict[str, Any]],
        more: list[dict[str, Any]],
        facts: dict[str, Any],
        groups: list[frozenset[str]],
    ) -> None:
        top = max((one["priority"] for one in rules), default=0)
        strict = [
            {**one, "id": f"more-{one['id']}", "priority": top}
            for one in more
            if one["effect"] != "allow"
        ]
        before, after = asked(rules, facts), asked(rules + strict, facts)
        order = [Says.PASS, Says.ALLOW, Says.HOLD, Says.DENY]
        assert order.index(after.says) >= order.index(before.says)
        if after.says is Says.HOLD and before.says is Says.HOLD:
            assert before.requirement is not None
            assert after.requirement is not None
            if policies.assignment(after.requirement, voters(groups)) is not None:
                assert policies.assignment(before.requirement, voters(groups)) is not None

    @pytest.mark.parametrize(("tier", "people"), [(1, 1), (2, 2)])
    def test_keeps_the_floor_where_no_rule_counts(self, tier: int, people: int) -> None:
        verdict = said(rule("other", "allow", match={"tool": "ticket.*"}), tier=tier)
        assert (verdict.says, verdict.requirement.people) == (Says.HOLD, people)

    def test_lets_a_read_pass(self) -> None:
        assert policies.evaluate(call(tier=0), [], {}).says is Says.PASS

    @pytest.mark.parametrize(
        ("effect", "tier", "outcome"),
        [("allow", 1, Says.HOLD), ("hold", 1, Says.HOLD), ("deny", 1, Says.DENY)],
    )
    def test_takes_what_is_unclear_for_the_stricter_answer(
        self, effect: str, tier: int, outcome: Says
    ) -> None:
        unclear = when("/args/nowhere", "gt", "1")
        verdict = said(rule("unclear", effect, when=unclear), tier=tier)
        assert verdict.says is outcome
        assert verdict.trace[0]["result"] == "error"

    def test_breaks_a_tie_by_holding(self) -> None:
        verdict = said(rule("yes", "allow", priority=5), rule("no", "hold", priority=5))
        assert verdict.says is Says.HOLD

    def test_adds_up_the_blocks_of_all_holds(self) -> None:
        leads = {"all": [{"slots": [{"groups": ["leads"], "n": 2}]}]}
        verdict = said(
            rule("a", "hold", priority=9, require=FINANCE), rule("b", "hold", require=leads)
        )
        assert [block.people for block in verdict.requirement.blocks] == [1, 2]
        assert verdict.rules == ("shop-writes/a", "shop-writes/b")

    def test_adds_the_floor_of_tier_2_to_one_person_of_a_rule(self) -> None:
        verdict = said(rule("a", "hold", require=FINANCE), tier=2)
        assert [block.people for block in verdict.requirement.blocks] == [1, 2]
        assert verdict.requirement.blind

    def test_does_not_ask_the_floor_twice(self) -> None:
        two = {"slots": [{"groups": ["finance"]}, {"groups": ["leads"]}]}
        verdict = said(rule("a", "hold", require={"all": [two]}), tier=2)
        assert len(verdict.requirement.blocks) == 1

    def test_approves_by_timeout_in_tier_1_only_and_when_all_say_so(self) -> None:
        out = {"on_expiry": "approve"}
        assert said(rule("a", "hold", **out)).requirement.on_expiry == "approve"
        assert said(rule("a", "hold", **out), tier=2).requirement.on_expiry == "refuse"
        both = said(rule("a", "hold", **out), rule("b", "hold"))
        assert both.requirement.on_expiry == "refuse"

    def test_samples_one_in_twenty_unless_told_otherwise(self) -> None:
        assert said(rule("a", "allow")).requirement.sample == "0.05"
        assert said(rule("a", "allow", sample="0")).requirement.sample == "0"

    def test_masks_what_the_contract_hides(self) -> None:
        test = {"all": [when("/args/amount", "gt", "1"), when("/before/orders/*/total", "gt", 1)]}
        hidden = ("/args/amount", "/before/*/*/total")
        verdict = said(rule("a", "hold", when=test, total=TOTAL), sensitive=hidden)
        text = json.dumps(verdict.trace)
        assert policies.MASK in json.loads(text)[0]["when"]["all"][0]["found"]
        assert "120.00" not in text
        assert "41800" not in text

    def test_holds_a_tool_of_which_the_total_is_unknown(self) -> None:
        assert said(rule("a", "deny", total=TOTAL)).says is Says.DENY

    @pytest.mark.parametrize(
        ("others", "outcome"),
        [("380.00", Says.HOLD), ("380.01", Says.DENY), ("0", Says.HOLD)],
    )
    def test_adds_the_call_itself_to_a_total(self, others: str, outcome: Says) -> None:
        sums = {"shop-writes/a": Decimal(others)}
        assert said(rule("a", "deny", total=TOTAL), sums=sums).says is outcome


class TestHours:
    OFFICE: ClassVar = {
        "zone": "Europe/Berlin",
        "days": ["mon", "fri"],
        "from": "09:00",
        "to": "17:00",
    }

    @pytest.mark.parametrize(
        ("at", "inside"),
        [
            ("2026-11-20T08:00:00", True),  # 09:00 in Berlin, a Friday
            ("2026-11-20T07:59:59", False),
            ("2026-11-20T15:59:59", True),
            ("2026-11-20T16:00:00", False),
            ("2026-11-19T12:00:00", False),  # a Thursday
            ("2026-07-20T07:00:00", True),  # summer time: 09:00
            ("2026-11-22T23:30:00", False),  # Monday in Berlin already, but half past midnight
        ],
    )
    def test_are_those_of_the_zone(self, at: str, *, inside: bool) -> None:
        moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
        assert (said(rule("a", "deny", hours=self.OFFICE), at=moment).says is Says.DENY) == inside
        outside = {**self.OFFICE, "outside": True}
        assert (said(rule("a", "deny", hours=outside), at=moment).says is Says.DENY) != inside

    def test_count_for_a_hold_when_the_zone_is_not_known_here(self) -> None:
        one = active(rule("a", "deny", hours=self.OFFICE))
        hours = one.policy.rules[0].hours
        assert hours is not None
        rules = (replace(one.policy.rules[0], hours=replace(hours, zone="Mars/Olympus")),)
        lost = replace(one, policy=replace(one.policy, rules=rules))
        assert policies.evaluate(call(), [lost], {}).says is Says.DENY


class TestMatch:
    @pytest.mark.parametrize(
        ("match", "fits"),
        [
            ({"tool": "refund.*"}, True),
            ({"tool": "refund"}, False),
            ({"tool": "*.create"}, True),
            ({"tool": "refund.creat?"}, True),
            ({"agent": "ref*", "tier": 1}, True),
            ({"tier": [0, 2]}, False),
            ({"channel": "chat"}, True),
            ({"environment": "prod*"}, False),
        ],
    )
    def test_is_by_pattern(self, match: dict[str, Any], *, fits: bool) -> None:
        verdict = said(rule("a", "deny", match=match), channel="chat", environment="staging")
        assert (verdict.says is Says.DENY) == fits


class TestExactSum:
    @given(st.decimals(0, 10**29, places=2), st.decimals(0, 10**29, places=18))
    def test_loses_no_digit(self, left: Decimal, right: Decimal) -> None:
        assert Fraction(exact_sum(left, right)) == Fraction(left) + Fraction(right)


class TestTotalsWanted:
    def test_names_rules_with_the_values_they_add_up_by(self) -> None:
        by = {**TOTAL, "by": ["/target/customer"]}
        found = policies.totals_wanted(call(), [active(rule("a", "hold", total=by))])
        assert {name: values for name, (_, values) in found.items()} == {"shop-writes/a": ("mia",)}

    def test_leaves_out_what_the_call_does_not_say(self) -> None:
        by = {**TOTAL, "by": ["/target/region"]}
        one = [active(rule("a", "hold", total=by))]
        assert policies.totals_wanted(call(), one) == {}
        assert policies.evaluate(call(), one, {}).says is Says.HOLD


class TestAdded:
    @settings(max_examples=150)
    @given(rules=drawn_rules, more=drawn_rules, facts=facts_json, groups=people)
    def test_keeps_all_of_the_old_and_gains_all_of_the_new(
        self,
        rules: list[dict[str, Any]],
        more: list[dict[str, Any]],
        facts: dict[str, Any],
        groups: list[frozenset[str]],
    ) -> None:
        old, new = asked(rules, facts).requirement, asked(more, facts).requirement
        if old is None or new is None:
            return
        whole = policies.added(old, new)
        filled = [policies.assignment(one, voters(groups)) is not None for one in (old, new, whole)]
        assert filled[2] == (filled[0] and filled[1])
        assert whole.blocks[: len(old.blocks)] == old.blocks
        assert policies.added(whole, new) == whole
