"""The constraints of dispatches attacked by raw SQL."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from approvals import commands
from approvals.states import NEXT_DISPATCH, DispatchState
from console.kernel.ids import uuid7
from tests.approvals.desk import approve, claim, opened, reject
from tests.approvals.sql import as_owner, refused, run
from tests.cast import Cast


@pytest.fixture
def owner() -> Iterator["psycopg.Connection[Any]"]:
    with as_owner() as found:
        yield found


DISPATCH = """
INSERT INTO approvals_dispatch (id, tenant_id, proposal_id, revision_id, decision_id, digest,
  observed_digest, call_key, claimed_at, execute_by, state, seen_at)
SELECT gen_random_uuid(), d.tenant_id, d.proposal_id, d.revision_id, d.id, d.digest, {observed},
  gen_random_uuid(), {claimed}, {execute_by}, {state}, {seen}
FROM approvals_decision d JOIN approvals_proposal p ON p.id = d.proposal_id
WHERE d.proposal_id = %(p)s ORDER BY d.decided_at DESC LIMIT 1
"""


def dispatch_sql(**other: str) -> str:
    values = {
        "observed": "d.digest",
        "claimed": "clock_timestamp()",
        "execute_by": "coalesce(p.execute_by, now() + interval '1 hour')",
        "state": "'claimed'",
        "seen": "NULL",
    }
    return DISPATCH.format(**{**values, **other})


class TestDispatch:
    @pytest.mark.parametrize(
        ("name", "change"),
        [
            ("dispatch_runs_what_was_seen", {"observed": "sha256('x')"}),
            ("dispatch_in_time", {"claimed": "p.execute_by"}),
            ("dispatch_seen_lately", {"seen": "clock_timestamp() - interval '5.1 seconds'"}),
            ("SB001", {"seen": "clock_timestamp() - interval '1 second'"}),
            (
                "dispatch_needs_decision",
                {"execute_by": "p.execute_by + interval '1 hour'"},
            ),
            ("dispatch_needs_decision", {"state": "'succeeded'"}),
            ("SB001", {}),
        ],
    )
    def test_holds(self, cast: Cast, name: str, change: dict[str, str]) -> None:
        card = opened(cast)
        approve(card, cast.ruth)
        with refused(name):
            run(cast, dispatch_sql(**change), p=card.id)

    def test_needs_an_approval_that_counts(
        self, cast: Cast, owner: "psycopg.Connection[Any]"
    ) -> None:
        rejected, reopened = opened(cast), opened(cast)
        reject(rejected, cast.ruth)
        approve(reopened, cast.ruth)
        commands.withdraw_vote(actor=cast.ruth, proposal_id=reopened.id)
        for card in (rejected, reopened):
            with refused("dispatch_needs_decision"):
                run(cast, dispatch_sql(), p=card.id)
            with pytest.raises(psycopg.Error, match="dispatch_needs_decision"):
                owner.execute(dispatch_sql(), {"p": card.id})
            owner.rollback()

    def test_happens_once(self, cast: Cast, owner: "psycopg.Connection[Any]") -> None:
        """By another key for the same proposal, and by the same key for another proposal."""
        card, other = opened(cast), opened(cast)
        for one in (card, other):
            approve(one, cast.ruth)
        key = uuid7()
        claim(cast, card, key=key)
        same_key = dispatch_sql().replace("gen_random_uuid(), clock", f"'{key}', clock")
        owner.execute("ALTER TABLE approvals_dispatch DISABLE TRIGGER USER")
        for name, sql, of in (
            ("dispatch_once", dispatch_sql(), card),
            ("dispatch_call_key", same_key, other),
        ):
            owner.execute("SAVEPOINT before")
            with pytest.raises(psycopg.errors.UniqueViolation) as error:
                owner.execute(sql, {"p": of.id})
            assert error.value.diag.constraint_name == name
            owner.execute("ROLLBACK TO before")

    @pytest.mark.parametrize("was", sorted(DispatchState))
    def test_moves_exactly_as_the_table_says(
        self, cast: Cast, owner: "psycopg.Connection[Any]", was: DispatchState
    ) -> None:
        card = opened(cast)
        approve(card, cast.ruth)
        claim(cast, card)
        put = "UPDATE approvals_dispatch SET state = %(s)s WHERE proposal_id = %(p)s"
        owner.execute("ALTER TABLE approvals_dispatch DISABLE TRIGGER USER")
        owner.execute(put, {"s": was.value, "p": card.id})
        owner.execute(
            "ALTER TABLE approvals_dispatch ENABLE ALWAYS TRIGGER dispatch_transition_allowed"
        )
        for to in DispatchState:
            owner.execute("SAVEPOINT before")
            try:
                owner.execute(put, {"s": to.value, "p": card.id})
                moved = True
            except psycopg.Error as error:
                moved = error.diag.constraint_name != "dispatch_transition_allowed"
            owner.execute("ROLLBACK TO before")
            assert moved is (to in NEXT_DISPATCH[was]), (was, to)
