"""Notices on their way: when they leave, what is dropped or tried again, where links lead."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from approvals import commands
from approvals.cards import Failure, NoticeSettingCard
from approvals.commands import sending
from approvals.policies import notices as when
from approvals.states import Digest, SnoozeFor
from console.accounts import commands as accounts
from console.kernel import clock, pulse, relay, tenancy
from console.kernel.actors import Actor, system
from tests.approvals.desk import (
    now,
    opened,
    reject,
)
from tests.approvals.desk import pulse as clocks
from tests.approvals.post import MailServer, mail_server, post, queued
from tests.cast import Cast


@pytest.fixture
def mail(settings: Any) -> Iterator[MailServer]:
    settings.PUBLIC_URL = "https://console.example"
    with mail_server(settings) as server:
        yield server


def wish(actor: Actor, **other: Any) -> None:
    commands.set_notices(actor=actor, setting=NoticeSettingCard(**other))


class TestSendDue:
    def test_sends_each_person_one_message(self, cast: Cast, mail: MailServer) -> None:
        one, two = opened(cast), opened(cast, tier=2)
        assert post(cast) == 2
        (letter,) = mail.to(cast.email("ruth"))
        assert letter["Subject"] == "[Signalbox] 2 notices, 2 wait for a decision"
        for card in (one, two):
            assert f"https://console.example/reviews/{card.id}/" in letter.get_content()
        assert post(cast) == 0
        assert {row.state for row in queued(cast)} == {"sent"}

    def test_a_digest_waits_for_its_hour(self, cast: Cast, mail: MailServer) -> None:
        wish(cast.omar, digest=Digest.HOURLY)
        for _ in range(3):
            commands.withdraw(actor=cast.system, proposal_id=opened(cast).id, cause="test")
        post(cast)
        assert mail.to(cast.email("omar")) == []
        post(cast, clock.now() + timedelta(hours=1))
        (letter,) = mail.to(cast.email("omar"))
        assert letter["Subject"] == "[Signalbox] 3 notices"

    def test_drops_what_is_not_true_any_more(self, cast: Cast, mail: MailServer) -> None:
        card = opened(cast)
        queued(cast)
        reject(card, cast.ines)
        post(cast)
        assert mail.to(cast.email("ruth")) == []
        states = {row.last_error for row in queued(cast) if row.reason == "opened"}
        assert states == {"proposal.not_open"}

    def test_drops_what_is_not_their_turn_any_more(self, cast: Cast, mail: MailServer) -> None:
        opened(cast)
        queued(cast)
        accounts.set_membership(
            actor=cast.noor, person_id=cast.members["ruth"].id, roles=[], groups=[], active=True
        )
        post(cast)
        assert mail.to(cast.email("ruth")) == []
        assert len(mail.to(cast.email("ines"))) == 1

    def test_waits_for_a_release_and_for_the_end_of_a_snooze(
        self, cast: Cast, mail: MailServer
    ) -> None:
        card, other = opened(cast), opened(cast)
        at = clock.now()
        commands.freeze(
            actor=clocks(cast), proposal_ids=[card.id], cause="stop of refunds", since=at
        )
        until = commands.snooze(
            actor=cast.ruth, proposal_id=other.id, for_how_long=SnoozeFor.QUARTER
        )
        post(cast)
        assert mail.to(cast.email("ruth")) == []
        commands.thaw(actor=clocks(cast), proposal_ids=[card.id], cause="stop of refunds")
        post(cast, at + timedelta(minutes=5))
        assert str(card.id) in mail.to(cast.email("ruth"))[0].get_content()
        assert str(other.id) not in mail.to(cast.email("ruth"))[0].get_content()
        post(cast, until + timedelta(seconds=1))
        assert str(other.id) in mail.to(cast.email("ruth"))[1].get_content()

    def test_tries_again_later_and_later_and_then_says_so(
        self, cast: Cast, mail: MailServer
    ) -> None:
        mail.refuse = 451
        wish(cast.ines, email=False)
        opened(cast)
        tries = 0
        at = clock.now()
        while (row := next(r for r in queued(cast) if r.reason == "opened")).state == "queued":
            at = max(at, row.next_at)
            tries += post(cast, at)
        assert tries == when.MOST_ATTEMPTS
        assert (row.state, row.attempts) == ("failed", when.MOST_ATTEMPTS)
        assert row.last_error == "SMTPRecipientsRefused 451"
        assert at - row.created_at < timedelta(hours=5)

    def test_tries_a_mailbox_that_does_not_exist_only_once(
        self, cast: Cast, mail: MailServer
    ) -> None:
        mail.refuse = 550
        opened(cast)
        post(cast)
        assert {(row.state, row.attempts) for row in queued(cast)} == {("failed", 1)}

    def test_a_server_that_is_away_loses_nothing(
        self, cast: Cast, settings: Any, mail: MailServer
    ) -> None:
        port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
        opened(cast)
        post(cast)
        assert {row.last_error for row in queued(cast)} == {"ConnectionRefusedError"}
        settings.EMAIL_PORT = port
        post(cast, clock.now() + timedelta(minutes=1))
        assert len(mail.taken) == 2

    def test_leaves_alone_what_somebody_else_sends(self, cast: Cast) -> None:
        opened(cast)
        queued(cast)
        actor = system("pulse.notices", cast.tenant_id)
        first = sending.lease_notices(actor=actor)
        assert len(first) == 2
        assert sending.lease_notices(actor=actor) == ()
        # Whoever had them died: their lease ends, and the message has the same id.
        with clock.frozen(clock.now() + timedelta(seconds=sending.LEASE_S + 1)):
            again = sending.lease_notices(actor=actor)
        assert {one.notice_ids for one in again} == {one.notice_ids for one in first}

    def test_four_at_once_send_each_message_once(self, cast: Cast, mail: MailServer) -> None:
        for _ in range(5):
            opened(cast)
        queued(cast)
        actor = system("pulse.notices", cast.tenant_id)
        barrier = threading.Barrier(4)

        def send() -> None:
            barrier.wait()
            try:
                commands.send_due(actor=actor)
            finally:
                connection.close()

        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        text = "".join(one.get_content() for one in mail.to(cast.email("ruth")))
        assert text.count("Your turn: cancel_pending_order") == 5
        assert {(row.state, row.attempts) for row in queued(cast)} == {("sent", 1)}

    def test_a_late_answer_changes_nothing_that_is_settled(self, cast: Cast) -> None:
        opened(cast)
        queued(cast)
        actor = system("pulse.notices", cast.tenant_id)
        for parcel in sending.lease_notices(actor=actor):
            for failure in (None, Failure(error="timeout", final=True)):
                sending.settle_notices(actor=actor, notice_ids=parcel.notice_ids, failure=failure)
        assert {row.state for row in queued(cast)} == {"sent"}

    def test_pulse_does_it(
        self, cast: Cast, mail: MailServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened(cast)
        relay.relay_all(tenant_id=cast.tenant_id)
        # Other tests left notices in tenants of theirs.
        monkeypatch.setattr(tenancy, "every_tenant", lambda **_: iter([cast.tenant_id]))
        assert pulse.run_once("approvals.notify") == 2
        assert len(mail.to(cast.email("ruth"))) == 1

    def test_a_message_never_repeats_itself_to_a_machine(
        self, cast: Cast, mail: MailServer
    ) -> None:
        opened(cast)
        post(cast)
        letter = mail.to(cast.email("ruth"))[0]
        assert letter["Auto-Submitted"] == "auto-generated"
        ids = {f"<{row.id}@localhost>" for row in queued(cast)}
        assert letter["Message-ID"] in ids


class TestLink:
    def test_a_forwarded_link_opened_signed_out_decides_nothing(
        self, cast: Cast, mail: MailServer
    ) -> None:
        """n8n-io/n8n-docs#5036."""
        card = opened(cast)
        post(cast)
        text = mail.to(cast.email("ruth"))[0].get_content()
        link = next(line for line in text.splitlines() if str(card.id) in line)
        path = link.removeprefix("https://console.example")
        stranger = Client(SERVER_NAME="localhost")
        answer = stranger.get(path)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/sign-in/")
        for sent in ({}, {"choice": "approve", "record": "1"}):
            assert stranger.post(f"{path}vote/", sent).status_code == 401
        assert cast.client("ruth").get(path).status_code == 200
        found = now(cast, card)
        assert (found.card.state, found.given) == ("open", 0)
