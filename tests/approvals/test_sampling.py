"""Samples of automatic approvals: drawn with them, answered by others, and what comes of it."""

import re
from collections.abc import Iterable
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from approvals import queries
from approvals.cards import NotClaimed, PolicyVersionCard
from approvals.cards.reviewing import ReviewTaskCard
from approvals.commands import sampling
from approvals.models import Proposal, ReviewTask, RuleTurn
from approvals.policies.sampling import USUAL_SAMPLE
from approvals.states import Basis, ProposalState, ReviewKind, ReviewVerdict, Says
from console.kernel.errors import ConsoleError
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant
from tests.accounts.trail import actions, events
from tests.approvals.advance import like, made
from tests.approvals.clocks import happened
from tests.approvals.desk import claim, now, opened
from tests.approvals.glass import close
from tests.approvals.policies.rules import rule, spoken
from tests.approvals.post import told
from tests.approvals.sql import refused, run
from tests.approvals.test_views import text
from tests.cast import Cast
from tests.races.test_votes import at_once

CANCEL: dict[str, Any] = {"match": {"tool": "cancel_*"}, "sample": "1"}
AGREE, DISAGREE = ReviewVerdict.AGREE, ReviewVerdict.DISAGREE


def allowed(cast: Cast, count: int) -> tuple[PolicyVersionCard, list[UUID]]:
    """Have a rule allow some calls, every one of them drawn; return the version and the tasks."""
    version = spoken(cast, rule("fine", "allow", **CANCEL))
    return version, drawn(cast, count)


def drawn(cast: Cast, count: int) -> list[UUID]:
    made = [opened(cast).id for _ in range(count)]
    with in_tenant(cast.tenant_id, read_only=True):
        rows = ReviewTask.objects.filter(proposal__in=made)
        tasks = dict(rows.values_list("proposal_id", "id"))
    return [tasks[one] for one in made]


def answer(cast: Cast, tasks: Iterable[UUID], verdict: ReviewVerdict) -> list[ReviewTaskCard]:
    note = "" if verdict is AGREE else "She did not ask for it."
    return [close(task, cast.ines, verdict=verdict, note=note) for task in tasks]


def turned(cast: Cast) -> list[tuple[str, int, int]]:
    with in_tenant(cast.tenant_id, read_only=True):
        return list(RuleTurn.objects.values_list("rule", "answered", "disagreed"))


class TestDraw:
    def test_opens_a_review_with_the_approval(self, cast: Cast) -> None:
        version, (task,) = allowed(cast, 1)
        (found,) = queries.review_tasks(actor=cast.ines)
        assert (found.id, found.kind, found.about) == (task, ReviewKind.SAMPLE, "")
        opened_ = [one for one in events(cast) if one["action"] == "review_task.opened"]
        assert opened_[-1]["bind"]["rules"] == [f"{version.id}/fine"]
        detail = queries.review_task(actor=cast.ines, task_id=task)
        assert (detail.basis, detail.use, detail.refusal) == (Basis.RULE, None, "")

    def test_takes_5_in_100_unless_the_rule_says_otherwise(self, cast: Cast) -> None:
        # Not by `spoken`, which has nothing drawn where a rule says nothing.
        of = spoken(cast, rule("fine", "allow", match={"tool": "cancel_*"}, sample="0.05"))
        assert queries.sampled_rules(actor=cast.ines, version_id=of.id)[0].rate == "0.05"
        card = opened(cast)
        assert now(cast, card).requirement.sample == "0.05"

    def test_says_the_same_every_time_and_another_thing_of_another_key(
        self, cast: Cast, settings: Any
    ) -> None:
        rows = [Proposal(id=uuid7(), tenant_id=cast.tenant_id) for _ in range(64)]
        first = [sampling._mac(row) for row in rows]
        assert [sampling._mac(row) for row in rows] == first
        assert len(set(first)) == 64
        others = [Proposal(id=row.id, tenant_id=cast.elsewhere.id) for row in rows]
        assert not set(first) & {sampling._mac(row) for row in others}
        settings.SECRET_KEY = "another " * 8
        assert not set(first) & {sampling._mac(row) for row in rows}

    def test_opens_none_for_what_people_decided_or_a_rule_held(self, cast: Cast) -> None:
        spoken(cast, rule("ask", "hold", match={"tool": "cancel_*"}))
        opened(cast)
        assert queries.review_tasks(actor=cast.ines) == ()
        row = Proposal(id=uuid7(), tenant_id=cast.tenant_id)
        for basis in set(Basis) - sampling.AUTOMATIC:
            assert not sampling.draw(
                row, actor=cast.system, basis=basis, at=row.created_at, rate="1"
            )

    def test_goes_with_the_approval_and_holds_nothing_up(self, cast: Cast) -> None:
        spoken(cast, rule("fine", "allow", **CANCEL))
        card = opened(cast)
        assert card.state is ProposalState.APPROVED
        assert happened(cast, card) == ["proposal.decided", "review_task.opened"]
        assert not isinstance(claim(cast, card), NotClaimed)


class TestStandingApprovals:
    def test_are_drawn_too_and_looked_at_by_others_than_their_maker(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sampling, "is_drawn", lambda _mac, rate: rate == USUAL_SAMPLE)
        made(cast)
        card = opened(cast, **like("#W2"))
        assert happened(cast, card) == ["proposal.decided", "review_task.opened"]
        (task,) = queries.review_tasks(actor=cast.ines)
        with pytest.raises(ConsoleError, match="your own standing approval"):
            close(task.id, cast.ruth)
        assert "your own standing" in queries.review_task(actor=cast.ruth, task_id=task.id).refusal
        answer(cast, [task.id], DISAGREE)
        assert turned(cast) == []


class TestAnswers:
    def test_come_from_who_could_have_decided_it(self, cast: Cast) -> None:
        _version, (task,) = allowed(cast, 1)
        for who in (cast.omar, cast.noor):
            with pytest.raises(ConsoleError) as error:
                close(task, who)
            assert error.value.code == "review_task.not_eligible"
        with pytest.raises(ConsoleError, match="Say what you found"):
            close(task, cast.ines, verdict=DISAGREE, note=" ")
        assert close(task, cast.ines, verdict=AGREE, note="").verdict is AGREE

    def test_turn_a_rule_at_exactly_the_right_one(self, cast: Cast) -> None:
        version, tasks = allowed(cast, 20)
        answer(cast, tasks[:3], DISAGREE)
        answer(cast, tasks[3:19], AGREE)
        assert turned(cast) == []
        assert opened(cast).state is ProposalState.APPROVED
        answer(cast, tasks[19:], AGREE)
        assert turned(cast) == [("fine", 20, 3)]
        card = opened(cast)
        assert card.state is ProposalState.OPEN
        assert "until reviewers disagreed too often" in now(cast, card).requirement.explanation
        (said,) = [one for one in events(cast) if one["action"] == "policy.rule_turned"]
        assert said["target"]["id"] == str(version.id)
        assert (said["bind"]["rule"], said["bind"]["low"]) == ("fine", "0.0524")

    def test_do_not_turn_one_that_people_mostly_agree_with(self, cast: Cast) -> None:
        _version, tasks = allowed(cast, 21)
        answer(cast, tasks[:2], DISAGREE)
        answer(cast, tasks[2:], AGREE)
        assert turned(cast) == []
        assert "policy.rule_turned" not in actions(cast)

    def test_at_the_same_time_turn_it_once(self, cast: Cast) -> None:
        _version, tasks = allowed(cast, 20)
        answer(cast, tasks[:16], AGREE)
        late = [
            partial(close, task, cast.ines, verdict=DISAGREE, note="No.") for task in tasks[16:]
        ]
        assert not [one for one in at_once(late) if isinstance(one, ConsoleError)]
        assert turned(cast) == [("fine", 20, 4)]
        assert actions(cast).count("policy.rule_turned") == 1

    def test_reach_what_was_approved_and_has_not_run(self, cast: Cast) -> None:
        _version, tasks = allowed(cast, 20)
        waiting = opened(cast)
        answer(cast, tasks, DISAGREE)
        found = claim(cast, waiting)
        assert (found.code, found.state) == ("proposal.reopened", ProposalState.OPEN)

    def test_are_shown_to_whoever_asks_what_the_rules_would_say(self, cast: Cast) -> None:
        version, tasks = allowed(cast, 20)
        card = opened(cast)
        call = queries.call_of(actor=cast.noor, proposal_id=card.id)
        assert queries.simulate(actor=cast.noor, call=call).says is Says.ALLOW
        answer(cast, tasks, DISAGREE)
        assert queries.simulate(actor=cast.noor, call=call).says is Says.HOLD
        (found,) = queries.sampled_rules(actor=cast.ines, version_id=version.id)
        assert (found.drawn, found.answered, found.disagreed) == (21, 20, 20)
        assert found.turned_at is not None

    def test_stand_on_the_page_of_coverage_and_in_the_api(self, cast: Cast) -> None:
        version, tasks = allowed(cast, 20)
        answer(cast, tasks[:18], AGREE)
        answer(cast, tasks[18:19], DISAGREE)
        page = text(cast.client("ruth").get("/reviews/policies/coverage/"))
        assert f"/reviews/policies/{version.id}/" in page
        # Wilson's interval of 1 in 19 is 0.0094 to 0.2464.
        assert re.search(r"shop-writes/fine.*?100 %.*?20.*?19.*?1<.*?1 % to 25 %", page, re.DOTALL)
        (of,) = cast.api("ruth").get("/api/v1/approvals/coverage").json()["sampled"]
        (told,) = of["rules"]
        assert (of["policy"], of["version_id"]) == ("shop-writes", str(version.id))
        assert [told[name] for name in ("rule", "rate", "drawn", "answered", "disagreed")] == [
            "fine", "1", 20, 19, 1,
        ]  # fmt: skip
        assert (round(told["low"], 4), round(told["high"], 4)) == (0.0094, 0.2464)

    def test_count_anew_for_a_new_version(self, cast: Cast) -> None:
        _version, tasks = allowed(cast, 20)
        answer(cast, tasks, DISAGREE)
        again = spoken(cast, rule("fine", "allow", note="Narrower.", **CANCEL))
        assert opened(cast).state is ProposalState.APPROVED
        (found,) = queries.sampled_rules(actor=cast.ines, version_id=again.id)
        assert (found.drawn, found.answered, found.turned_at) == (1, 0, None)


class TestTold:
    def test_who_answers_for_policies_hears_that_a_rule_turned_and_that_it_allows_again(
        self, cast: Cast
    ) -> None:
        _version, tasks = allowed(cast, 20)
        answer(cast, tasks, DISAGREE)
        assert about_rules(cast) == [("noor", "rule_turned")]
        spoken(cast, rule("fine", "allow", note="Narrower.", **CANCEL))
        assert about_rules(cast) == [("noor", "rule_allows"), ("noor", "rule_turned")]

    def test_nobody_hears_of_a_version_that_leaves_the_rule_out(self, cast: Cast) -> None:
        _version, tasks = allowed(cast, 20)
        answer(cast, tasks, DISAGREE)
        spoken(cast, rule("fine", "hold", match={"tool": "cancel_*"}))
        spoken(cast, rule("fine", "allow", **CANCEL))
        assert about_rules(cast) == [("noor", "rule_turned")]


def about_rules(cast: Cast) -> list[tuple[str, str]]:
    return [one for one in told(cast) if one[1].startswith("rule_")]


class TestTable:
    def test_of_turned_rules_only_grows_and_needs_answers(self, cast: Cast) -> None:
        version, (task,) = allowed(cast, 1)
        insert = """
            INSERT INTO approvals_rule_turn (id, tenant_id, version_id, rule, task_id, answered,
              disagreed, turned_at)
            VALUES (gen_random_uuid(), %(t)s, %(v)s, 'fine', %(x)s, {}, {}, now())
        """
        values = {"t": cast.tenant_id, "v": version.id, "x": task}
        with refused("rule_turn_after_enough_answers"):
            run(cast, insert.format(19, 19), **values)
        with refused("SB001"):
            run(cast, insert.format(20, 20), **values)
        for sql in ("DELETE FROM approvals_rule_turn", "UPDATE approvals_rule_turn SET rule = 'x'"):
            with refused("42501"):
                run(cast, sql)


class TestPages:
    def test_show_each_rule_with_its_interval(self, cast: Cast) -> None:
        version, tasks = allowed(cast, 20)
        answer(cast, tasks[:5], DISAGREE)
        page = cast.client("ruth").get(f"/reviews/policies/{version.id}/").content.decode()
        assert "Looked at afterwards" in page
        assert "57 % to 100 %" in page
        answer(cast, tasks[5:], DISAGREE)
        page = cast.client("ruth").get(f"/reviews/policies/{version.id}/").content.decode()
        assert "84 % to 100 %" in page
        assert "Asks people" in page
        assert "Only a new version" in page
        found = cast.api("ruth").get(f"/api/v1/approvals/policies/versions/{version.id}/sampling")
        (line,) = found.json()["rules"]
        assert (line["rule"], line["answered"], line["rate"]) == ("fine", 20, "1")
        assert line["turned_at"]

    def test_ask_whether_one_would_have_approved_it(self, cast: Cast) -> None:
        _version, (task,) = allowed(cast, 1)
        page = cast.client("ines").get(f"/reviews/duties/{task}/").content.decode()
        assert "Would you have approved this?" in page
        assert "shop-writes/fine" in page
