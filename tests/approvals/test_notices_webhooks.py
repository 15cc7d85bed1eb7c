"""Webhooks: how they are signed and tried again, and where they never go."""

import base64
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from hmac import HMAC
from typing import Any

import pytest

from approvals import commands, couriers
from approvals.cards import Parcel
from approvals.couriers import addresses, webhook
from approvals.states import ChannelKind, DispatchState
from console.kernel import clock
from console.kernel.ids import uuid7
from tests.approvals.desk import (
    agent,
    approved,
    claim,
    opened,
)
from tests.approvals.post import WebServer, post, queued, web_server
from tests.approvals.test_notices_sending import channel, web
from tests.cast import Cast

__all__ = ["web"]  # a fixture


def parcel(address: str, **other: Any) -> Parcel:
    values: dict[str, Any] = {
        "notice_ids": (uuid7(),),
        "kind": ChannelKind.WEBHOOK,
        "address": address,
        "secret": webhook.new_secret(),
        "text": "{}",
    }
    return Parcel(**{**values, **other})


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
