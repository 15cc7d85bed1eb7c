"""Rules made ready for many calls say what the rules say that are asked one by one."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from approvals import policies
from approvals.policies.compiling import Compiled
from tests.approvals.policies.rules import FRIDAY, active, call
from tests.approvals.policies.test_evaluating import TOTAL, TestHours, drawn_rules, facts_json

verdicts = st.dictionaries(
    st.just("injection"), st.sampled_from(["allow", "hold", "block"]), max_size=1
)
calls = st.lists(
    st.tuples(
        facts_json,
        verdicts,
        st.sampled_from(["refund.create", "ticket.update"]),
        st.booleans(),  # whether there is such a tool
        st.integers(0, 48),  # hours later
    ),
    min_size=1,
    max_size=6,
)
more = st.lists(
    st.fixed_dictionaries(
        {
            "effect": st.sampled_from(["allow", "hold", "deny"]),
            "priority": st.integers(0, 2),
            "match": st.sampled_from([{}, {"tool": "refund.*"}, {"agent": "other"}]),
        },
        optional={
            "hours": st.just(TestHours.OFFICE),
            "total": st.sampled_from(
                [{**TOTAL, "sum": "/args/a"}, {**TOTAL, "sum": "/args/a", "by": ["/args/b"]}]
            ),
        },
    ),
    max_size=3,
)
sums = st.dictionaries(
    st.sampled_from([f"b/m{n}" for n in range(3)]),
    st.sampled_from([None, Decimal(0), Decimal(500), Decimal("500.5")]),
)


class TestCompiled:
    @settings(max_examples=300)
    @given(rules=drawn_rules, others=more, asked=calls, known=sums)
    def test_agrees_with_the_evaluator_call_after_call(
        self, rules: Any, others: Any, asked: Any, known: Any
    ) -> None:
        named = [{"id": f"m{n}", **one} for n, one in enumerate(others)]
        speaking = [active(*part, name=name) for name, part in (("a", rules), ("b", named)) if part]
        ready = Compiled(speaking)
        for facts, said, tool, there, hours in asked:
            one = call(
                **facts,
                verdicts=said,
                tool=tool,
                known=there,
                at=FRIDAY + timedelta(hours=hours),
            )
            whole = policies.evaluate(one, speaking, known)
            assert ready.evaluate(one, known) == replace(whole, trace=())
            assert ready.totals_wanted(one) == tuple(policies.totals_wanted(one, speaking))
