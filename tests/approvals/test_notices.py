"""Who is told what, when, and once: only those who can decide, and who asked for the change."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError

from approvals import commands
from approvals.cards import NoticeSettingCard, ProposalCard
from approvals.commands import noticing
from approvals.models import Notice
from approvals.states import ChannelKind, CommentKind, DispatchState, NoticeReason
from console.accounts import commands as accounts
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant
from tests.approvals.clocks import CARE_THEN_FINANCE, asking, ruled, sweep
from tests.approvals.desk import (
    agent,
    approve,
    approved,
    claim,
    content,
    now,
    opened,
    principals,
    reject,
)
from tests.approvals.policies.rules import rule, spoken
from tests.approvals.post import MailServer, mail_server, post, queued, told
from tests.cast import Cast


@pytest.fixture
def mail(settings: Any) -> Iterator[MailServer]:
    settings.PUBLIC_URL = "https://console.example"
    with mail_server(settings) as server:
        yield server


def wish(actor: Actor, **other: Any) -> None:
    commands.set_notices(actor=actor, setting=NoticeSettingCard(**other))


def only(cast: Cast, reason: NoticeReason) -> set[str]:
    return {who for who, why in told(cast) if why == reason.value}


def later(card: ProposalCard, share: float) -> Any:
    return card.opened_at + share * (card.decide_by - card.opened_at)


class TestAskDeciders:
    def test_tells_who_can_decide_it_and_nobody_else(self, cast: Cast) -> None:
        cast.add("left", roles=("reviewer",), groups=("care",))
        accounts.set_membership(
            actor=cast.noor, person_id=cast.members["left"].id, roles=["reviewer"], groups=[],
            active=False,
        )  # fmt: skip
        opened(cast)
        assert told(cast) == [("ines", "opened"), ("ruth", "opened")]

    def test_my_own_proposal_is_not_mine_to_decide(self, cast: Cast) -> None:
        """gravitational/teleport#49457."""
        cast.add("owner", roles=("reviewer",), groups=("care",))
        opened(cast, chain=(*_chain(cast, "owner"),))
        assert told(cast) == [("ines", "opened"), ("ruth", "opened")]

    def test_asks_only_groups_that_are_asked_until_it_widens(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asking(monkeypatch, **CARE_THEN_FINANCE)
        card = opened(cast)
        assert told(cast) == [("ruth", "opened")]
        sweep(cast, later(card, 0.5))
        assert told(cast) == [("ruth", "opened"), ("ruth", "reminded")]
        sweep(cast, later(card, 0.8))
        assert only(cast, NoticeReason.WIDENED) == {"ines"}

    def test_asks_everybody_again_where_the_time_begins_anew(self, cast: Cast) -> None:
        care = {"all": [{"slots": [{"groups": ["care"], "n": 1}]}]}
        ladder = [{"at": "0.8", "widen": ["finance"]}]
        ruled(cast, "escalate", require=care, ladder=ladder)
        card = opened(cast)
        told(cast)
        sweep(cast, card.decide_by)
        assert only(cast, NoticeReason.WIDENED) == {"ines", "ruth"}

    def test_says_that_the_content_is_another_one(self, cast: Cast) -> None:
        card = approved(cast)
        claim(cast, card, before={"orders": {"#W1": {"status": "processed"}}})
        commands.refresh(
            actor=agent(cast),
            proposal_id=card.id,
            content=content(before={"orders": {"#W1": {"status": "processed"}}}),
        )
        assert only(cast, NoticeReason.REVISED) == {"ines", "ruth"}

    def test_tells_who_asked_that_they_have_an_answer(self, cast: Cast) -> None:
        card = opened(cast)
        asked = commands.ask(
            actor=cast.ruth,
            proposal_id=card.id,
            kind=CommentKind.QUESTION,
            text="Which order does she mean?",
            revision_no=1,
        )
        commands.answer(actor=agent(cast), comment_id=asked.id, text="The one of May.")
        assert only(cast, NoticeReason.ANSWERED) == {"ruth"}

    def test_a_proposal_that_is_settled_asks_nobody(self, cast: Cast) -> None:
        card = opened(cast)
        commands.withdraw(actor=cast.system, proposal_id=card.id, cause="test")
        assert only(cast, NoticeReason.OPENED) == set()

    def test_is_told_once_however_often_the_fact_comes(self, cast: Cast) -> None:
        card = opened(cast)
        for _ in range(3):
            commands.ask_deciders(
                actor=cast.system, proposal_id=card.id, reason=NoticeReason.OPENED
            )
        assert told(cast) == [("ines", "opened"), ("ruth", "opened")]

    def test_the_database_holds_one_of_each(self, cast: Cast) -> None:
        opened(cast)
        row = queued(cast)[0]
        row.id = uuid7()
        with pytest.raises(IntegrityError, match="notice_once"), in_tenant(cast.tenant_id):
            row.save(force_insert=True)

    def test_the_database_points_into_no_other_tenant(self, cast: Cast) -> None:
        card = opened(cast)
        made = commands.add_channel(
            actor=cast.noor, kind=ChannelKind.EMAIL, title="Room", address="room@b.example"
        )
        about = {"channel_id": made.id}, {"person_id": cast.members["mallory"].id}
        for one in (about[0], {**about[1], "proposal_id": card.id}):
            row = Notice(
                tenant_id=cast.elsewhere.id, reason="opened", no=1, detail="", next_at=clock.now()
            )
            for name, value in one.items():
                setattr(row, name, value)
            with pytest.raises(IntegrityError), in_tenant(cast.elsewhere.id):
                row.save(force_insert=True)


class TestBlind:
    """A5: nobody is told anything because somebody voted."""

    def test_a_hidden_vote_changes_no_notice_and_no_message(
        self, cast: Cast, mail: MailServer
    ) -> None:
        cast.add("ivo", roles=("reviewer",), groups=("finance",))
        one, two = opened(cast, tier=2), opened(cast, tier=2)
        queued(cast)
        approve(one, cast.ruth)
        at = later(one, 0.26)
        sweep(cast, at)
        assert post(cast, at) == 3
        (letter,) = mail.to(cast.email("ines"))
        parts = letter.get_content().replace("\r\n", "\n").split("\n\n")
        said = [part for card in (one, two) for part in parts if str(card.id) in part]
        same = [re.sub(r"[0-9a-f-]{36}|\d\d:\d\d", "", part) for part in said]
        assert len(same) == 2
        assert same[0] == same[1]
        assert "Needs 2 people." in said[0]
        about = [
            {(row.person_id, row.reason) for row in queued(cast) if row.proposal_id == card.id}
            for card in (one, two)
        ]
        # Ruth, who voted on the first one, is not reminded of it; the others are the same.
        assert about[1] - about[0] == {(UUID(cast.ruth.id), "reminded")}

    def test_who_voted_is_not_reminded(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        approve(card, cast.ruth)
        sweep(cast, later(card, 0.25))
        assert only(cast, NoticeReason.REMINDED) == {"ines"}
        assert "ruth" not in {who for who, why in told(cast) if why == "reminded"}


class TestTellOutcome:
    """Starter and owner hear how everything ends."""

    @pytest.mark.parametrize(
        ("end", "reason"),
        [
            ("reject", NoticeReason.REJECTED),
            ("expire", NoticeReason.EXPIRED),
            ("withdraw", NoticeReason.WITHDRAWN),
            ("supersede", NoticeReason.SUPERSEDED),
            ("approve", NoticeReason.APPROVED),
            ("lapse", NoticeReason.EXPIRED),
        ],
    )
    def test_of_what_waited_for_people(self, cast: Cast, end: str, reason: NoticeReason) -> None:
        card = opened(cast)
        _end(cast, card, end)
        assert only(cast, reason) == {"noor", "omar"}

    @pytest.mark.parametrize(
        ("state", "reason"),
        [
            (DispatchState.SUCCEEDED, NoticeReason.EXECUTED),
            (DispatchState.FAILED, NoticeReason.FAILED),
            (DispatchState.STALE, NoticeReason.STALED),
            (DispatchState.UNKNOWN, NoticeReason.UNKNOWN),
        ],
    )
    def test_of_what_ran(self, cast: Cast, state: DispatchState, reason: NoticeReason) -> None:
        card = approved(cast)
        dispatched = claim(cast, card)
        commands.report_outcome(
            actor=agent(cast),
            dispatch_id=dispatched.dispatch_id,
            outcome=state,
            after={},
            evidence={},
        )
        assert only(cast, reason) == {"noor", "omar"}

    def test_of_what_a_rule_blocked(self, cast: Cast) -> None:
        spoken(cast, rule("never", "deny", match={"tool": "cancel_*"}))
        opened(cast)
        assert only(cast, NoticeReason.BLOCKED) == {"noor", "omar"}

    def test_of_what_a_rule_allowed_unless_they_want_to_hear_of_held_ones_only(
        self, cast: Cast
    ) -> None:
        spoken(cast, rule("always", "allow", match={"tool": "cancel_*"}))
        wish(cast.omar, automatic=False)
        card = opened(cast)
        heard = [row for row in queued(cast) if row.proposal_id == card.id]
        assert [(row.person.name, row.reason) for row in heard if row.person] == [
            ("Noor", "approved")
        ]

    def test_is_told_twice_where_it_was_approved_twice(self, cast: Cast) -> None:
        card = approved(cast)
        commands.withdraw_vote(actor=cast.ruth, proposal_id=card.id)
        approve(card, cast.ines)
        told_of = [row for row in queued(cast) if row.reason == NoticeReason.APPROVED.value]
        assert len(told_of) == 4

    def test_end_users_and_who_left_are_not_told(self, cast: Cast) -> None:
        chain = _chain(cast, "omar")
        opened_ = opened(cast, chain=(replace(chain[0], person_id=uuid7()),))
        commands.withdraw(actor=cast.system, proposal_id=opened_.id, cause="test")
        assert only(cast, NoticeReason.WITHDRAWN) == {"omar"}  # the link of the actor


class TestTellLeads:
    def test_of_what_nobody_can_complete(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        card = opened(cast, tier=2)
        for name in ("ruth", "ines"):
            accounts.set_membership(
                actor=cast.noor, person_id=cast.members[name].id, roles=[], groups=[], active=True
            )
        assert only(cast, NoticeReason.DEAD_END) == {"noor"}
        assert now(cast, card).unfillable


class TestNotify:
    """What other commands call: everyone who is skipped by break-glass, for instance."""

    def test_tells_each_person_once_and_leaves_strangers_out(self, cast: Cast) -> None:
        card = opened(cast)
        people = [cast.members[name].id for name in ("ruth", "ines", "mallory")]
        for _ in range(2):
            commands.notify(
                actor=cast.system,
                people=people,
                reason=NoticeReason.BREAK_GLASS,
                proposal_id=card.id,
            )
        assert only(cast, NoticeReason.BREAK_GLASS) == {"ines", "ruth"}

    def test_goes_with_the_transaction_of_its_caller(self, cast: Cast) -> None:
        with pytest.raises(RuntimeError, match="on second thought"):
            _undone(cast)
        assert queued(cast) == []

    def test_break_glass_comes_through_quiet_hours_and_a_reminder_does_not(
        self, cast: Cast, mail: MailServer
    ) -> None:
        at = clock.now()
        wish(
            cast.ruth,
            quiet_from=(at - timedelta(minutes=5)).time().replace(second=0, microsecond=0),
            quiet_until=(at + timedelta(minutes=30)).time().replace(second=0, microsecond=0),
        )
        card = opened(cast)
        commands.notify(
            actor=cast.system,
            people=[UUID(cast.ruth.id)],
            reason=NoticeReason.BREAK_GLASS,
            proposal_id=card.id,
        )
        post(cast)
        subjects = [str(one["Subject"]) for one in mail.to(cast.email("ruth"))]
        assert len(subjects) == 1
        assert "Break-glass" in subjects[0]
        post(cast, at + timedelta(minutes=31))
        assert "Your turn" in str(mail.to(cast.email("ruth"))[1]["Subject"])


def _chain(cast: Cast, name: str) -> tuple[Any, ...]:
    return tuple(
        replace(one, person_id=cast.members[name].id, actor_id=str(cast.members[name].id))
        for one in principals(cast)
        if one.person_id is not None
    )[:1]


def _end(cast: Cast, card: ProposalCard, how: str) -> None:
    match how:
        case "reject":
            reject(card, cast.ruth)
        case "expire":
            sweep(cast, card.decide_by)
        case "withdraw":
            commands.withdraw(actor=cast.system, proposal_id=card.id, cause="run ended")
        case "supersede":
            opened(cast, subject=card.subject, args={"order_id": "#W1", "reason": "other"})
        case "approve":
            approve(card, cast.ruth)
        case "lapse":
            approve(card, cast.ruth)
            sweep(cast, clock.now() + timedelta(hours=1))
        case _:
            raise AssertionError(how)


def _undone(cast: Cast) -> None:
    with in_tenant(cast.tenant_id):
        told_now = noticing.notify(
            actor=cast.system, people=[UUID(cast.ruth.id)], reason=NoticeReason.CHECKS
        )
        assert told_now == 1
        raise RuntimeError("on second thought")
