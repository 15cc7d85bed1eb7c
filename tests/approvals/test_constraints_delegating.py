"""The constraints of delegations attacked by raw SQL, with a forged event."""

from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from approvals import commands
from approvals.events.delegating import DelegationMade
from audit.commands import record
from console.kernel.transactions import in_tenant
from tests.approvals.desk import (
    approve,
    opened,
    principals,
)
from tests.approvals.lent import finance, instead, lend, reviewer, started
from tests.approvals.sql import refused, run
from tests.approvals.test_constraints_dispatch import dispatch_sql
from tests.cast import Cast


class TestTable:
    """The same by raw SQL, with a forged event."""

    INSERT = """
    INSERT INTO approvals_delegation (id, tenant_id, from_person_id, from_label, to_person_id,
      to_label, "group", reason, made_at, until, ended_by_label)
    VALUES (gen_random_uuid(), %(t)s, %(a)s, 'a', %(b)s, 'b', 'finance', {reason}, {made},
      {until}, '')
    """

    def forged(self, cast: Cast, sql: str, **values: Any) -> None:
        with in_tenant(cast.tenant_id), connection.cursor() as cursor:
            some = UUID(cast.ruth.id)
            record(
                DelegationMade(
                    delegation_id=some, from_person=some, to_person=some, group="x", until=""
                ),
                actor=cast.noor,
            )
            people = {"a": cast.ines.id, "b": cast.ruth.id}
            cursor.execute(sql, {"t": cast.tenant_id, **people, **values})

    def insert(self, **other: str) -> str:
        usual = {"reason": "'x'", "made": "now()", "until": "now() + interval '1 day'"}
        return self.INSERT.format(**{**usual, **other})

    @pytest.mark.parametrize(
        ("name", "change", "values"),
        [
            ("delegation_not_self", {}, {"b": "a"}),
            ("delegation_bounded", {"until": "now() + interval '14 days 1 second'"}, {}),
            ("delegation_bounded", {"until": "now()"}, {}),
            ("delegation_says_why", {"reason": "' '"}, {}),
        ],
    )
    def test_is_bounded(
        self, cast: Cast, name: str, change: dict[str, str], values: dict[str, str]
    ) -> None:
        who = {"b": cast.ines.id} if values else {}
        with refused(name):
            self.forged(cast, self.insert(**change), **who)

    def test_has_one_level(self, cast: Cast) -> None:
        third = reviewer(cast, "third", "care")
        lend(cast.ines, cast.ruth)
        for pair in ({"a": cast.ruth.id, "b": third.id}, {"a": third.id, "b": cast.ines.id}):
            with refused("delegation_one_level"):
                self.forged(cast, self.insert(), **pair)

    def test_only_ends_and_once(self, cast: Cast) -> None:
        made = lend(cast.ines, cast.ruth)
        with refused("42501"):
            self.forged(cast, "UPDATE approvals_delegation SET until = until + interval '1 day'")
        commands.end_delegation(actor=cast.ines, delegation_id=made.id)
        back = (
            "UPDATE approvals_delegation SET ended_at = null, ended_by_id = null WHERE id = %(d)s"
        )
        with refused("delegation_only_ended"):
            self.forged(cast, back, d=made.id)
        with refused("42501"):
            self.forged(cast, "DELETE FROM approvals_delegation")

    def test_needs_an_event(self, cast: Cast) -> None:
        with refused("SB001"):
            run(cast, self.insert(), t=cast.tenant_id, a=cast.ines.id, b=cast.ruth.id)

    COPY = """
    INSERT INTO approvals_vote (id, tenant_id, proposal_id, revision_id, digest, person_id,
      person_label, choice, reason_code, note, agent_message, session, stepup_at, served_at,
      view_digest, expected_s, taken_ms, event_uid, cast_at, void_cause, delegation_id,
      in_place_of)
    SELECT gen_random_uuid(), tenant_id, proposal_id, id, digest, %(who)s, 'x', 'approve', '', '',
      '', repeat('c', 64), now(), now(), sha256('x'), 3, 1, gen_random_uuid(), {at}, '',
      {by}, {name}
    FROM approvals_revision WHERE proposal_id = %(p)s
    """

    def test_binds_a_vote_to_a_delegation_of_its_voter_that_lasts(self, cast: Cast) -> None:
        card = finance(cast)
        third = reviewer(cast, "third", "care")
        made = lend(cast.ines, cast.ruth)
        lent = {"by": "%(d)s", "name": "'Ines'"}
        vote_ = partial(self.forged, cast, p=card.id, d=made.id)
        with refused("vote_was_lent"):
            vote_(self.COPY.format(at="now()", **lent), who=third.id)
        with refused("vote_was_lent"):
            vote_(self.COPY.format(at="now() + interval '2 days'", **lent), who=cast.ruth.id)
        with refused("vote_in_place_whole"):
            vote_(self.COPY.format(at="now()", by="%(d)s", name="''"), who=cast.ruth.id)
        commands.end_delegation(actor=cast.ines, delegation_id=made.id)
        with refused("vote_was_lent"):
            vote_(self.COPY.format(at="now()", **lent), who=cast.ruth.id)

    def test_bars_who_counts_as_one_with_a_principal(self, cast: Cast) -> None:
        starter = reviewer(cast, "starter", "finance")
        card = opened(cast, chain=(*principals(cast)[:2], started(starter)))
        lend(starter, cast.ruth)
        own = self.COPY.format(at="now()", by="null", name="''")
        with refused("vote_not_beside_principal"):
            self.forged(cast, own, p=card.id, who=cast.ruth.id)

    def test_counts_the_two_once_in_a_decision(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        lend(cast.ines, cast.ruth)
        approve(card, cast.ruth)
        approve(card, cast.ines)
        decide = """
        INSERT INTO approvals_decision (id, tenant_id, proposal_id, revision_id, digest, outcome,
          basis, assignment, decided_at, decide_by)
        SELECT gen_random_uuid(), tenant_id, proposal_id, id, digest, 'approved', 'people',
          jsonb_build_array(
            jsonb_build_object('block', 0, 'person', %(a)s::text, 'group', 'finance'),
            jsonb_build_object('block', 0, 'person', %(b)s::text, 'group', 'care')),
          now(), now() + interval '1 hour'
        FROM approvals_revision WHERE proposal_id = %(p)s
        """
        with refused("decision_counts_two_as_one"):
            self.forged(cast, decide, p=card.id)

    def test_lets_nothing_run_on_one_that_was_ended(self, cast: Cast) -> None:
        card = finance(cast)
        made = lend(cast.ines, cast.ruth)
        instead(card, cast.ruth, cast.ines)
        commands.end_delegation(actor=cast.ines, delegation_id=made.id)
        with refused("dispatch_of_lent"):
            self.forged(cast, dispatch_sql(), p=card.id)
