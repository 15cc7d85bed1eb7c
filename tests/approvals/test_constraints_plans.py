"""The constraints of plans attacked by raw SQL, as the application and as the tables' owner."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from approvals.states import DispatchState
from console.kernel.ids import uuid7
from tests.approvals.desk import approve, opened
from tests.approvals.plans import claim_step, opened_plan, report_step, run_step
from tests.approvals.sql import as_owner, refused, run
from tests.approvals.test_constraints import vote_sql
from tests.approvals.test_constraints_dispatch import dispatch_sql
from tests.cast import Cast

# Another proposal, in everything like one that is there but for its id and its place.
COPY = """
INSERT INTO approvals_proposal
SELECT (jsonb_populate_record(p, jsonb_build_object(
  'id', gen_random_uuid(), 'subject_id', gen_random_uuid(), 'state', 'open', 'execute_by', NULL,
  'plan_id', %(plan)s::uuid, 'plan_pos', %(place)s::int, 'subject_kind', %(kind)s::text))).*
FROM approvals_proposal p WHERE p.id = %(p)s
"""
# One more revision of a proposal; of a plan, with these changes.
REVISION = """
INSERT INTO approvals_revision
SELECT (jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid(), 'no', r.no + 1,
  'children', %(children)s::jsonb))).*
FROM approvals_revision r WHERE r.proposal_id = %(p)s
"""
DECISION = """
INSERT INTO approvals_decision (id, tenant_id, proposal_id, revision_id, digest, outcome, basis,
  assignment, decided_at, decide_by)
SELECT gen_random_uuid(), r.tenant_id, r.proposal_id, r.id, r.digest, %(outcome)s, %(basis)s, '[]',
  clock_timestamp(), clock_timestamp() + interval '1 hour'
FROM approvals_revision r WHERE r.proposal_id = %(p)s
"""


@pytest.fixture
def owner() -> Iterator["psycopg.Connection[Any]"]:
    with as_owner() as found:
        yield found


DEFERRED = ("plan_covers_its_steps", "proposal_step_of_plan")


def as_both(
    cast: Cast, owner: "psycopg.Connection[Any]", name: str, sql: str, **values: Any
) -> None:
    """Have both roles refused by the constraint of this name."""
    now = f"SET CONSTRAINTS {name} IMMEDIATE" if name in DEFERRED else "SELECT 1"
    with refused(name):
        run(cast, f"{now}; {sql}", **values)
    owner.execute(now)
    with pytest.raises(psycopg.Error) as error:
        owner.execute(sql, values)
    assert error.value.diag.constraint_name == name, error.value
    owner.rollback()


class TestStep:
    @pytest.mark.parametrize(
        ("place", "kind", "name"),
        [
            (1, "tool_call", "proposal_plan_pos_once"),
            (0, "tool_call", "proposal_step_has_place"),
            (21, "tool_call", "proposal_step_has_place"),
            (None, "tool_call", "proposal_step_has_place"),
            (3, "plan", "proposal_step_has_place"),
        ],
    )
    def test_has_a_place_of_its_own(
        self,
        cast: Cast,
        owner: "psycopg.Connection[Any]",
        place: int | None,
        kind: str,
        name: str,
    ) -> None:
        plan = opened_plan(cast, 2)
        values = {"p": plan.steps[0].id, "plan": plan.plan.id, "place": place, "kind": kind}
        as_both(cast, owner, name, COPY, **values)

    def test_is_of_a_plan_of_its_tenant(self, cast: Cast, owner: "psycopg.Connection[Any]") -> None:
        plan = opened_plan(cast, 2)
        values = {"p": plan.steps[0].id, "plan": uuid7(), "place": 1, "kind": "tool_call"}
        as_both(cast, owner, "proposal_step_of_plan", COPY, **values)

    def test_takes_no_vote(self, cast: Cast, owner: "psycopg.Connection[Any]") -> None:
        plan = opened_plan(cast, 2)
        values = {"person": cast.ruth.id, "proposal": plan.steps[0].id}
        as_both(cast, owner, "vote_not_on_step", vote_sql(), **values)

    def test_never_moves_to_another_plan(self, cast: Cast) -> None:
        plan = opened_plan(cast, 2)
        for column, value in (("plan_id", "NULL"), ("plan_pos", "3")):
            with refused("42501"):  # the role has no right on these columns
                run(
                    cast,
                    f"UPDATE approvals_proposal SET {column} = {value} WHERE id = %(p)s",
                    p=plan.steps[0].id,
                )


class TestRevision:
    def test_has_the_digest_of_its_changes(
        self, cast: Cast, owner: "psycopg.Connection[Any]"
    ) -> None:
        plan = opened_plan(cast, 2)
        values = {"p": plan.plan.id, "children": f'["{"a" * 64}", "{"b" * 64}"]'}
        as_both(cast, owner, "revision_plan_digest_true", REVISION, **values)

    def test_is_the_only_one_of_a_plan_and_of_each_change(
        self, cast: Cast, owner: "psycopg.Connection[Any]"
    ) -> None:
        plan = opened_plan(cast, 2)
        children = f'["{plan.steps[0].digest}", "{plan.steps[1].digest}"]'
        as_both(cast, owner, "plan_covers_its_steps", REVISION, p=plan.plan.id, children=children)
        as_both(cast, owner, "plan_covers_its_steps", REVISION, p=plan.steps[0].id, children=None)

    def test_of_a_change_is_covered_by_the_plan(
        self, cast: Cast, owner: "psycopg.Connection[Any]"
    ) -> None:
        plan = opened_plan(cast, 2)
        sneaked = f"""
        WITH new AS ({COPY} RETURNING id, tenant_id)
        INSERT INTO approvals_revision
        SELECT (jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid(),
          'proposal_id', (SELECT id FROM new)))).*
        FROM approvals_revision r WHERE r.proposal_id = %(p)s
        """
        values = {"p": plan.steps[0].id, "plan": plan.plan.id, "place": 3, "kind": "tool_call"}
        as_both(cast, owner, "plan_covers_its_steps", sneaked, **values)


class TestDecision:
    @pytest.mark.parametrize(
        ("basis", "outcome"),
        [("people", "approved"), ("rule", "approved"), ("plan", "approved"), ("plan", "rejected")],
    )
    def test_of_a_change_takes_its_plan_to_be_handed_over(
        self, cast: Cast, owner: "psycopg.Connection[Any]", basis: str, outcome: str
    ) -> None:
        plan = opened_plan(cast, 2)
        values = {"p": plan.steps[0].id, "basis": basis, "outcome": outcome}
        as_both(cast, owner, "decision_of_step_by_plan", DECISION, **values)

    def test_of_no_other_proposal_is_by_a_plan(
        self, cast: Cast, owner: "psycopg.Connection[Any]"
    ) -> None:
        card = opened(cast)
        values = {"p": card.id, "basis": "plan", "outcome": "approved"}
        as_both(cast, owner, "decision_of_step_by_plan", DECISION, **values)


class TestDispatch:
    def test_of_a_change_comes_after_the_one_before(
        self, cast: Cast, owner: "psycopg.Connection[Any]"
    ) -> None:
        plan = opened_plan(cast, 3)
        approve(plan.plan, cast.ruth)
        name = "dispatch_after_the_one_before"
        for no in (2, 3):
            as_both(cast, owner, name, dispatch_sql(), p=plan.steps[no - 1].id)
        first = claim_step(cast, plan, 1)
        as_both(cast, owner, name, dispatch_sql(), p=plan.steps[1].id)  # it is not known to be done
        report_step(cast, first, DispatchState.SUCCEEDED)
        as_both(cast, owner, name, dispatch_sql(), p=plan.steps[2].id)

    def test_of_a_change_takes_a_plan_that_runs(
        self, cast: Cast, owner: "psycopg.Connection[Any]"
    ) -> None:
        plan = opened_plan(cast, 2)
        approve(plan.plan, cast.ruth)
        run_step(cast, plan, 1)
        end = "UPDATE approvals_dispatch SET state = 'failed' WHERE proposal_id = %(p)s"
        owner.execute(end, {"p": plan.plan.id})
        with pytest.raises(psycopg.Error, match="dispatch_after_the_one_before"):
            owner.execute(dispatch_sql(), {"p": plan.steps[1].id})
