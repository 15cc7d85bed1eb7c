"""The attention meter: what is kept with a vote, what is said of it, and who sees which figures."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from approvals import commands, queries
from approvals.cards import AttentionCard, AttentionRow, Listed, ProposalCard
from approvals.models import Vote
from approvals.states import Choice, NoticeReason, ProposalState
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import NotAllowed
from console.kernel.spans import Span
from console.kernel.transactions import in_tenant
from tests.accounts.trail import events
from tests.approvals.desk import opened, shown, vote
from tests.approvals.sql import as_owner, refused, run
from tests.cast import Cast

DAY = datetime(2026, 11, 20, 9, tzinfo=UTC)
SPAN = Span(first=DAY.date(), last=DAY.date())
PAGE = "/reviews/attention/"
READ_S = 4  # one field and few characters: 3 s + 1 s


def after(seconds: float) -> datetime:
    return DAY + timedelta(seconds=seconds)


def voted(cast: Cast, actor: Actor, choice: Choice, *, taken: float, at: float = 0) -> Any:
    """Have somebody vote on a new proposal so many seconds after it was shown to them."""
    with clock.frozen(after(at)):
        card = shown(opened(cast, args={"order_id": f"#W{at}"}), actor)
    with clock.frozen(after(at + taken)):
        return vote(card, actor, choice)


def kept(cast: Cast) -> Vote:
    with in_tenant(cast.tenant_id, read_only=True):
        return Vote.objects.filter(tenant_id=cast.tenant_id).latest("cast_at")


def figures(actor: Actor) -> AttentionCard:
    return queries.attention(actor=actor, span=SPAN)


def row_of(card: AttentionCard, actor: Actor) -> AttentionRow:
    (row,) = [one for one in card.people if str(one.person_id) == actor.id]
    return row


def many(cast: Cast, actor: Actor, count: int, *, fast: int = 0, rejected: int = 0) -> None:
    """Cast votes a minute apart: the first ones reject, the next ones approve too fast."""
    for n in range(count):
        choice = Choice.REJECT if n < rejected else Choice.APPROVE
        taken = 1 if n < rejected + fast else 10 + n
        voted(cast, actor, choice, taken=taken, at=60 * n)


class TestCastVote:
    def test_keeps_how_long_it_took_and_how_long_reading_takes(self, cast: Cast) -> None:
        voted(cast, cast.ruth, Choice.APPROVE, taken=2.4)
        row = kept(cast)
        assert (row.expected_s, row.taken_ms) == (READ_S, 2400)
        told = [one for one in events(cast) if one["action"] == "vote.cast"][-1]["bind"]
        assert (told["expected_s"], told["taken_ms"]) == (READ_S, 2400)

    def test_says_that_it_was_fast_and_counts_it_all_the_same(self, cast: Cast) -> None:
        receipt = voted(cast, cast.ruth, Choice.APPROVE, taken=2)
        assert receipt.remark == "You approved in 2 s what usually takes 4 s to read."
        assert receipt.state == "approved"

    def test_says_nothing_of_an_approval_that_took_its_time(self, cast: Cast) -> None:
        assert voted(cast, cast.ruth, Choice.APPROVE, taken=READ_S).remark == ""

    def test_never_remarks_a_rejection(self, cast: Cast) -> None:
        receipt = voted(cast, cast.ruth, Choice.REJECT, taken=0)
        assert (receipt.remark, receipt.state) == ("", "rejected")

    def test_counts_from_when_all_of_it_was_shown(self, cast: Cast) -> None:
        with clock.frozen(DAY):
            card = opened(cast)
            commands.serve_parts(actor=cast.ruth, proposal_id=card.id, revision_no=1, parts=())
        with clock.frozen(after(60)):
            shown(card, cast.ruth)
        with clock.frozen(after(61)):
            vote(card, cast.ruth, Choice.APPROVE)
        assert kept(cast).taken_ms == 1000

    def test_knows_no_time_of_a_rejection_of_what_was_never_shown(self, cast: Cast) -> None:
        vote(opened(cast), cast.ruth, Choice.REJECT)
        assert kept(cast).taken_ms is None

    def test_divides_the_time_among_votes_that_are_cast_together(self, cast: Cast) -> None:
        with clock.frozen(DAY):
            cards = [shown(opened(cast, args={"order_id": f"#W{n}"}), cast.ruth) for n in range(5)]
        items = [Listed(proposal_id=card.id, revision_no=1, digest=card.digest) for card in cards]
        with clock.frozen(after(10)):
            results = commands.cast_batch(actor=cast.ruth, items=items, choice=Choice.APPROVE)
        assert [one.receipt.remark for one in results if one.receipt] == [
            "You approved in 2 s what usually takes 4 s to read."
        ] * 5
        assert kept(cast).taken_ms == 2000

    def test_shows_the_sentence_to_who_voted_and_to_nobody_else(self, cast: Cast) -> None:
        card = opened(cast)
        ruth = cast.client("ruth")
        ruth.get(f"/reviews/{card.id}/")
        ruth.post(
            f"/reviews/{card.id}/vote/",
            {"choice": "approve", "revision_no": 1, "seen_digest": card.digest, "record": "1"},
        )
        assert "what usually takes 4 s to read" in ruth.get(f"/reviews/{card.id}/").content.decode()
        for other in ("ines", "noor"):
            said = cast.client(other).get(f"/reviews/{card.id}/").content.decode()
            assert "what usually takes" not in said

    def test_answers_the_sentence_in_the_api(self, cast: Cast) -> None:
        card = opened(cast)
        api = cast.api("ruth")
        api.get(f"/api/v1/approvals/proposals/{card.id}")
        answer = api.post(
            f"/api/v1/approvals/proposals/{card.id}/votes",
            {"revision": 1, "digest": card.digest, "choice": "approve"},
            format="json",
        )
        assert answer.json()["remark"] == "You approved in 0 s what usually takes 4 s to read."


class TestTheDatabase:
    def test_takes_no_approval_without_its_time(self, cast: Cast) -> None:
        voted(cast, cast.ruth, Choice.APPROVE, taken=2)
        for column, value in (("taken_ms", "NULL"), ("expected_s", "NULL"), ("taken_ms", "-1")):
            with refused("23514"):
                run(cast, _copied(column, value), person=cast.ines.id)

    def test_never_changes_what_was_kept(self, cast: Cast) -> None:
        voted(cast, cast.ruth, Choice.APPROVE, taken=2)
        with refused("42501"):
            run(cast, "UPDATE approvals_vote SET taken_ms = 99000")
        with as_owner() as owner:
            owner.execute(f"SET LOCAL signalbox.tenant_id = '{cast.tenant_id}'")
            with pytest.raises(psycopg.Error, match="only_voided"):
                owner.execute("UPDATE approvals_vote SET expected_s = 3, voided_at = now()")


def _copied(column: str, value: str) -> str:
    """Return an INSERT of the newest vote as somebody else's, with one column different."""
    names = [str(field.column) for field in Vote._meta.concrete_fields]
    own = {
        "id": "gen_random_uuid()",
        "person_id": "%(person)s",
        "session": "repeat('ab', 32)",
        column: value,
    }
    picked = ", ".join(own.get(name, name) for name in names)
    return (
        f"INSERT INTO approvals_vote ({', '.join(names)}) SELECT {picked} FROM approvals_vote"
        " ORDER BY cast_at DESC LIMIT 1"
    )


class TestAttention:
    def test_tells_shares_median_and_load(self, cast: Cast) -> None:
        many(cast, cast.ruth, 20, fast=5, rejected=4)
        row = row_of(figures(cast.ruth), cast.ruth)
        assert (row.decisions, row.approvals, row.rejections) == (20, 16, 4)
        assert (row.timed, row.too_fast) == (16, 5)
        assert (row.too_fast_share, row.reject_share) == (0.3125, 0.2)
        assert row.approval_share == 0.8
        assert row.median_s == 19.5  # nine of 1 s, then 19, 20, ... 29 s
        assert (row.per_hour, row.busiest) == (20.0, 20)

    def test_is_unknown_and_not_zero_below_ten(self, cast: Cast) -> None:
        many(cast, cast.ruth, 9)
        row = row_of(figures(cast.ruth), cast.ruth)
        assert row.decisions == 9
        unknown = (row.median_s, row.too_fast_share, row.reject_share, row.per_hour)
        assert unknown == (None, None, None, None)

    def test_shows_a_person_their_own_alone(self, cast: Cast) -> None:
        voted(cast, cast.ines, Choice.REJECT, taken=1)
        card = figures(cast.ruth)
        assert card.only_mine
        assert [(one.name, one.decisions) for one in card.people] == [(cast.ruth.label, 0)]
        assert sum(day.rejected for day in card.days) == 0

    def test_shows_everybody_by_name_to_who_leads(self, cast: Cast) -> None:
        many(cast, cast.ruth, 3)
        card = figures(cast.noor)
        assert not card.only_mine
        names = [one.name for one in card.people]
        assert names == sorted(names, key=str.casefold)
        assert row_of(card, cast.ines).decisions == 0
        assert row_of(card, cast.ruth).decisions == 3
        assert [(one.in_time, one.too_fast) for one in card.days] == [(3, 0)]

    def test_gives_programs_none(self, cast: Cast) -> None:
        with pytest.raises(NotAllowed):
            figures(cast.system)
        assert (
            cast.key_client("approvals.view").get("/api/v1/approvals/attention").status_code == 403
        )

    def test_sees_nothing_of_another_tenant(self, cast: Cast) -> None:
        voted(cast, cast.ruth, Choice.REJECT, taken=1)
        card = figures(cast.mallory)
        assert str(cast.ruth.id) not in {str(one.person_id) for one in card.people}
        assert sum(day.rejected for day in card.days) == 0


class TestThePace:
    def test_tells_others_first(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("approvals.policies.DECISIONS_AN_HOUR", 1)
        _two_now(cast, cast.ruth)
        assert _asked(cast, opened(cast)) == {cast.ines.id}

    def test_tells_them_where_nobody_else_can_decide(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("approvals.policies.DECISIONS_AN_HOUR", 1)
        _two_now(cast, cast.ruth)
        assert _asked(cast, opened(cast, tier=2)) == {cast.ruth.id, cast.ines.id}

    def test_reminds_them_all_the_same(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("approvals.policies.DECISIONS_AN_HOUR", 1)
        _two_now(cast, cast.ruth)
        assert _asked(cast, opened(cast), NoticeReason.REMINDED) == {cast.ruth.id, cast.ines.id}

    def test_never_slows_a_rejection(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        """Past so many decisions within an hour a rejection is taken as before, unread."""
        monkeypatch.setattr("approvals.policies.DECISIONS_AN_HOUR", 1)
        _two_now(cast, cast.ruth)
        assert _asked(cast, opened(cast)) == {cast.ines.id}  # others come first by now
        for n in range(2):
            card = opened(cast, args={"order_id": f"#R{n}"})
            receipt = vote(card, cast.ruth, Choice.REJECT)
            assert (receipt.state, receipt.remark) == (ProposalState.REJECTED, "")


def _two_now(cast: Cast, actor: Actor) -> None:
    for _ in range(2):
        vote(shown(opened(cast), actor), actor, Choice.APPROVE)


def _asked(cast: Cast, card: ProposalCard, reason: NoticeReason = NoticeReason.OPENED) -> set[str]:
    commands.ask_deciders(actor=cast.system, proposal_id=card.id, reason=reason)
    rows = run(
        cast,
        "SELECT person_id::text FROM approvals_notice"
        " WHERE proposal_id = %(id)s AND reason = %(why)s",
        id=card.id,
        why=reason.value,
    )
    return {row[0] for row in rows}


class TestThePage:
    def test_says_what_is_unknown(self, cast: Cast) -> None:
        vote(shown(opened(cast), cast.ruth), cast.ruth, Choice.APPROVE)
        text = cast.client("ruth").get(PAGE).content.decode()
        assert "A figure needs at least 10 of what it counts" in text
        assert "unknown" in text
        assert cast.ines.label not in text

    def test_lists_each_person_for_who_leads(self, cast: Cast) -> None:
        vote(shown(opened(cast), cast.ruth), cast.ruth, Choice.APPROVE)
        text = cast.client("noor").get(f"{PAGE}?days=30").content.decode()
        assert "This is no ranking" in text
        assert text.index(f">{cast.ines.label}<") < text.index(f">{cast.ruth.label}<")
        assert 'data-src="/reviews/attention/figure.json?days=30"' in text

    def test_says_so_when_there_is_nothing(self, cast: Cast) -> None:
        assert "No votes in these days" in cast.client("ruth").get(PAGE).content.decode()

    def test_draws_votes_per_day(self, cast: Cast) -> None:
        vote(shown(opened(cast), cast.ruth), cast.ruth, Choice.APPROVE)
        answer = cast.client("ruth").get(f"{PAGE}figure.json?days=7").json()
        sums = {one["name"]: sum(one["y"]) for one in answer["data"]}
        assert sums == {"Approved": 0, "Approved too fast": 1, "Rejected": 0}

    def test_is_linked_from_the_list(self, cast: Cast) -> None:
        assert f'href="{PAGE}"' in cast.client("ruth").get("/reviews/").content.decode()

    @pytest.mark.parametrize("asked", ["days=0", "days=x", "x=1"])
    def test_refuses_what_it_cannot_read(self, cast: Cast, asked: str) -> None:
        assert cast.client("ruth").get(f"{PAGE}?{asked}").status_code == 400

    def test_answers_the_same_in_the_api(self, cast: Cast) -> None:
        vote(shown(opened(cast), cast.ruth), cast.ruth, Choice.APPROVE)
        answer = cast.api("ruth").get("/api/v1/approvals/attention?days=7").json()
        assert answer["only_mine"]
        (row,) = answer["people"]
        assert (row["name"], row["too_fast"], row["too_fast_share"]) == (cast.ruth.label, 1, None)
