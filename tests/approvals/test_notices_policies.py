"""When notices leave and what they say: pure functions."""

import json
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

import pytest

from approvals.cards import Block, Note, NoticeSettingCard, Slot
from approvals.policies import letters, notices
from approvals.policies.requirement import requirement_for
from approvals.states import Digest, NoticeReason
from console.kernel.ids import uuid7

HERE = "https://console.example"
NIGHT = {"quiet_from": time(22), "quiet_until": time(7), "zone": "Europe/Berlin"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def setting(**other: Any) -> NoticeSettingCard:
    return NoticeSettingCard(**other)


def leaves(wish: NoticeSettingCard, moment: str, **other: Any) -> datetime:
    values: dict[str, Any] = {"decide_by": None, "urgent": False, **other}
    return notices.leaves_at(wish, at=at(moment), **values)


def note(**other: Any) -> Note:
    values: dict[str, Any] = {
        "reason": NoticeReason.OPENED,
        "at": at("2026-11-20T10:00:00+00:00"),
        "proposal_id": uuid7(),
        "tool": "refund.order",
        "agent": "support v3",
        "tier": 2,
        "needs": 2,
        "decide_by": at("2026-11-20T14:00:00+00:00"),
        "why": "It asks for people of finance.",
    }
    return Note(**{**values, **other})


def text(*found: Note, zone: str = "UTC") -> str:
    return letters.text(found, zone=zone, public_url=HERE, settings_path="/reviews/notices/")


class TestLeavesAt:
    def test_is_now_unless_somebody_wants_it_otherwise(self) -> None:
        assert leaves(setting(), "2026-11-20T23:59:00+00:00") == at("2026-11-20T23:59:00+00:00")

    def test_an_hourly_digest_is_at_the_full_hour_of_the_zone(self) -> None:
        wish = setting(digest=Digest.HOURLY, zone="Asia/Kolkata")  # 5 h 30 min ahead
        assert leaves(wish, "2026-11-20T10:10:05+00:00") == at("2026-11-20T10:30:00+00:00")

    def test_a_daily_digest_is_at_eight(self) -> None:
        wish = setting(digest=Digest.DAILY, zone="Europe/Berlin")
        assert leaves(wish, "2026-11-20T06:59:00+00:00") == at("2026-11-20T07:00:00+00:00")
        assert leaves(wish, "2026-11-20T07:00:00+00:00") == at("2026-11-21T07:00:00+00:00")

    def test_a_digest_after_the_deadline_is_no_use(self) -> None:
        wish = setting(digest=Digest.DAILY)
        moment = "2026-11-20T10:00:00+00:00"
        soon, late = at("2026-11-20T11:00:00+00:00"), at("2026-11-21T09:00:00+00:00")
        assert leaves(wish, moment, decide_by=soon) == at(moment)
        assert leaves(wish, moment, decide_by=late) == at("2026-11-21T08:00:00+00:00")

    def test_quiet_hours_hold_what_has_a_deadline_and_let_what_is_urgent_through(self) -> None:
        moment = "2026-11-20T23:00:00+00:00"
        soon = at("2026-11-21T00:00:00+00:00")
        assert leaves(setting(**NIGHT), moment, decide_by=soon) == at("2026-11-21T06:00:00+00:00")
        assert leaves(setting(**NIGHT), moment, urgent=True) == at(moment)


class TestQuietUntil:
    @pytest.mark.parametrize(
        ("moment", "until"),
        [
            ("2026-11-20T21:59:59+01:00", None),
            ("2026-11-20T22:00:00+01:00", "2026-11-21T07:00:00+01:00"),
            ("2026-11-21T06:59:59+01:00", "2026-11-21T07:00:00+01:00"),
            ("2026-11-21T07:00:00+01:00", None),
            # The night of 25 October 2026 has 25 hours, that of 29 March 23.
            ("2026-10-24T23:00:00+02:00", "2026-10-25T07:00:00+01:00"),
            ("2026-03-28T23:00:00+01:00", "2026-03-29T07:00:00+02:00"),
        ],
    )
    def test_goes_over_midnight_and_changes_of_the_clock(
        self, moment: str, until: str | None
    ) -> None:
        found = notices.quiet_until(setting(**NIGHT), at=at(moment))
        assert found == (at(until) if until else None)

    def test_moves_a_time_that_the_night_skips_forward(self) -> None:
        wish = setting(quiet_from=time(1), quiet_until=time(2, 30), zone="Europe/Berlin")
        found = notices.quiet_until(wish, at=at("2026-03-29T01:30:00+01:00"))
        assert found == at("2026-03-29T03:30:00+02:00")

    def test_is_nothing_without_hours(self) -> None:
        assert notices.quiet_until(setting(), at=at("2026-11-20T03:00:00+00:00")) is None
        same = setting(quiet_from=time(3), quiet_until=time(3))
        assert notices.quiet_until(same, at=at("2026-11-20T03:00:00+00:00")) is None


class TestWait:
    def test_grows_fourfold_up_to_an_hour_and_is_scattered(self) -> None:
        full = [notices.wait_s(n, spread=1) for n in range(1, 8)]
        assert full == [15, 60, 240, 960, 3600, 3600, 3600]
        assert [notices.wait_s(n, spread=0) for n in (1, 5)] == [7.5, 1800]


class TestText:
    def test_says_tool_tier_why_until_when_and_where(self) -> None:
        one = note()
        said = text(one, zone="Europe/Berlin")
        assert letters.subject([one]) == "[Signalbox] Your turn: refund.order by support v3, tier 2"
        assert "It was just proposed. It asks for people of finance. Needs 2 people." in said
        assert "Decide until 2026-11-20 15:00 Europe/Berlin." in said
        assert f"{HERE}/reviews/{one.proposal_id}/" in said
        assert "decides nothing" in said
        assert f"{HERE}/reviews/notices/" in said

    @pytest.mark.parametrize(
        ("reason", "detail", "said"),
        [
            (NoticeReason.APPROVED, "people", "People agreed. It may be run now, once."),
            (NoticeReason.APPROVED, "rule", "A rule allowed it; nobody was asked."),
            (NoticeReason.REJECTED, "wrong_value", "Wrong amount or value. The change was not"),
            (NoticeReason.EXPIRED, "park", "the run waits for an operator"),
            (NoticeReason.EXPIRED, "execute_by", "ran out before the change could be made"),
            (NoticeReason.WITHDRAWN, "", "The request was taken back"),
            (NoticeReason.SUPERSEDED, "", "A newer request"),
            (NoticeReason.BLOCKED, "", "A rule does not allow it"),
            (NoticeReason.EXECUTED, "", "The change is there."),
            (NoticeReason.FAILED, "", "the change is not there"),
            (NoticeReason.STALED, "", "another one than people saw, so it refused"),
            (NoticeReason.UNKNOWN, "", "nobody knows whether"),
        ],
    )
    def test_says_each_outcome_in_its_own_words(
        self, reason: NoticeReason, detail: str, said: str
    ) -> None:
        assert said in text(note(reason=reason, detail=detail))

    def test_expiry_is_nobodys_rejection(self) -> None:
        said = text(note(reason=NoticeReason.EXPIRED, detail="refuse")).lower()
        assert "nobody decided in time" in said
        assert "reject" not in said

    def test_puts_many_into_one(self) -> None:
        many = [note() for _ in range(letters.MOST_NOTES + 3)]
        assert letters.subject(many) == "[Signalbox] 53 notices, 53 wait for a decision"
        assert f"3 more are in the list of reviews: {HERE}/reviews/" in text(*many)

    def test_every_reason_has_words(self) -> None:
        for reason in NoticeReason:
            assert letters.head(reason)
            assert text(note(reason=reason))
            assert letters.fact_of(reason)

    def test_links_the_page_that_explains_what_is_about_no_proposal(self) -> None:
        for reason in (NoticeReason.RULE_TURNED, NoticeReason.RULE_ALLOWS):
            said = text(note(reason=reason, proposal_id=None, tool=""))
            assert f"{HERE}/reviews/policies/coverage/" in said

    def test_speaks_to_a_group(self) -> None:
        assert "Waits for finance: refund.order" in text(note(group="finance"))
        assert "Waits for reviewers: refund.order" in text(note(group=""))
        again = note(group="", reason=NoticeReason.REMINDED)
        assert "Still waits for reviewers" in text(again)

    def test_a_title_only_where_it_is_allowed(self) -> None:
        assert "Cancel #W1" in text(note(title="Cancel #W1"))


class TestPlain:
    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("refund_order.v2", "refund_order.v2"),
            ("<!channel> <http://evil.example|click>", "!channel http evil.example click"),
            ("a\r\nBcc: x@y.example", "a Bcc: x at y.example"),
            ("\u202eabc\u200b", "abc"),
            ("[here](https://evil.example)", "here https evil.example"),
            ("x" * 100, "x" * 79 + "…"),
        ],
    )
    def test_leaves_no_link_mention_markup_or_second_line(self, name: str, shown: str) -> None:
        assert letters.plain(name) == shown


class TestWhyAsked:
    def test_names_the_readers_own_groups(self) -> None:
        slots = (Slot(groups=("finance", "leads"), n=1),)
        asked = requirement_for(1)
        grouped = type(asked)(
            **{
                **{name: getattr(asked, name) for name in asked.__slots__},
                "blocks": (Block(slots=slots),),
            }
        )
        assert letters.why_asked(grouped, {"finance", "care"}) == "It asks for people of finance."
        assert letters.why_asked(asked, {"care"}) == "Any reviewer may decide it."
        assert "2 different groups" in letters.why_asked(requirement_for(2), {"care"})


class TestWebhookBody:
    def test_holds_ids_and_the_outcome(self) -> None:
        one = note(reason=NoticeReason.REJECTED, detail="wrong_value", subject_id=UUID(int=7))
        said = json.loads(letters.webhook_body(one, public_url=HERE))
        assert said["type"] == "proposal.decided"
        assert said["timestamp"] == "2026-11-20T10:00:00+00:00"
        assert said["data"]["outcome"] == "rejected"
        assert said["data"]["subject"]["id"] == str(UUID(int=7))
        assert set(said["data"]) == {
            "proposal_id", "subject", "run_id", "tool", "agent", "tier", "reason", "url",
            "outcome", "detail",
        }  # fmt: skip

    def test_says_until_when_somebody_is_asked(self) -> None:
        said = json.loads(letters.webhook_body(note(), public_url=HERE))
        assert (said["type"], said["data"]["decide_by"]) == (
            "proposal.opened",
            "2026-11-20T14:00:00+00:00",
        )
