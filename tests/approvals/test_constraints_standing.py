"""What PostgreSQL itself refuses about approvals given in advance, whoever asks."""

from typing import Any

import psycopg
import pytest

from approvals import commands
from tests.approvals.advance import like, made
from tests.approvals.desk import approved, claim, opened
from tests.approvals.policies.rules import rule, spoken
from tests.approvals.sql import as_owner, refused, run
from tests.cast import Cast

COPY = """
    INSERT INTO approvals_standing SELECT made.* FROM approvals_standing one,
      LATERAL jsonb_populate_record(one, jsonb_build_object('id', gen_random_uuid(), {0})) made
     WHERE one.id = %(one)s
"""
REVOKE = """
    UPDATE approvals_standing SET revoked_at = now(), revoked_by = 'x', revoke_reason = 'x'
     WHERE id = %(one)s
"""
USE = """
    INSERT INTO approvals_standing_use (id, tenant_id, standing_id, proposal_id, used_at)
    SELECT gen_random_uuid(), tenant_id, id, %(proposal)s, now() FROM approvals_standing
     WHERE id = %(one)s
"""
DECIDE = """
    INSERT INTO approvals_decision (id, tenant_id, proposal_id, revision_id, digest, outcome,
      basis, assignment, decided_at, decide_by)
    SELECT gen_random_uuid(), r.tenant_id, r.proposal_id, r.id, r.digest, 'approved', 'standing',
           '[]', now(), now() + interval '1 hour'
      FROM approvals_revision r WHERE r.proposal_id = %(proposal)s
"""
DISPATCH = """
    INSERT INTO approvals_dispatch (id, tenant_id, proposal_id, revision_id, decision_id, digest,
      observed_digest, call_key, claimed_at, execute_by, state)
    SELECT gen_random_uuid(), d.tenant_id, d.proposal_id, d.revision_id, d.id, d.digest, d.digest,
           gen_random_uuid(), now(), p.execute_by, 'claimed'
      FROM approvals_decision d JOIN approvals_proposal p ON p.id = d.proposal_id
     WHERE p.id = %(proposal)s
"""
NOW = "SET CONSTRAINTS standing_uses_counted IMMEDIATE;"
SPEND = "UPDATE approvals_standing SET uses_left = uses_left - 1 WHERE id = %(one)s"


class TestStandingRow:
    @pytest.mark.parametrize(
        ("name", "changed"),
        [
            ("standing_was_given", "'tier', 2"),
            ("standing_bounded", "'uses', 51, 'uses_left', 51"),
            ("standing_bounded", "'ends_at', now() + interval '31 days'"),
            ("standing_has_reason", "'reason', ' '"),
            ("standing_says_something", "'conditions', '[]'::jsonb"),
            ("standing_one_per_vote", "'reason', 'again'"),
            ("standing_was_given", "'uses_left', 1"),
            ("standing_was_given", "'tool', 'another'"),
            ("standing_was_given", "'agent_id', 'another'"),
            ("standing_was_given", "'contract_hash', repeat('a', 64)"),
            ("standing_was_given", "'stepup_s', 300"),
            ("standing_was_given", "'vote_id', gen_random_uuid()"),
        ],
    )
    def test_is_what_a_person_gave(self, cast: Cast, name: str, changed: str) -> None:
        with refused(name):
            run(cast, COPY.format(changed), one=made(cast).id)

    def test_is_never_of_the_highest_tier(self, cast: Cast) -> None:
        one = made(cast)
        high = approved(cast, tier=2)
        ours = f"(SELECT id FROM approvals_vote WHERE proposal_id = '{high.id}' LIMIT 1)"
        moved = f"'proposal_id', '{high.id}', 'vote_id', {ours}"
        with refused("standing_was_given"):
            run(cast, COPY.format(moved), one=one.id)

    @pytest.mark.parametrize("column", ["uses", "ends_at", "maker_id", "conditions", "tool"])
    def test_is_never_rewritten(self, cast: Cast, column: str) -> None:
        made(cast)
        with refused("42501"):
            run(cast, f"UPDATE approvals_standing SET {column} = {column}")

    @pytest.mark.parametrize(
        "change", ["uses_left = uses_left - 2", "uses = 4", "uses_left = 0", "reason = 'other'"]
    )
    def test_only_moves_forward_for_its_owner_too(self, cast: Cast, change: str) -> None:
        one = made(cast)
        with as_owner() as owner, pytest.raises(psycopg.Error, match="standing_only_spent"):
            owner.execute(f"UPDATE approvals_standing SET {change} WHERE id = %s", [one.id])

    def test_stays_revoked_and_is_never_deleted(self, cast: Cast) -> None:
        one = made(cast)
        commands.revoke_standing(actor=cast.ruth, standing_id=one.id, reason="Over.")
        with refused("standing_only_spent"):
            run(cast, REVOKE, one=one.id)
        with refused("42501"):
            run(cast, "DELETE FROM approvals_standing WHERE id = %(one)s", one=one.id)

    def test_changes_with_an_event_only(self, cast: Cast) -> None:
        one = made(cast)
        with refused("SB001"):
            run(cast, REVOKE, one=one.id)


class TestUse:
    def test_is_counted_at_commit(self, cast: Cast) -> None:
        one, waiting = made(cast), opened(cast, **like("#W2", reason="other"))
        values: dict[str, Any] = {"one": one.id, "proposal": waiting.id}
        for sql in (SPEND, USE):
            with refused("standing_uses_counted"):
                run(cast, NOW + sql, **values)

    def test_is_of_a_call_that_it_can_speak_for(self, cast: Cast) -> None:
        one = made(cast)
        high = opened(cast, tier=2)
        other = opened(cast, tool="another")
        spoken(cast, rule("two", "hold", require={"all": [{"spread": 2}]}))
        both = opened(cast, **like("#W3"))
        for proposal in (high, other, both):
            with refused("standing_use_fits"):
                run(cast, SPEND + ";" + USE, one=one.id, proposal=proposal.id)

    def test_is_there_once_for_each_proposal(self, cast: Cast) -> None:
        one, card = made(cast), opened(cast, **like("#W2"))
        with refused("standing_use_once"):
            run(cast, SPEND + ";" + USE, one=one.id, proposal=card.id)


class TestDecision:
    def test_on_a_standing_approval_has_its_use(self, cast: Cast) -> None:
        made(cast)
        waiting = opened(cast, **like("#W2", reason="other"))
        with refused("decision_has_standing"):
            run(cast, DECIDE, proposal=waiting.id)

    def test_needs_one_that_still_speaks(self, cast: Cast) -> None:
        one, card = made(cast), opened(cast, **like("#W2"))
        commands.revoke_standing(actor=cast.ruth, standing_id=one.id, reason="Over.")
        claim(cast, card, **like("#W2"))
        with refused("decision_has_standing"):
            run(cast, DECIDE, proposal=card.id)


class TestDispatch:
    def test_by_raw_sql_needs_one_that_still_speaks(self, cast: Cast) -> None:
        one, card = made(cast), opened(cast, **like("#W2"))
        commands.revoke_standing(actor=cast.ruth, standing_id=one.id, reason="Over.")
        with refused("dispatch_has_standing"):
            run(
                cast,
                DISPATCH,
                proposal=card.id,
            )
