"""What a policy may say, and what is refused, with the place of the fault."""

import json
from contextlib import suppress
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals import policies
from approvals.cards import Block, Rung, Slot
from approvals.errors import PolicyInvalid
from approvals.policies.comparing import as_decimal, fits
from approvals.policies.language import Condition, Every, Op, Ratio
from console.kernel import canonical
from tests.approvals.policies.rules import body, rule, when

DESIGN = """
{"policy": "shop-writes", "rules": [
  {"id": "refund-large", "priority": 80, "match": {"tool": "refund.*"},
   "when": {"all": [{"path": "/args/amount", "op": "gt", "value": "1000.00"}]}, "effect": "hold",
   "require": {"all": [{"slots": [{"groups": ["finance"], "n": 1}, {"groups": ["leads"], "n": 1}]}],
               "blind": true, "stepup_s": 300},
   "decide": "4h", "execute": "10m", "on_expiry": "refuse",
   "ladder": [{"at": 0.5, "widen": ["finance-managers"]}]},
  {"id": "refund-day-sum", "priority": 90, "match": {"tool": "refund.*"}, "effect": "hold",
   "total": {"sum": "/args/amount", "by": ["/target/customer"], "window": "24h", "op": "gt",
             "value": "500.00"},
   "require": {"all": [{"slots": [{"groups": ["finance"], "n": 1}]}]}},
  {"id": "ticket-status", "priority": 10, "match": {"tool": "ticket.update", "tier": 1},
   "effect": "allow", "sample": 0.05}]}
"""


class TestParse:
    def test_reads_the_example_of_the_manual(self) -> None:
        policy = policies.parse(json.loads(DESIGN))
        large, summed, status = policy.rules
        assert policy.name == "shop-writes"
        assert large.when == Every(
            parts=(Condition(path=("args", "amount"), op=Op.GT, value=Decimal("1000.00")),)
        )
        assert large.require.blocks == (
            Block(slots=(Slot(groups=("finance",), n=1), Slot(groups=("leads",), n=1))),
        )
        assert (large.require.decide_s, large.require.execute_s) == (14_400, 600)
        assert large.require.ladder == (Rung(at="0.5", act="widen", groups=("finance-managers",)),)
        assert summed.total is not None
        assert (summed.total.window_s, summed.total.by) == (86_400, (("target", "customer"),))
        assert status.sample == "0.05"

    def test_reads_what_it_wrote(self) -> None:
        policy = policies.parse(json.loads(DESIGN))
        assert policies.parse(policy.body) == policy
        assert policies.parsed(policies.body_bytes(json.loads(DESIGN))) == policy

    def test_divides_a_change_by_what_was_before(self) -> None:
        test = when("/after/products/1/price", "ratio_gt", "1.2")
        found = policies.parse(body(rule("a", "deny", when=test))).rules[0].when
        assert isinstance(found, Condition)
        assert found.value == Ratio(of=("before", "products", "1", "price"), limit=Decimal("1.2"))

    def test_reads_alternatives(self) -> None:
        one = {"slots": [{"groups": ["leads"]}]}
        two = {"slots": [{"groups": ["care"], "n": 2}]}
        found = policies.parse(body(rule("a", "hold", require={"all": [{"any": [one, two]}]})))
        block = found.rules[0].require.blocks[0]
        assert block.any_of == ((Slot(groups=("leads",), n=1),), (Slot(groups=("care",), n=2),))
        assert block.people == 1

    @pytest.mark.parametrize(
        ("rules", "pointer"),
        [
            ([{"id": "a"}], "/rules/0"),
            ([rule("a", "maybe")], "/rules/0/effect"),
            ([rule("A b", "deny")], "/rules/0/id"),
            ([rule("a", "deny"), rule("a", "deny")], "/rules/1/id"),
            ([rule("a", "deny", colour="red")], "/rules/0/colour"),
            ([rule("a", "deny", priority=True)], "/rules/0/priority"),
            ([rule("a", "deny", priority=1001)], "/rules/0/priority"),
            ([rule("a", "deny", match={"tool": "a[bc]"})], "/rules/0/match/tool"),
            ([rule("a", "deny", match={"tool": "a**"})], "/rules/0/match/tool"),
            ([rule("a", "deny", match={"tool": ""})], "/rules/0/match/tool"),
            ([rule("a", "deny", match={"tier": 3})], "/rules/0/match/tier"),
            ([rule("a", "deny", match={"customer": "x"})], "/rules/0/match/customer"),
            ([rule("a", "deny", match={"tool": "policy.*"})], "/rules/0/match"),
            ([rule("a", "deny", require={})], "/rules/0/require"),
            ([rule("a", "allow", decide="1h")], "/rules/0/decide"),
            ([rule("a", "hold", sample="0.1")], "/rules/0/sample"),
            ([rule("a", "allow", sample="1.1")], "/rules/0/sample"),
            ([rule("a", "allow", sample="0.00001")], "/rules/0/sample"),
            ([rule("a", "hold", decide="4 hours")], "/rules/0/decide"),
            ([rule("a", "hold", decide="0h")], "/rules/0/decide"),
            ([rule("a", "hold", decide="31d")], "/rules/0/decide"),
            ([rule("a", "hold", on_expiry="shrug")], "/rules/0/on_expiry"),
            ([rule("a", "hold", batch=26)], "/rules/0/batch"),
            ([rule("a", "hold", require={"all": []})], "/rules/0/require/all"),
            ([rule("a", "hold", require={"all": [{}]})], "/rules/0/require/all/0"),
            ([rule("a", "hold", require={"deny_threshold": 0})], "/rules/0/require/deny_threshold"),
            (
                [rule("a", "hold", require={"all": [{"slots": [{"groups": ["Fin ance"]}]}]})],
                "/rules/0/require/all/0/slots/0/groups/0",
            ),
            ([rule("a", "hold", ladder=[{"at": "1", "remind": True}])], "/rules/0/ladder/0/at"),
            ([rule("a", "hold", ladder=[{"at": "0.5"}])], "/rules/0/ladder/0"),
            ([rule("a", "deny", hours={"zone": "X"})], "/rules/0/hours"),
        ],
    )
    def test_names_the_place_of_a_fault(self, rules: list[Any], pointer: str) -> None:
        refused(body(*rules), pointer)

    @pytest.mark.parametrize(
        ("test", "pointer"),
        [
            (when("args/amount", "eq", 1), "/path"),
            (when("/nowhere/x", "eq", 1), "/path"),
            (when("/args/~2", "eq", 1), "/path"),
            (when("/args/a", "regex", ".*"), "/op"),
            (when("/args/a", "matches", ".*"), "/op"),
            (when("/args/a", "gt", "1,000"), "/value"),
            (when("/args/a", "gt", "1e3"), "/value"),
            (when("/args/a", "gt", True), "/value"),
            (when("/args/a", "gt"), ""),
            (when("/args/a", "exists", True), "/value"),
            (when("/args/a", "in", "abc"), "/value"),
            (when("/args/a", "in", []), "/value"),
            (when("/args/a", "glob", "a{b,c}"), "/value"),
            (when("/args/a", "len_gt", -1), "/value"),
            (when("/args/a", "ratio_gt", "2"), "/value"),
            (when("/args/a", "ratio_gt", {"of": "/args/b"}), "/value"),
            ({"all": []}, "/all"),
            ({"all": [], "any": []}, ""),
            ({}, ""),
            ({"not": [when("/args/a", "eq", 1)]}, "/not"),
        ],
    )
    def test_names_the_condition_at_fault(self, test: Any, pointer: str) -> None:
        refused(body(rule("a", "deny", when=test)), f"/rules/0/when{pointer}")

    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"zone": "Mars/Olympus"}, "/zone"),
            ({"days": ["monday"]}, "/days/0"),
            ({"from": "9:00"}, "/from"),
            ({"to": "08:00"}, "/to"),
            ({"to": "24:30"}, "/to"),
        ],
    )
    def test_names_the_fault_in_hours(self, change: dict[str, Any], pointer: str) -> None:
        hours = {"zone": "UTC", "days": ["mon"], "from": "09:00", "to": "17:00", **change}
        refused(body(rule("a", "deny", hours=hours)), f"/rules/0/hours{pointer}")

    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"sum": "/before/x"}, "/sum"),
            ({"sum": "/args/*"}, "/sum"),
            ({"by": ["/args"]}, "/by/0"),
            ({"op": "eq"}, "/op"),
            ({"window": "1w"}, "/window"),
        ],
    )
    def test_names_the_fault_in_a_total(self, change: dict[str, Any], pointer: str) -> None:
        total = {"sum": "/args/a", "window": "1h", "op": "gt", "value": 5, **change}
        refused(body(rule("a", "deny", total=total)), f"/rules/0/total{pointer}")

    def test_refuses_conditions_that_are_nested_too_deep(self) -> None:
        test: Any = when("/args/a", "eq", 1)
        for _ in range(6):
            test = {"not": test}
        refused(body(rule("a", "deny", when=test)), "/rules/0/when/not/not/not/not/not/not")

    def test_refuses_too_many_rules_conditions_and_bytes(self) -> None:
        refused(body(*(rule(f"r{n}", "deny") for n in range(201))), "/rules")
        many = {"all": [{"any": [when("/args/a", "eq", 1)] * 60}] * 2}
        with pytest.raises(PolicyInvalid, match="at most 100 conditions"):
            policies.parse(body(rule("a", "deny", when=many)))
        long = [rule(f"r{n}", "deny", note="x" * 1000) for n in range(200)]
        refused(body(*long), "")

    @pytest.mark.parametrize(
        "wrong", [None, [], "x", {}, {"policy": "a"}, {"policy": "a", "rules": 1}, float("nan")]
    )
    def test_refuses_what_is_no_policy(self, wrong: Any) -> None:
        with pytest.raises(PolicyInvalid) as error:
            policies.parse(wrong)
        assert error.value.message.count(". ") == 0

    def test_refuses_text_without_a_canonical_form(self) -> None:
        refused(body(rule("a", "deny", note="\x00")), "")

    @given(
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3),
                st.dictionaries(
                    st.sampled_from(["id", "when", "all", "path", "op", "require", "match", "x"]),
                    inner,
                    max_size=4,
                ),
            ),
            max_leaves=12,
        )
    )
    def test_refuses_or_reads_anything_without_falling_over(self, junk: Any) -> None:
        for wrong in (
            junk,
            {"policy": "a", "rules": [junk]},
            body(rule("a", "hold", require=junk)),
        ):
            with suppress(PolicyInvalid):
                policies.parse(wrong)


def refused(wrong: Any, pointer: str) -> None:
    with pytest.raises(PolicyInvalid) as error:
        policies.parse(wrong)
    assert error.value.details["pointer"] == pointer
    assert error.value.message.endswith(".")


class TestBodyDigest:
    def test_is_the_same_for_the_same_policy(self) -> None:
        one = json.loads(DESIGN)
        other = dict(reversed(list(one.items())))
        assert policies.body_digest(one) == policies.body_digest(other)
        assert policies.body_digest(one) == sha256(policies.body_bytes(one)).digest()

    def test_takes_a_fraction_for_its_text(self) -> None:
        number = body(rule("a", "allow", sample=0.05))
        text = body(rule("a", "allow", sample="0.05"))
        assert policies.body_digest(number) == policies.body_digest(text)
        assert canonical.loads(policies.body_bytes(number))["rules"][0]["sample"] == "0.05"

    def test_changes_with_any_change(self) -> None:
        one = policies.body_digest(body(rule("a", "allow")))
        assert one != policies.body_digest(body(rule("a", "deny")))


class TestFits:
    @given(st.text("ab*?", min_size=1, max_size=6), st.text("ab", max_size=6))
    def test_equals_trying_everything(self, pattern: str, text: str) -> None:
        def tried(pattern: str, text: str) -> bool:
            if not pattern:
                return not text
            if pattern[0] == "*":
                return any(tried(pattern[1:], text[n:]) for n in range(len(text) + 1))
            return bool(text) and pattern[0] in ("?", text[0]) and tried(pattern[1:], text[1:])

        assert fits(pattern, text) == tried(pattern, text)

    def test_takes_no_time_for_a_pattern_made_to_be_slow(self) -> None:
        assert not fits("*a" * 50 + "b", "a" * 5000)


class TestAsDecimal:
    @pytest.mark.parametrize("text", ["0", "1.50", "-0.1", "9" * 30, 7, -3])
    def test_reads_plain_numbers(self, text: Any) -> None:
        assert as_decimal(text) == Decimal(text)

    @pytest.mark.parametrize(
        "text",
        ["007", "1e3", "+1", " 1", "1.", ".5", "NaN", "\u0661", "9" * 31, "", True, None, 1.5],
    )
    def test_reads_nothing_else(self, text: Any) -> None:
        assert as_decimal(text) is None
