"""Planted checks: that nobody and nothing else meets one, and what the database refuses of any."""

from typing import Any
from uuid import UUID

import psycopg
import pytest

from approvals import commands, queries
from approvals.models import Check, Proposal
from approvals.queries import By, View
from approvals.states import Choice, ProposalState
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from console.kernel.ids import uuid7
from console.kernel.ranges import span_of
from console.kernel.transactions import in_tenant
from tests.approvals.checks import agreed, asked, card_of, check_of, planted, planter, row_of
from tests.approvals.desk import agent, opened, reject
from tests.approvals.sql import as_owner, refused, run
from tests.cast import Cast


def listed(cast: Cast, actor: Actor, view: View = View.TEAM) -> set[UUID]:
    rows = queries.awaiting_review(actor=actor, view=view).rows
    return {row.card.id for row in rows}


def run_of(cast: Cast, proposal_id: UUID) -> UUID:
    found = row_of(cast, proposal_id).run_id
    assert found is not None
    return found


def _gone(act: Any) -> bool:
    try:
        act()
    except NotFound:
        return True
    return False


def _in_totals(cast: Cast, proposal: UUID) -> bool:
    rows = run(
        cast,
        "SELECT count(*) FROM approvals_evaluation WHERE proposal_id = %(id)s",
        id=proposal,
    )
    return bool(rows[0][0])


def _for_ines(cast: Cast, proposal: UUID, path: str) -> bool:
    return cast.client("ines").get(f"/reviews/{proposal}/{path}").status_code == 200


def _held(cast: Cast, actor: Actor) -> int:
    span = span_of({"days": 7}, today=clock.now().date())
    return queries.metrics(actor=actor, span=span, by=By.TOOL).total.held


# What must not know a check, by name: (cast, its proposal) -> whether it does.
LEAKS: dict[str, Any] = {
    "another's page": lambda cast, id_: _for_ines(cast, id_, ""),
    "another's thread": lambda cast, id_: _for_ines(cast, id_, "thread/"),
    "another's explanation": lambda cast, id_: _for_ines(cast, id_, "explain/"),
    "another's edit": lambda cast, id_: _for_ines(cast, id_, "edit/"),
    "another's list": lambda cast, id_: id_ in listed(cast, cast.ines),
    "a lead's list": lambda cast, id_: id_ in listed(cast, cast.noor),
    "another's neighbours": lambda cast, id_: id_ in {
        queries.neighbour(actor=cast.ines, view=View.TEAM, than=None, back=back)
        for back in (False, True)
    },
    "another's claim": lambda cast, id_: not _gone(
        lambda: commands.claim(actor=cast.ines, proposal_id=id_)
    ),
    "a lead's take-over": lambda cast, id_: not _gone(
        lambda: commands.take_over(actor=cast.noor, proposal_id=id_)
    ),
    "another's vote": lambda cast, id_: not _gone(
        lambda: commands.cast_vote(
            actor=cast.ines, proposal_id=id_, revision_no=1, seen_digest="0" * 64,
            choice=Choice.REJECT, reason_code="other", note="no",
        )
    ),
    "another's batch": lambda cast, id_: not _gone(
        lambda: queries.batch(actor=cast.ines, proposal_ids=[id_])
    ),
    "another's clock": lambda cast, id_: not _gone(
        lambda: queries.clock_of(actor=cast.ines, proposal_id=id_)
    ),
    "a key's read": lambda cast, id_: cast.key_client("approvals.view")
    .get(f"/api/v1/approvals/proposals/{id_}")
    .status_code == 200,
    "a key's wait": lambda cast, id_: cast.key_client("approvals.propose")
    .get(f"/api/v1/approvals/proposals/{id_}/wait")
    .status_code == 200,
    "a run's proposals": lambda cast, id_: id_ in {
        one.id for one in queries.live_of_runs(
            actor=cast.system, run_ids=[run_of(cast, id_)]
        )
    },
    "a notice": lambda cast, id_: bool(
        run(cast, "SELECT 1 FROM approvals_notice WHERE proposal_id = %(id)s", id=id_)
    ),
    "the rules": _in_totals,
    "a dispatch": lambda cast, id_: not _gone(
        lambda: commands.claim_dispatch(
            actor=agent(cast), proposal_id=id_, call_key=uuid7(),
            content=queries.proposal(actor=cast.ruth, proposal_id=id_).content,
        )
    ),
    "a withdrawal by its agent": lambda cast, id_: not _gone(
        lambda: commands.withdraw(actor=agent(cast), proposal_id=id_, cause="run ended")
    ),
}  # fmt: skip


class TestLeaks:
    @pytest.mark.parametrize("name", LEAKS)
    def test_are_none(self, cast: Cast, name: str) -> None:
        assert not LEAKS[name](cast, planted(cast))

    def test_are_none_in_counts(self, cast: Cast) -> None:
        agreed(cast, 1)
        agreed(cast, 2)
        because = asked(cast, 3)
        before = queries.awaiting_review(actor=cast.ines, view=View.TEAM)
        numbers = [_held(cast, one) for one in (cast.ines, cast.noor, cast.ruth)]
        commands.plant(actor=planter(cast), person_id=UUID(cast.ruth.id), because_id=because.id)
        after = queries.awaiting_review(actor=cast.ines, view=View.TEAM)
        assert (after.mine, after.team, after.waiting) == (
            before.mine, before.team, before.waiting,
        )  # fmt: skip
        assert [_held(cast, one) for one in (cast.ines, cast.noor, cast.ruth)] == numbers
        assert after.fresh == 0

    def test_are_none_in_the_room_that_is_left(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        planted(cast)  # one real proposal waits beside it
        monkeypatch.setattr("approvals.commands.pressure.MOST_OF_TENANT", 2)
        opened(cast)

    def test_are_none_in_what_was_asked_before(self, cast: Cast) -> None:
        proposal = planted(cast)
        content = queries.proposal(actor=cast.ruth, proposal_id=proposal).content
        reject(card_of(cast, proposal), cast.ruth)
        again = opened(cast, args=content.args, before=content.before, after=content.after)
        assert again.state is ProposalState.OPEN

    def test_are_none_in_an_agent_s_record(self, cast: Cast) -> None:
        proposal = planted(cast)
        found = queries.proposal(actor=cast.ruth, proposal_id=proposal)
        record = queries.evidence(actor=cast.ruth, proposal_id=proposal, diff=found.diff).agent
        assert record.counted == 3

    def test_are_none_in_the_figures_of_votes(self, cast: Cast) -> None:
        reject(card_of(cast, planted(cast)), cast.ruth)
        span = span_of({"days": 7}, today=clock.now().date())
        (row,) = queries.attention(actor=cast.ruth, span=span).people
        assert (row.decisions, row.checks_caught, row.checks) == (0, 1, 1)

    def test_are_none_in_totals_of_rules(self, cast: Cast) -> None:
        from approvals.queries import totals  # noqa: PLC0415

        assert "NOT p.is_check" in totals._SUM

    def test_are_none_in_hints_to_others(self, cast: Cast) -> None:
        proposal = planted(cast)
        card = card_of(cast, proposal)
        commands.claim(actor=cast.ruth, proposal_id=proposal)
        reject(card, cast.ruth)
        hints = run(
            cast,
            "SELECT DISTINCT target FROM kernel_outbox WHERE kind = 'hint'"
            " AND payload::text LIKE %(id)s",
            id=f"%{proposal}%",
        )
        assert {row[0] for row in hints} <= {f"proposal:{proposal}", f"proposal.claims:{proposal}"}

    def test_are_none_on_the_page_before_the_answer(self, cast: Cast) -> None:
        proposal = planted(cast)
        client = cast.client("ruth")
        page = client.get(f"/reviews/{proposal}/").content.decode().lower()
        api = cast.api("ruth").get(f"/api/v1/approvals/proposals/{proposal}").content.decode()
        for text in (page, api.lower()):
            for word in ("planted", "is_check", "check_for", str(check_of(cast, proposal).id)):
                assert word not in text
        assert "proposal.opened" in page, "its history begins like any other"

    def test_are_none_in_the_shape_of_the_answer(self, cast: Cast) -> None:
        real, check = asked(cast, 7), planted(cast)
        api = cast.api("ruth")
        found = [api.get(f"/api/v1/approvals/proposals/{id_}").json() for id_ in (real.id, check)]
        assert sorted(found[0]) == sorted(found[1])
        kinds = [{name: type(value).__name__ for name, value in one.items()} for one in found]
        assert kinds[0] == kinds[1]


class TestRawSql:
    def test_takes_no_state_in_which_anything_runs(self, cast: Cast) -> None:
        proposal = planted(cast)
        for state in ("approved", "dispatched", "rejected", "stale", "blocked", "superseded"):
            with as_owner() as owner:
                owner.execute(f"SET LOCAL signalbox.tenant_id = '{cast.tenant_id}'")
                with pytest.raises(psycopg.Error):
                    owner.execute(
                        "UPDATE approvals_proposal SET state = %s, execute_by = now()"
                        " WHERE id = %s",
                        [state, proposal],
                    )

    def test_never_stops_being_a_check(self, cast: Cast) -> None:
        proposal = planted(cast)
        sql = "UPDATE approvals_proposal SET is_check = false, check_for = NULL"
        with refused("42501"):
            run(cast, sql)
        with as_owner() as owner:
            owner.execute(f"SET LOCAL signalbox.tenant_id = '{cast.tenant_id}'")
            with pytest.raises(psycopg.Error, match="proposal_check_stays"):
                owner.execute(f"{sql} WHERE id = '{proposal}'")

    @pytest.mark.parametrize("table", ["vote", "decision", "dispatch", "evaluation", "notice"])
    @pytest.mark.parametrize("who", ["application", "owner"])
    def test_takes_no_row_that_would_decide_run_or_tell(
        self, cast: Cast, table: str, who: str
    ) -> None:
        proposal = planted(cast)
        sql = (
            f"INSERT INTO approvals_{table} SELECT (jsonb_populate_record(NULL::approvals_{table},"
            f" jsonb_build_object('id', gen_random_uuid(), 'tenant_id', '{cast.tenant_id}',"
            f" 'proposal_id', '{proposal}'))).*"
        )
        if who == "application":
            with refused("never_of_a_check"):
                run(cast, sql)
            return
        with as_owner() as connection:
            connection.execute(f"SET LOCAL signalbox.tenant_id = '{cast.tenant_id}'")
            with pytest.raises(psycopg.Error, match="never_of_a_check"):
                connection.execute(sql)

    def test_ends_a_check_once(self, cast: Cast) -> None:
        proposal = planted(cast)
        reject(card_of(cast, proposal), cast.ruth)
        with refused("check_ends_once"):
            run(cast, "UPDATE approvals_check SET outcome = 'missed', answer = 'approve'")
        with refused("42501"):
            run(cast, "DELETE FROM approvals_check")

    def test_plants_for_nobody_but_the_person_of_the_proposal(self, cast: Cast) -> None:
        check = check_of(cast, planted(cast))
        with refused("check_is_of_its_person"):
            run(
                cast,
                "INSERT INTO approvals_check SELECT (jsonb_populate_record(c, jsonb_build_object("
                "'id', gen_random_uuid(), 'person_id', %(ines)s::text))).* FROM approvals_check c",
                ines=cast.ines.id,
            )
        assert check.outcome == "waiting"

    def test_takes_no_change_without_an_event(self, cast: Cast) -> None:
        planted(cast)
        with refused("SB001"):
            run(cast, "UPDATE approvals_check SET outcome = 'lapsed', ended_at = now()")

    def test_shows_nothing_to_another_tenant(self, cast: Cast) -> None:
        planted(cast)
        with in_tenant(cast.elsewhere.id, read_only=True):
            assert not Check.objects.exists()
            assert not Proposal.with_checks.filter(is_check=True).exists()
