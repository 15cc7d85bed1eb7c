"""The constraints of break-glass and of reviews attacked by raw SQL, with a forged event."""

from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from approvals.cards import ProposalCard
from approvals.events.reviewing import BreakGlassGranted
from audit.commands import record
from console.kernel.transactions import in_tenant
from tests.approvals import lent
from tests.approvals.desk import approve, opened, principals, shown
from tests.approvals.glass import broken, close, lend
from tests.approvals.lent import reviewer, started
from tests.approvals.policies.rules import rule, spoken
from tests.approvals.sql import refused, run
from tests.cast import Cast

GRANT = """
INSERT INTO approvals_break_glass_grant (id, tenant_id, person_id, person_label, reason,
  granted_by_id, granted_by_label, granted_at, expires_at, revoked_at, revoked_by_label)
VALUES (gen_random_uuid(), %(t)s, %(person)s, 'x', {reason}, {by}, 'x', {at}, {until},
  {revoked}, '')
RETURNING id
"""
DECISION = """
INSERT INTO approvals_decision (id, tenant_id, proposal_id, revision_id, digest, outcome, basis,
  assignment, decided_at, decide_by)
SELECT %(d)s, r.tenant_id, r.proposal_id, r.id, r.digest, 'approved', 'break_glass', '[]', {at},
  now() + interval '1 hour'
FROM approvals_revision r WHERE r.proposal_id = %(p)s;
UPDATE approvals_proposal SET state = 'approved', execute_by = now() + interval '{minutes} minutes'
WHERE id = %(p)s;
"""
USE = """
INSERT INTO approvals_break_glass (id, tenant_id, proposal_id, revision_id, decision_id, grant_id,
  digest, person_id, person_label, reason, ticket, session, stepup_at, served_at, view_digest,
  skipped, event_uid, used_at)
SELECT gen_random_uuid(), d.tenant_id, d.proposal_id, d.revision_id, d.id, %(g)s, d.digest,
  %(person)s, 'x', 'Why.', {ticket}, repeat('a', 64), {stepup}, now(), sha256('x'), '{{}}',
  gen_random_uuid(), {used}
FROM approvals_decision d WHERE d.id = %(d)s;
"""
TASK = """
INSERT INTO approvals_review_task (id, tenant_id, kind, proposal_id, decision_id, about_person_id,
  about_label, rules, opened_at, closed_at, closed_by_id, closed_by_label, verdict, note)
SELECT gen_random_uuid(), d.tenant_id, {kind}, d.proposal_id, d.id, {about}, '', '{{}}', now(),
  null, null, '', '', ''
FROM approvals_decision d WHERE d.id = %(d)s;
"""


def grant_sql(**other: str) -> str:
    values = {
        "reason": "'Why.'",
        "by": "%(by)s",
        "at": "now()",
        "until": "now() + interval '60 minutes'",
        "revoked": "null",
    }
    return GRANT.format(**{**values, **other})


def use_sql(*, minutes: int = 15, at: str = "now()", task: bool = True, **other: str) -> str:
    values = {"ticket": "'INC-7'", "stepup": "now()", "used": at}
    tasked = TASK.format(kind="'break_glass'", about="%(person)s") if task else ""
    return DECISION.format(at=at, minutes=minutes) + USE.format(**{**values, **other}) + tasked


def forged(cast: Cast, sql: str, **values: Any) -> list[Any]:
    """Run SQL as the application, with an event in its transaction, committed."""
    with in_tenant(cast.tenant_id), connection.cursor() as cursor:
        anything = UUID(cast.ruth.id)
        record(
            BreakGlassGranted(grant_id=anything, person=anything, expires_at=""), actor=cast.noor
        )
        cursor.execute(sql, {"t": cast.tenant_id, "by": cast.noor.id, **values})
        return cursor.fetchall() if cursor.description else []


class TestGrant:
    @pytest.mark.parametrize(
        ("name", "change"),
        [
            ("break_glass_not_to_oneself", {"by": "%(person)s"}),
            ("break_glass_grant_bounded", {"until": "now() + interval '60 minutes 1 second'"}),
            ("break_glass_grant_bounded", {"until": "now()"}),
            ("break_glass_grant_has_reason", {"reason": "E' \\n'"}),
            ("break_glass_only_revoked", {"revoked": "now()"}),
        ],
    )
    def test_holds(self, cast: Cast, name: str, change: dict[str, str]) -> None:
        with refused(name):
            forged(cast, grant_sql(**change), person=cast.ruth.id)

    def test_needs_an_event(self, cast: Cast) -> None:
        with refused("SB001"):
            run(cast, grant_sql(), t=cast.tenant_id, by=cast.noor.id, person=cast.ruth.id)

    def test_is_never_lengthened_or_given_back(self, cast: Cast) -> None:
        grant = lend(cast, cast.ruth, minutes=5)
        with refused("42501"):
            forged(cast, "UPDATE approvals_break_glass_grant SET expires_at = now()")
        take = "UPDATE approvals_break_glass_grant SET revoked_at = {} WHERE id = %(g)s"
        forged(cast, take.format("now()"), g=grant.id)
        with refused("break_glass_only_revoked"):
            forged(cast, take.format("null"), g=grant.id)
        with refused("42501"):
            forged(cast, "DELETE FROM approvals_break_glass_grant")


class TestUse:
    @pytest.mark.parametrize(
        ("name", "change"),
        [
            ("break_glass_decides", {"minutes": 16}),
            ("break_glass_is_fresh", {"stepup": "now() - interval '6 minutes'"}),
            ("break_glass_has_reason_and_ticket", {"ticket": "' '"}),
            ("break_glass_was_granted", {"at": "now() - interval '1 hour'"}),
            ("break_glass_was_granted", {"at": "now() + interval '59 minutes'"}),
            ("break_glass_decides", {"used": "now() + interval '1 second'"}),
            ("decision_break_glass_has_use", {"task": False}),
        ],
    )
    def test_holds(self, cast: Cast, name: str, change: dict[str, Any]) -> None:
        grant, card = lend(cast, cast.ruth, minutes=30), opened(cast)
        with refused(name):
            self.forge(cast, card, grant.id, use_sql(**change))

    def test_would_pass_when_nothing_is_wrong(self, cast: Cast) -> None:
        grant, card = lend(cast, cast.ruth, minutes=30), opened(cast)
        self.forge(cast, card, grant.id, use_sql())

    def test_is_needed_for_a_decision_on_this_basis(self, cast: Cast) -> None:
        card = opened(cast)
        with refused("decision_break_glass_has_use"):
            self.forge(cast, card, card.id, DECISION.format(at="now()", minutes=15))

    def test_needs_the_grant_of_this_very_person(self, cast: Cast) -> None:
        grant, card = lend(cast, cast.ines), opened(cast)
        with refused("break_glass_was_granted"):
            self.forge(cast, card, grant.id, use_sql())

    def test_is_not_for_the_chain_nor_for_the_rules(self, cast: Cast) -> None:
        grant, card = lend(cast, cast.omar), opened(cast)
        with refused("vote_not_by_principal"):
            self.forge(cast, card, grant.id, use_sql(), person=cast.omar.id)

    def test_is_one_at_a_time(self, cast: Cast) -> None:
        grant = lend(cast, cast.ruth)
        broken(opened(cast), cast.ruth)
        with refused("break_glass_one_open"):
            self.forge(cast, opened(cast), grant.id, use_sql())

    def test_never_changes(self, cast: Cast) -> None:
        lend(cast, cast.ruth)
        broken(opened(cast), cast.ruth)
        for sql in (
            "UPDATE approvals_break_glass SET ticket = 'x'",
            "DELETE FROM approvals_break_glass",
        ):
            with refused("42501"):
                forged(cast, sql)

    def test_is_asked_for_again_at_the_dispatch(self, cast: Cast) -> None:
        grant, card = lend(cast, cast.ruth), opened(cast)
        broken(card, cast.ruth)
        forged(
            cast,
            "UPDATE approvals_break_glass_grant SET revoked_at = now() WHERE id = %(g)s",
            g=grant.id,
        )
        dispatch = """
            INSERT INTO approvals_dispatch (id, tenant_id, proposal_id, revision_id, decision_id,
              digest, observed_digest, call_key, claimed_at, execute_by, state, policy_versions)
            SELECT gen_random_uuid(), d.tenant_id, d.proposal_id, d.revision_id, d.id, d.digest,
              d.digest, gen_random_uuid(), now(), p.execute_by, 'claimed', '{}'
            FROM approvals_decision d JOIN approvals_proposal p ON p.id = d.proposal_id
            WHERE p.id = %(p)s
        """
        with refused("dispatch_of_break_glass"):
            forged(cast, dispatch, p=card.id)

    def test_is_not_beside_a_principal(self, cast: Cast) -> None:
        """Who counts as one with whoever started it is barred like them."""
        starter = reviewer(cast, "starter", "finance")
        card = opened(cast, tier=2, chain=(*principals(cast)[:2], started(starter)))
        grant = lend(cast, cast.ruth)
        lent.lend(starter, cast.ruth)
        with refused("break_glass_not_beside_principal"):
            self.forge(cast, card, grant.id, use_sql())

    def forge(
        self, cast: Cast, card: ProposalCard, grant: UUID, sql: str, *, person: str = ""
    ) -> None:
        """Give each use a decision of its own id."""
        forged(cast, sql, p=card.id, g=grant, d=card.id, person=person or cast.ruth.id)


class TestReviewTask:
    def test_is_about_a_decision_of_its_kind(self, cast: Cast) -> None:
        card = opened(cast)
        approve(card, cast.ruth)
        (decision,) = run(
            cast, "SELECT id FROM approvals_decision WHERE proposal_id = %(p)s", p=card.id
        )
        for kind, about in (("'sample'", "null"), ("'break_glass'", "%(person)s")):
            with refused("review_task_of_its_kind"):
                forged(
                    cast, TASK.format(kind=kind, about=about), d=decision[0], person=cast.ruth.id
                )

    def test_is_opened_once_for_a_decision(self, cast: Cast) -> None:
        spoken(cast, rule("fine", "allow", sample="0", match={"tool": "cancel_*"}))
        card = opened(cast)
        (decision,) = run(
            cast, "SELECT id FROM approvals_decision WHERE proposal_id = %(p)s", p=card.id
        )
        sql = TASK.format(kind="'sample'", about="null")
        forged(cast, sql, d=decision[0])
        with refused("review_task_once"):
            forged(cast, sql, d=decision[0])

    @pytest.mark.parametrize(
        ("name", "who", "change"),
        [
            ("review_task_closed_by_another", "ruth", ""),
            ("review_task_not_by_principal", "omar", ""),
            ("review_task_has_note", "ines", ", note = ' '"),
            ("review_task_closed_whole", "ines", ", verdict = ''"),
            ("review_task_closed_once", "ines", ", closed_at = null"),
        ],
    )
    def test_is_closed_by_somebody_else_and_whole(
        self, cast: Cast, name: str, who: str, change: str
    ) -> None:
        lend(cast, cast.ruth)
        task = broken(opened(cast), cast.ruth).task_id
        values = {"closed_at": "now()", "verdict": "'agree'", "note": "'Fine.'"}
        for part in filter(None, change.split(", ")):
            key, _, value = part.partition(" = ")
            values[key] = value
        put = ", ".join(f"{key} = {value}" for key, value in values.items())
        sql = f"UPDATE approvals_review_task SET closed_by_id = %(who)s, {put} WHERE id = %(x)s"
        with refused(name):
            forged(cast, sql, who=cast.members[who].id, x=task)

    def test_never_opens_again(self, cast: Cast) -> None:
        lend(cast, cast.ruth)
        task = broken(shown(opened(cast), cast.ruth), cast.ruth).task_id
        close(task, cast.ines)
        again = "UPDATE approvals_review_task SET closed_at = now(), verdict = 'disagree'"
        with refused("review_task_closed_once"):
            forged(cast, again)
        with refused("42501"):
            forged(cast, "DELETE FROM approvals_review_task")
