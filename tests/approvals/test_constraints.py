"""Every constraint attacked by raw SQL, as the application's role and as the owner."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection

from approvals import commands
from approvals.cards import ProposalCard
from approvals.states import BIRTHS, NEXT, ProposalState
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant
from tests.approvals.desk import approve, claim, now, opened
from tests.approvals.sql import as_owner, refused, run
from tests.cast import Cast


@pytest.fixture
def owner() -> Iterator["psycopg.Connection[Any]"]:
    with as_owner() as found:
        yield found


COPY_VOTE = """
INSERT INTO approvals_vote (id, tenant_id, proposal_id, revision_id, digest, person_id,
  person_label, choice, reason_code, note, agent_message, session, event_uid, cast_at, void_cause,
  stepup_at, served_at, view_digest, assertion, expected_s, taken_ms)
SELECT gen_random_uuid(), tenant_id, proposal_id, id, {digest}, %(person)s, 'x', {choice}, {code},
  {note}, '', {session}, gen_random_uuid(), clock_timestamp(), '', {stepup}, {served}, {view},
  {assertion}, {expected}, {taken}
FROM approvals_revision WHERE proposal_id = %(proposal)s
"""


def vote_sql(**other: str) -> str:
    values = {
        "digest": "digest",
        "choice": "'approve'",
        "code": "''",
        "note": "''",
        "session": f"'{uuid7().hex * 2}'",
        "stepup": "clock_timestamp()",
        "served": "clock_timestamp()",
        "view": "sha256('x')",
        "assertion": "NULL",
        "expected": "4",
        "taken": "9000",
    }
    return COPY_VOTE.format(**{**values, **other})


class TestVote:
    @pytest.mark.parametrize(
        ("name", "change"),
        [
            ("vote_binds_digest", {"digest": "sha256('x')"}),
            ("vote_binds_digest", {"digest": "'\\x00'::bytea"}),
            ("vote_choice_known", {"choice": "'maybe'"}),
            ("vote_reject_has_reason", {"choice": "'reject'"}),
            ("vote_reject_has_reason", {"choice": "'reject'", "code": "'other'"}),
            (
                "vote_reject_has_reason",
                {"choice": "'reject'", "code": "'other'", "note": "E' \\n'"},
            ),
            (
                "vote_reject_has_reason",
                {"choice": "'reject'", "code": "'nope'", "note": "'why'"},
            ),
            ("vote_reject_has_reason", {"code": "'other'"}),
            ("vote_has_session", {"session": "''"}),
            ("vote_approve_was_shown", {"served": "NULL"}),
            ("vote_approve_was_shown", {"view": "NULL"}),
            ("vote_approve_was_timed", {"taken": "NULL"}),
            ("vote_time_in_bounds", {"expected": "2"}),
            ("vote_view_digest_is_sha256", {"view": "'\\x00'::bytea"}),
            ("vote_is_fresh", {"stepup": "NULL"}),
            ("vote_is_fresh", {"stepup": "clock_timestamp() - interval '311 seconds'"}),
            (
                "vote_signed_is_fresh",
                {
                    "choice": "'reject'",
                    "code": "'other'",
                    "note": "'why'",
                    "stepup": "NULL",
                    "assertion": "'{}'",
                },
            ),
        ],
    )
    def test_holds(self, cast: Cast, name: str, change: dict[str, str]) -> None:
        card = opened(cast, tier=2)
        sql = vote_sql(**change)
        if name == "vote_binds_digest" and "x00" in change["digest"]:
            name = "vote_digest_is_sha256"
        with refused(name):
            run(cast, sql, person=cast.ruth.id, proposal=card.id)

    def test_is_once_per_person_and_once_per_session(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        approve(card, cast.ruth)
        with refused("vote_one_active_per_person"):
            run(cast, vote_sql(), person=cast.ruth.id, proposal=card.id)
        with refused("vote_one_active_per_session"):
            same = vote_sql(session=f"'{cast.ruth.session}'")
            run(cast, same, person=cast.ines.id, proposal=card.id)

    @pytest.mark.parametrize("who", ["omar", "noor"])
    def test_is_never_by_the_principal_chain(self, cast: Cast, who: str) -> None:
        card = opened(cast)
        with refused("vote_not_by_principal"):
            run(cast, vote_sql(), person=getattr(cast, who).id, proposal=card.id)

    def test_is_never_by_the_principal_chain_even_as_owner(
        self, cast: Cast, owner: "psycopg.Connection[Any]"
    ) -> None:
        card = opened(cast)
        with pytest.raises(psycopg.Error, match="vote_not_by_principal"):
            owner.execute(vote_sql(), {"person": cast.omar.id, "proposal": card.id})

    def test_needs_an_event(self, cast: Cast) -> None:
        card = opened(cast)
        with refused("SB001"):
            run(cast, vote_sql(), person=cast.ruth.id, proposal=card.id)

    @pytest.mark.parametrize(
        "change",
        ["choice = 'reject'", "digest = sha256('x')", "note = 'n'", "session = repeat('a', 64)"],
    )
    def test_may_only_be_voided(
        self, cast: Cast, owner: "psycopg.Connection[Any]", change: str
    ) -> None:
        card = opened(cast, tier=2)
        approve(card, cast.ruth)
        update = f"UPDATE approvals_vote SET {change} WHERE proposal_id = %(p)s"
        with refused("42501"):  # the application has no right on these columns
            run(cast, update, p=card.id)
        with pytest.raises(psycopg.Error, match="vote_only_voided"):
            owner.execute(update, {"p": card.id})

    def test_stays_voided(self, cast: Cast, owner: "psycopg.Connection[Any]") -> None:
        card = opened(cast, tier=2)
        approve(card, cast.ruth)
        void = "UPDATE approvals_vote SET voided_at = {} WHERE proposal_id = %(p)s"
        owner.execute(void.format("now()"), {"p": card.id})
        with pytest.raises(psycopg.Error, match="vote_only_voided"):
            owner.execute(void.format("NULL"), {"p": card.id})

    def test_cannot_point_into_another_tenant(self, cast: Cast) -> None:
        card = opened(cast)
        (revision,) = run(
            cast, "SELECT id, digest FROM approvals_revision WHERE proposal_id = %(p)s", p=card.id
        )
        sql = """INSERT INTO approvals_vote (id, tenant_id, proposal_id, revision_id, digest,
          person_id, person_label, choice, reason_code, note, agent_message, session, event_uid,
          cast_at, void_cause, served_at, view_digest, expected_s, taken_ms) VALUES (
          gen_random_uuid(), %(t)s, %(p)s, %(r)s, %(d)s, %(who)s, 'x', 'approve', '', '', '',
          repeat('a', 64), gen_random_uuid(), now(), '', now(), sha256('x'), 4, 9000)"""
        values = {
            "t": cast.elsewhere.id,
            "p": card.id,
            "r": revision[0],
            "d": revision[1],
            "who": cast.mallory.id,
        }
        with (
            refused("vote_binds_digest"),
            in_tenant(cast.elsewhere.id),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql, values)
        with refused("42501"):  # row-level security
            run(cast, sql, **values)


class TestProposal:
    @pytest.mark.parametrize("was", sorted(ProposalState))
    def test_moves_exactly_as_the_table_says(
        self, cast: Cast, owner: "psycopg.Connection[Any]", was: ProposalState
    ) -> None:
        card = opened(cast)
        # The trigger under test would refuse to put the row there.
        owner.execute("ALTER TABLE approvals_proposal DISABLE TRIGGER USER")
        put = """UPDATE approvals_proposal SET state = %(s)s::varchar,
          execute_by = CASE WHEN %(s)s::varchar IN
          ('open', 'stale') THEN NULL ELSE decide_by END WHERE id = %(p)s"""
        owner.execute(put, {"s": was.value, "p": card.id})
        owner.execute(
            "ALTER TABLE approvals_proposal ENABLE ALWAYS TRIGGER proposal_transition_allowed"
        )
        for to in ProposalState:
            owner.execute("SAVEPOINT before")
            try:
                owner.execute(put, {"s": to.value, "p": card.id})
                moved = True
            except psycopg.Error as error:
                moved = error.diag.constraint_name != "proposal_transition_allowed"
            owner.execute("ROLLBACK TO before")
            assert moved is (to is was or to in NEXT[was]), (was, to)

    @pytest.mark.parametrize("state", sorted(set(ProposalState) - BIRTHS))
    def test_is_not_born_in_the_middle(self, cast: Cast, state: ProposalState) -> None:
        card = opened(cast)
        sql = """INSERT INTO approvals_proposal SELECT (jsonb_populate_record(p, jsonb_build_object(
          'id', gen_random_uuid(), 'subject_id', gen_random_uuid(), 'state', %(s)s::text,
          'execute_by', now()))).* FROM approvals_proposal p WHERE id = %(p)s"""
        with refused("proposal_transition_allowed"):
            run(cast, sql, s=state.value, p=card.id)

    def test_is_live_once_per_subject(self, cast: Cast) -> None:
        card = opened(cast)
        sql = """INSERT INTO approvals_proposal SELECT (jsonb_populate_record(p, jsonb_build_object(
          'id', gen_random_uuid()))).* FROM approvals_proposal p WHERE id = %(p)s"""
        with refused("proposal_one_live_per_subject"):
            run(cast, sql, p=card.id)

    @pytest.mark.parametrize(
        ("name", "change"),
        [
            ("proposal_clock_for_state", "state = 'approved'"),
            ("proposal_clock_for_state", "execute_by = now()"),
            ("proposal_transition_allowed", "state = 'dispatched'"),
            ("SB001", "decide_by = decide_by + interval '1 year'"),
            ("42501", "tool = 'other'"),
            ("42501", "tier = 1"),
            ("42501", "subject_id = gen_random_uuid()"),
            ("proposal_window_as_asked", "window_s = 1000000"),
            ("proposal_window_as_asked", "window_s = 1000000, clock_no = 2"),
        ],
    )
    def test_holds(self, cast: Cast, name: str, change: str) -> None:
        card = opened(cast, tier=2)
        with refused(name):
            run(cast, f"UPDATE approvals_proposal SET {change} WHERE id = %(p)s", p=card.id)

    def test_is_not_dispatched_without_its_row(self, cast: Cast) -> None:
        card = opened(cast)
        approve(card, cast.ruth)
        with refused("proposal_dispatched_has_row"):
            run(
                cast,
                "UPDATE approvals_proposal SET state = 'dispatched' WHERE id = %(p)s",
                p=card.id,
            )


@pytest.mark.parametrize(
    "table",
    ["proposal", "revision", "principal", "requirement", "vote", "decision", "dispatch", "freeze"],
)
class TestEvidence:
    def test_is_never_deleted(
        self, cast: Cast, owner: "psycopg.Connection[Any]", table: str
    ) -> None:
        card = self.one_of_everything(cast)
        column = "id" if table == "proposal" else "proposal_id"
        delete = f"DELETE FROM approvals_{table} WHERE {column} = %(p)s"
        with refused("42501"):
            run(cast, delete, p=card.id)
        with pytest.raises(psycopg.Error, match="refused"):
            owner.execute(delete, {"p": card.id})

    def test_is_never_truncated(self, owner: "psycopg.Connection[Any]", table: str) -> None:
        with pytest.raises(psycopg.Error, match="refused"):
            owner.execute(f"TRUNCATE approvals_{table} CASCADE")

    def one_of_everything(self, cast: Cast) -> ProposalCard:
        card = opened(cast)
        commands.freeze(actor=cast.omar, proposal_ids=[card.id], cause="x", since=card.opened_at)
        commands.thaw(actor=cast.omar, proposal_ids=[card.id], cause="x")
        approve(card, cast.ruth)
        claim(cast, card)
        return card


class TestInsertOnly:
    @pytest.mark.parametrize(
        ("table", "change"),
        [
            ("revision", "args = '{}'"),
            ("principal", "person_id = NULL"),
            ("requirement", "blocks = '[]'"),
            ("requirement", "people = 1"),
        ],
    )
    def test_rows_never_change(
        self, cast: Cast, owner: "psycopg.Connection[Any]", table: str, change: str
    ) -> None:
        card = opened(cast, tier=2)
        update = f"UPDATE approvals_{table} SET {change} WHERE proposal_id = %(p)s"
        with refused("42501"):
            run(cast, update, p=card.id)
        with pytest.raises(psycopg.Error, match="refused"):
            owner.execute(update, {"p": card.id})

    def test_the_before_digest_is_true(self, cast: Cast) -> None:
        card = opened(cast)
        sql = """INSERT INTO approvals_revision SELECT (jsonb_populate_record(r, jsonb_build_object(
          'id', gen_random_uuid(), 'no', 2, 'before', '\\x7b7d'))).* FROM approvals_revision r
          WHERE proposal_id = %(p)s"""
        with refused("revision_before_digest_true"):
            run(cast, sql, p=card.id)


class TestDecision:
    def test_is_in_time_and_once_and_about_the_digest(
        self, cast: Cast, owner: "psycopg.Connection[Any]"
    ) -> None:
        card = opened(cast)
        insert = """INSERT INTO approvals_decision (id, tenant_id, proposal_id, revision_id, digest,
          outcome, basis, assignment, decided_at, decide_by) SELECT gen_random_uuid(), tenant_id,
          proposal_id, id, {digest}, {outcome}, {basis}, '[]', {at}, now() FROM approvals_revision
          WHERE proposal_id = %(p)s"""
        good = {
            "digest": "digest",
            "outcome": "'approved'",
            "basis": "'people'",
            "at": "now() - interval '1 s'",
        }
        for name, change in (
            ("decision_in_time", {"at": "now()"}),
            ("decision_binds_digest", {"digest": "sha256('x')"}),
            ("decision_outcome_known", {"outcome": "'expired'"}),
            ("decision_basis_known", {"basis": "'luck'"}),
        ):
            with refused(name):
                run(cast, insert.format(**{**good, **change}), p=card.id)
        owner.execute(insert.format(**good), {"p": card.id})
        with pytest.raises(psycopg.Error, match="decision_one_active"):
            owner.execute(insert.format(**good), {"p": card.id})


class TestFreeze:
    def test_is_open_once_per_cause_and_ends_after_it_began(self, cast: Cast) -> None:
        card = opened(cast)
        insert = """INSERT INTO approvals_freeze (id, tenant_id, proposal_id, cause, since, until)
          SELECT gen_random_uuid(), tenant_id, id, 'x', now(), {until} FROM approvals_proposal
          WHERE id = %(p)s"""
        with refused("freeze_ends_after_it_began"):
            run(cast, insert.format(until="now() - interval '1 s'"), p=card.id)
        with refused("freeze_once_open"):
            run(cast, insert.format(until="NULL") + ";" + insert.format(until="NULL"), p=card.id)


class TestTables:
    def test_hide_every_row_from_another_tenant(self, cast: Cast) -> None:
        card = opened(cast)
        assert now(cast, card).card.id == card.id
        with in_tenant(cast.elsewhere.id), connection.cursor() as cursor:
            for table in ("proposal", "revision", "principal", "requirement"):
                cursor.execute(f"SELECT count(*) FROM approvals_{table}")
                assert cursor.fetchone() == (0,)

    def test_show_nothing_outside_of_a_tenant(self, cast: Cast) -> None:
        opened(cast)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM approvals_proposal")
            assert cursor.fetchone() == (0,)
