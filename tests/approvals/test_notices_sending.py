"""How notices leave, against real servers: mail, signed webhooks, chat; and what never leaves."""

import base64
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from hmac import HMAC
from typing import Any

import pytest

from approvals import commands, couriers
from approvals.cards import Parcel
from approvals.couriers import addresses, webhook
from approvals.models import Channel, Notice
from approvals.states import ChannelKind, CommentKind, DispatchState
from console.kernel import clock
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant
from tests.approvals.clocks import sweep
from tests.approvals.desk import (
    agent,
    approve,
    approved,
    claim,
    content,
    facts,
    opened,
    principals,
    reject,
)
from tests.approvals.post import MailServer, WebServer, mail_server, post, queued, web_server
from tests.cast import Cast

CANARY = "kestrel-9431"


@pytest.fixture
def mail(settings: Any) -> Iterator[MailServer]:
    settings.PUBLIC_URL = "https://console.example"
    with mail_server(settings) as server:
        yield server


@pytest.fixture
def web(settings: Any) -> Iterator[WebServer]:
    settings.ALLOW_PRIVATE_WEBHOOKS = True
    with web_server() as server:
        yield server


def channel(cast: Cast, kind: ChannelKind, address: str, **other: Any) -> Any:
    values = {"title": f"{kind} {uuid7().hex[-6:]}", "asks": True, "outcomes": True, **other}
    return commands.add_channel(actor=cast.noor, kind=kind, address=address, **values)


def parcel(address: str, **other: Any) -> Parcel:
    values: dict[str, Any] = {
        "notice_ids": (uuid7(),),
        "kind": ChannelKind.WEBHOOK,
        "address": address,
        "secret": webhook.new_secret(),
        "text": "{}",
    }
    return Parcel(**{**values, **other})


def secret(number: int) -> dict[str, Any]:
    """Return a change that says it everywhere; each number is another call."""
    return {
        "args": {"order_id": CANARY, "reason": f"{CANARY} {number}"},
        "before": {"orders": {CANARY: {"status": CANARY}}},
        "after": {"orders": {CANARY: {"status": f"{CANARY} again"}}},
        "facts_": facts(title=f"Cancel {CANARY}", why=CANARY, undo=CANARY, tool_summary=CANARY),
    }


def moved(number: int) -> dict[str, Any]:
    """Return the same call on another target."""
    parts = {name: value for name, value in secret(number).items() if name != "facts_"}
    return {**parts, "before": {"orders": {CANARY: {"status": "other"}}}}


class TestCanary:
    """A26: what would change leaves nowhere, and nothing that anybody wrote about it."""

    @pytest.mark.usefixtures("mail")
    def test_no_outgoing_byte_holds_an_argument(
        self, cast: Cast, mail: MailServer, web: WebServer
    ) -> None:
        channel(cast, ChannelKind.WEBHOOK, web.url)
        channel(cast, ChannelKind.CHAT, web.chat)
        channel(cast, ChannelKind.EMAIL, "team@meridian.example")
        self._live_through_everything(cast)
        sent = 0
        at = clock.now() + timedelta(minutes=1)
        while more := post(cast, at):
            sent += more
        bodies = [call.body for call in web.calls] + [body for _to, body in mail.taken]
        assert sent == len(bodies)
        reasons = {row.reason for row in queued(cast) if row.state == "sent"}
        assert reasons >= {
            "opened",
            "reminded",
            "revised",
            "rejected",
            "approved",
            "executed",
            "expired",
            "withdrawn",
        }
        texts = [str(one["Subject"]) + one.get_content() + str(one) for _to, one in mail.letters()]
        for body in [*bodies, *(text.encode() for text in texts)]:
            assert CANARY.encode() not in body
            assert base64.b64encode(CANARY.encode())[:12] not in body
        for call in web.calls:
            assert CANARY not in json.dumps([call.path, call.headers, call.json])
        assert "refunds v14" in texts[0]
        self._assert_tables_hold_nothing(cast)

    def test_a_title_leaves_only_where_it_may(
        self, cast: Cast, mail: MailServer, web: WebServer
    ) -> None:
        made = channel(cast, ChannelKind.WEBHOOK, web.url)
        channel(cast, ChannelKind.WEBHOOK, f"{web.url}&other=1")
        commands.switch_channel(actor=cast.noor, channel_id=made.id, active=True, titles=True)
        commands.switch_own_mail(actor=cast.noor, active=True, titles=True)
        args = {"order_id": CANARY}
        opened(cast, args=args, facts_=facts(title="Cancel order #W2974929"))
        post(cast)
        titles = {call.path: call.json["data"].get("title") for call in web.calls}
        assert titles == {
            "/hook?token=t0ken": "Cancel order #W2974929",
            "/hook?token=t0ken&other=1": None,
        }
        text = mail.to(cast.email("ruth"))[0].get_content()
        assert "Cancel order #W2974929" in text
        assert CANARY not in text

    def _live_through_everything(self, cast: Cast) -> None:
        card = opened(cast, **secret(1))
        commands.ask(
            actor=cast.ruth,
            proposal_id=card.id,
            kind=CommentKind.QUESTION,
            text=CANARY,
            revision_no=1,
        )
        approve(card, cast.ruth)
        claim(cast, card, **moved(1))
        card = commands.refresh(actor=agent(cast), proposal_id=card.id, content=content(**moved(1)))
        approve(card, cast.ruth, note=CANARY)
        done = claim(cast, card, **moved(1))
        commands.report_outcome(
            actor=agent(cast),
            dispatch_id=done.dispatch_id,
            outcome=DispatchState.SUCCEEDED,
            after={"orders": {CANARY: {}}},
            evidence={"seen": CANARY},
        )
        reject(opened(cast, **secret(2)), cast.ines, note=CANARY, agent_message=CANARY)
        gone = opened(cast, tier=2, **{**secret(3), "facts_": facts(2, title=CANARY)})
        commands.withdraw(actor=cast.system, proposal_id=gone.id, cause=CANARY)
        late = opened(cast, **secret(4))
        sweep(cast, late.decide_by)
        waits = opened(cast, **secret(5))
        approve(waits, cast.ruth)
        claim(cast, waits, **moved(5))
        commands.refresh(actor=agent(cast), proposal_id=waits.id, content=content(**moved(5)))
        half = opened(cast, **secret(6))
        sweep(cast, half.opened_at + (half.decide_by - half.opened_at) / 2)

    def _assert_tables_hold_nothing(self, cast: Cast) -> None:
        with in_tenant(cast.tenant_id, read_only=True):
            kept = [*Notice.objects.values(), *Channel.objects.values()]
        assert CANARY not in repr(kept)
        assert "t0ken" not in repr(kept)


class TestWebhook:
    def test_is_signed_as_standard_webhooks_says(self, cast: Cast, web: WebServer) -> None:
        made = channel(cast, ChannelKind.WEBHOOK, web.url)
        card = opened(cast)
        post(cast)
        (call,) = web.calls
        head = {name.lower(): value for name, value in call.headers.items()}
        signed = f"{head['webhook-id']}.{head['webhook-timestamp']}.".encode() + call.body
        key = base64.b64decode(made.secret.removeprefix("whsec_"))
        expected = base64.b64encode(HMAC(key, signed, sha256).digest()).decode()
        assert head["webhook-signature"] == f"v1,{expected}"
        assert abs(int(head["webhook-timestamp"]) - clock.now().timestamp()) < 300
        assert call.json["type"] == "proposal.opened"
        assert call.json["data"]["proposal_id"] == str(card.id)

    def test_signs_the_example_of_the_standard(self) -> None:
        # Source: standard-webhooks, libraries/python/tests (MIT).
        found = webhook.signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            b'{"test": 2432232314}',
        )
        assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    def test_tells_machines_what_was_decided(self, cast: Cast, web: WebServer) -> None:
        channel(cast, ChannelKind.WEBHOOK, web.url, asks=False)
        card = approved(cast)
        done = claim(cast, card)
        commands.report_outcome(
            actor=agent(cast), dispatch_id=done.dispatch_id, outcome=DispatchState.UNKNOWN,
            after={}, evidence={},
        )  # fmt: skip
        post(cast)
        said = [(call.json["type"], call.json["data"]) for call in web.calls]
        assert [name for name, _ in said] == ["proposal.decided", "dispatch.unknown"]
        data = said[0][1]
        assert (data["outcome"], data["detail"]) == ("approved", "people")
        assert data["subject"] == {"kind": card.subject.kind, "id": str(card.subject.id)}

    def test_has_the_same_id_when_it_is_sent_again(self, cast: Cast, web: WebServer) -> None:
        web.answers = [503]
        channel(cast, ChannelKind.WEBHOOK, web.url)
        opened(cast)
        post(cast)
        (row,) = [row for row in queued(cast) if row.channel]
        assert (row.state, row.last_error) == ("queued", "HTTP 503")
        post(cast, row.next_at)
        first, second = (
            {name.lower(): value for name, value in call.headers.items()} for call in web.calls
        )
        assert first["webhook-id"] == second["webhook-id"] == str(row.id)
        assert web.calls[0].body == web.calls[1].body

    @pytest.mark.parametrize(
        ("status", "error", "final"),
        [(302, "HTTP 302", False), (400, "HTTP 400", False), (410, "HTTP 410", True)],
    )
    def test_takes_nothing_but_a_2xx(
        self, web: WebServer, status: int, error: str, *, final: bool
    ) -> None:
        web.answers, web.location = [status], web.url
        failure = couriers.send(parcel(web.url))
        assert failure is not None
        assert (failure.error, failure.final) == (error, final)
        assert len(web.calls) == 1  # nobody followed the redirect

    def test_ends_an_answer_that_never_ends(
        self, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.ALLOW_PRIVATE_WEBHOOKS = True
        monkeypatch.setattr(webhook, "LIMIT_S", 0.3)
        with dripping() as port:
            failure = couriers.send(parcel(f"http://127.0.0.1:{port}/"))
        assert failure is not None
        assert failure.error == "timeout"

    def test_trusts_no_certificate_of_its_own(self, web: WebServer) -> None:
        failure = couriers.send(parcel(web.url.replace("http:", "https:")))
        assert failure is not None
        assert "SSL" in failure.error

    def test_prints_no_secret(self) -> None:
        one = parcel("https://hooks.example/t0ken", secret="whsec_x")
        assert "t0ken" not in repr(one)
        assert "whsec" not in repr(one)


class TestPublicAddress:
    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0",  # noqa: S104 - an address to refuse
            "100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1",
            "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001::1",
            "ff02::1",
        ],
    )  # fmt: skip
    def test_is_none_of_our_own_network(self, address: str) -> None:
        assert not addresses.is_public(address)

    @pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::808:808"])
    def test_is_what_everybody_reaches(self, address: str) -> None:
        assert addresses.is_public(address)

    def test_a_webhook_to_this_machine_is_refused_when_it_is_sent(
        self, cast: Cast, settings: Any
    ) -> None:
        with web_server() as web:
            settings.ALLOW_PRIVATE_WEBHOOKS = True
            channel(cast, ChannelKind.WEBHOOK, web.url)
            channel(cast, ChannelKind.CHAT, web.chat)
            settings.ALLOW_PRIVATE_WEBHOOKS = False
            opened(cast)
            post(cast)
            assert web.calls == []
        found = {(row.state, row.last_error) for row in queued(cast) if row.channel}
        assert found == {("failed", "address.not_public")}

    def test_a_name_with_one_private_address_is_refused(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A name server may answer anything; what it says is checked, whatever its order."""
        answers = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443)),
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: answers)
        failure = couriers.send(parcel("https://rebound.example/"))
        assert failure is not None
        assert (failure.error, failure.final) == ("address.not_public", True)

    def test_a_name_that_nobody_knows_is_tried_again(self) -> None:
        failure = couriers.send(parcel("https://nowhere.invalid/"))
        assert failure is not None
        assert (failure.error, failure.final) == ("host.unknown", False)


class TestChat:
    def test_goes_through_apprise(self, cast: Cast, web: WebServer) -> None:
        channel(cast, ChannelKind.CHAT, web.chat, group="finance", outcomes=False)
        one, two = opened(cast), opened(cast, tier=2)
        post(cast)
        (call,) = web.calls  # many at once are one message
        assert call.path == "/room"
        assert call.json["title"] == "[Signalbox] 2 notices, 2 wait for a decision"
        for card in (one, two):
            assert str(card.id) in call.json["message"]
        assert "Waits for finance: cancel_pending_order" in call.json["message"]

    def test_a_group_that_cannot_decide_is_not_asked(self, cast: Cast, web: WebServer) -> None:
        channel(cast, ChannelKind.CHAT, web.chat, group="finance")
        ines = cast.members["ines"]
        chain = tuple(
            replace(one, person_id=ines.id) if one.person_id else one for one in principals(cast)
        )
        opened(cast, chain=chain)
        post(cast)
        assert web.calls == []

    def test_is_tried_again_when_the_room_is_away(self, cast: Cast, web: WebServer) -> None:
        web.answers = [500]
        channel(cast, ChannelKind.CHAT, web.chat)
        opened(cast)
        post(cast)
        (row,) = [row for row in queued(cast) if row.channel]
        assert (row.state, row.last_error) == ("queued", "chat.refused")

    def test_is_not_read_in_until_somebody_needs_it(self) -> None:
        code = "import sys, approvals.couriers; sys.exit('apprise' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestMail:
    def test_a_shared_mailbox_hears_of_its_group(self, cast: Cast, mail: MailServer) -> None:
        channel(cast, ChannelKind.EMAIL, "finance@meridian.example", group="finance")
        opened(cast)
        post(cast)
        (letter,) = mail.to("finance@meridian.example")
        assert "Waits for finance" in str(letter["Subject"])
        assert "/reviews/notices/" not in letter.get_content()

    def test_is_kept_as_files_without_a_server(
        self, cast: Cast, settings: Any, tmp_path: Any
    ) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
        settings.EMAIL_FILE_PATH = tmp_path / "outbox"
        opened(cast)
        post(cast)
        texts = "".join(path.read_text() for path in (tmp_path / "outbox").iterdir())
        assert texts.count("Subject: [Signalbox] Your turn") == 2

    def test_of_a_channel_that_is_off_nothing_leaves(self, cast: Cast, mail: MailServer) -> None:
        commands.switch_own_mail(actor=cast.noor, active=False, titles=False)
        opened(cast)
        post(cast)
        assert mail.taken == []
        assert {row.last_error for row in queued(cast)} == {"channel.off"}


class TestStrongbox:
    def test_keeps_what_no_other_channel_opens(self, settings: Any) -> None:
        one, two = uuid7(), uuid7()
        sealed = couriers.seal(one, address="slack://token", secret="")
        assert b"token" not in sealed
        assert couriers.unseal(one, sealed) == ("slack://token", "")
        with pytest.raises(couriers.Lost):
            couriers.unseal(two, sealed)
        settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"
        assert couriers.unseal(one, sealed) == ("slack://token", "")
        settings.SECRET_KEY_FALLBACKS = []
        with pytest.raises(couriers.Lost):
            couriers.unseal(one, sealed)

    def test_a_lost_key_is_said_and_not_tried_again(
        self, cast: Cast, settings: Any, web: WebServer
    ) -> None:
        channel(cast, ChannelKind.WEBHOOK, web.url)
        settings.SECRET_KEY = "another"
        opened(cast)
        post(cast)
        (row,) = [row for row in queued(cast) if row.channel]
        assert (row.state, row.last_error) == ("failed", "channel.secret_lost")


@contextmanager
def dripping() -> Iterator[int]:
    """Run a server that says something every moment and never enough."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        line, _ = listener.accept()
        with line:
            line.sendall(b"HTTP/1.1 200 OK\r\n")
            try:
                while not over.wait(0.05):
                    line.sendall(b"X-More: of it\r\n")
            except OSError:
                return

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        over.set()
        thread.join()
        listener.close()
