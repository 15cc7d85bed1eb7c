"""Decision metrics against proposals whose ends and times are known."""

from datetime import UTC, datetime, timedelta

import pytest

from approvals import commands, queries
from approvals.cards import MetricsCard, Tally
from approvals.queries import By
from approvals.states import Choice
from approvals.views.metrics import duration
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.spans import Span
from tests.approvals import letters
from tests.approvals.desk import (
    approve,
    approved,
    claim,
    facts,
    now,
    opened,
    pulse,
    reject,
    shown,
    vote,
)
from tests.approvals.policies.rules import rule, spoken, when
from tests.cast import Cast

DAY = datetime(2026, 11, 20, 9, tzinfo=UTC)
SPAN = Span(first=DAY.date(), last=DAY.date())
PAGE = "/reviews/metrics/"


def figures(cast: Cast, by: By = By.TOOL, actor: Actor | None = None) -> MetricsCard:
    return queries.metrics(actor=actor or cast.noor, span=SPAN, by=by)


def later(minutes: float) -> datetime:
    return DAY + timedelta(minutes=minutes)


class TestMetrics:
    def test_are_empty_before_anything_is_proposed(self, cast: Cast) -> None:
        card = figures(cast)
        assert card.rows == ()
        assert card.reviewers == ()
        assert card.total.held == 0
        assert card.total.median_s is None
        assert [day.day for day in card.days] == [SPAN.first]

    def test_count_each_proposal_as_it_ended(self, cast: Cast) -> None:
        with clock.frozen(DAY):
            cards = [opened(cast) for _ in range(5)]
        with clock.frozen(later(2)):
            approve(cards[0], cast.ruth)
            reject(cards[1], cast.ruth)
        with clock.frozen(later(10)):
            approve(cards[2], cast.ines)
            commands.withdraw(actor=cast.omar, proposal_id=cards[3].id, cause="run ended")
        with clock.frozen(later(61)):
            commands.settle_due(actor=pulse(cast))  # the fifth, and the two that nobody ran

        total = figures(cast).total

        assert (total.held, total.rejected, total.expired) == (5, 1, 3)
        assert (total.approved, total.withdrawn, total.waiting) == (0, 1, 0)
        assert total.median_s == 120.0, "of the one decision that still counts"

    def test_take_median_and_95th_percentile_from_opening_to_decision(self, cast: Cast) -> None:
        with clock.frozen(DAY):
            cards = [opened(cast) for _ in range(3)]
        for card, minutes in zip(cards, (1, 2, 10), strict=True):
            with clock.frozen(later(minutes)):
                reject(card, cast.ruth)

        total = figures(cast).total

        assert total.median_s == pytest.approx(120)
        assert total.p95_s == pytest.approx(120 + 0.9 * 480)

    def test_group_by_agent(self, cast: Cast) -> None:
        with clock.frozen(DAY):
            opened(cast)
            opened(cast, facts_=facts(1, agent_label="other v1"))

        rows = figures(cast, By.AGENT).rows

        assert {row.key: row.tally.held for row in rows} == {"other v1": 1, "refunds v14": 1}

    def test_name_the_tier_where_no_rule_matched(self, cast: Cast) -> None:
        with clock.frozen(DAY):
            opened(cast)

        (row,) = figures(cast, By.RULE).rows

        assert row.key == "(tier default)"
        assert row.tally.held == 1

    def test_count_what_found_its_target_changed(self, cast: Cast) -> None:
        other = {"orders": {"#W1": {"status": "delivered"}}}
        with clock.frozen(DAY):
            card = approved(cast)
            claim(cast, card, before=other)

        assert now(cast, card).card.state == "stale"
        assert figures(cast).total.stale == 1
        assert figures(cast).total.waiting == 1

    def test_count_what_was_stale_however_it_ended(self, cast: Cast) -> None:
        with clock.frozen(DAY):
            cards = [letters.opened(cast) for _ in range(6)]
            for card in cards[:5]:
                letters.DRAWER[card.subject.id]["state"] = "weighed"
                assert commands.probe(actor=cast.system, proposal_id=card.id, every_s=0)
        rejected, edited, back, based, expired, _calm = cards
        with clock.frozen(later(1)):
            reject(rejected, cast.ruth)
            letters.edit(edited, cast.ruth)
            for act, card in ((commands.hand_back, back), (commands.rebase, based)):
                act(actor=cast.ruth, proposal_id=card.id, revision_no=1, seen_digest=card.digest)
        with clock.frozen(expired.decide_by):
            commands.settle(actor=pulse(cast), proposal_id=expired.id)

        total = figures(cast).total

        ends = [now(cast, card).card.state.value for card in cards]
        assert ends == ["rejected", "open", "withdrawn", "open", "expired", "open"]
        assert (total.stale, total.edited, total.held) == (5, 1, 6)

    def test_name_rules_reviewers_and_every_way_to_an_end(self, cast: Cast) -> None:
        cancel = {"match": {"tool": "cancel_*"}}
        with clock.frozen(DAY - timedelta(days=1)):
            spoken(
                cast,
                rule("small", "allow", **cancel, when=when("/args/order_id", "eq", "#S")),
                rule("never", "deny", **cancel, when=when("/args/order_id", "eq", "#N")),
                rule("big", "hold", **cancel, when=when("/args/order_id", "eq", "#W1")),
            )
        with clock.frozen(DAY):
            small, never = (opened(cast, args={"order_id": one}) for one in ("#S", "#N"))
            held = [opened(cast, args={"order_id": "#W1", "no": n}) for n in range(4)]
            letter = letters.opened(cast)
        for card, minutes in zip(held, (1, 3, 10), strict=False):
            with clock.frozen(later(1)):
                shown(card, cast.ruth)
            with clock.frozen(later(1 + minutes)):
                vote(card, cast.ruth, Choice.APPROVE if minutes < 10 else Choice.REJECT)
        with clock.frozen(later(2)):
            letters.edit(letter, cast.ines)

        total, rules = figures(cast).total, figures(cast, By.RULE).rows

        assert (small.state.value, never.state.value) == ("approved", "blocked")
        assert (total.automatic, total.blocked, total.held) == (1, 1, 5)
        assert (total.approved, total.rejected, total.edited, total.waiting) == (2, 1, 1, 2)
        assert [total.median_s, total.p95_s] == pytest.approx([240, 240 + 0.9 * 420])
        assert {one.key: (one.tally.held, one.tally.approved) for one in rules} == {
            "shop-writes/big": (4, 2),
            "shop-writes/small": (0, 0),
            "shop-writes/never": (0, 0),
            "(tier default)": (1, 0),
        }
        (ruth,) = figures(cast).reviewers
        assert (ruth.votes, ruth.approvals, ruth.rejections) == (3, 2, 1)
        assert [ruth.median_s, ruth.p95_s] == pytest.approx([180, 180 + 0.9 * 420])

    def test_leave_out_other_days(self, cast: Cast) -> None:
        with clock.frozen(DAY - timedelta(days=1)):
            opened(cast)
        assert figures(cast).total.held == 0

    def test_show_a_reviewer_no_figures_of_other_people(self, cast: Cast) -> None:
        with clock.frozen(DAY):
            reject(opened(cast), cast.ruth)
            reject(opened(cast, args={"order_id": "#W2"}), cast.ines)

        assert [row.name for row in figures(cast).reviewers] == sorted(
            [cast.ines.label, cast.ruth.label]
        )
        mine = figures(cast, actor=cast.ruth)
        assert mine.only_mine
        assert [(row.name, row.votes, row.rejections) for row in mine.reviewers] == [
            (cast.ruth.label, 1, 1)
        ]

    def test_see_nothing_of_another_tenant(self, cast: Cast) -> None:
        with clock.frozen(DAY):
            opened(cast)
        assert figures(cast, actor=cast.mallory).total.held == 0


class TestPage:
    def test_shows_tables_and_a_chart(self, cast: Cast) -> None:
        reject(opened(cast), cast.ruth)

        text = cast.client("noor").get(PAGE).content.decode()

        assert "cancel_pending_order" in text
        assert 'data-src="/reviews/metrics/figure.json?' in text
        assert cast.ruth.label in text

    def test_says_so_when_there_is_nothing(self, cast: Cast) -> None:
        text = cast.client("noor").get(PAGE).content.decode()
        assert "Nothing was proposed in these days" in text

    def test_draws_decisions_per_day(self, cast: Cast) -> None:
        reject(opened(cast), cast.ruth)

        answer = cast.client("ruth").get("/reviews/metrics/figure.json?days=7").json()

        assert {one["name"]: sum(one["y"]) for one in answer["data"]} == {
            "Approved": 0,
            "Rejected": 1,
            "Expired": 0,
        }

    @pytest.mark.parametrize("asked", ["by=person", "days=0", "from=2026-11-20", "x=1"])
    def test_refuses_what_it_cannot_read(self, cast: Cast, asked: str) -> None:
        assert cast.client("ruth").get(f"{PAGE}?{asked}").status_code == 400


class TestApi:
    def test_gives_the_same_figures(self, cast: Cast) -> None:
        reject(opened(cast), cast.ruth)

        answer = cast.api("noor").get("/api/v1/approvals/metrics?by=tool").json()

        assert answer["total"]["rejected"] == 1
        assert answer["rows"][0]["key"] == "cancel_pending_order"
        assert answer["reviewers"][0]["name"] == cast.ruth.label


class TestDuration:
    @pytest.mark.parametrize(
        ("seconds", "said"),
        [(None, ""), (0.4, "0 s"), (59.4, "59 s"), (61, "1 min 1 s"), (7260, "2 h 1 min"),
         (90_000, "1 d 1 h")],
    )  # fmt: skip
    def test_is_said_in_two_units(self, seconds: float | None, said: str) -> None:
        assert duration(seconds) == said


def test_a_tally_waits_for_what_has_not_ended() -> None:
    tally = Tally(
        automatic=1, blocked=1, held=9, approved=2, rejected=1, expired=1, withdrawn=1, stale=3,
        edited=1, median_s=None, p95_s=None,
    )  # fmt: skip
    assert tally.waiting == 4
