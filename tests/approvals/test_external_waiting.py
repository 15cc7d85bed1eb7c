"""Waiting for people over real HTTP: a server on the event loop, hints over Redis, or without."""

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from django.conf import settings as django
from django.db import connection

from approvals import streams
from approvals.states import Choice
from console.kernel import relay
from console.kernel.ids import uuid7
from console.kernel.live import group_of
from tests.approvals import outsider as them
from tests.approvals.desk import shown, vote
from tests.approvals.outsider import BASE, Outsider, decide
from tests.approvals.web import server, until
from tests.cast import HOST, Cast

__all__ = ["server"]  # a fixture

LONG_S = 40  # far longer than any of these may take
NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def cast() -> Cast:
    return them.with_tool()


@pytest.fixture
def outsider(cast: Cast) -> Outsider:
    return them.outsider(cast)


class Waiter:
    """Waits over HTTP in threads, as agents do."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.threads = ThreadPoolExecutor(max_workers=30)

    def get(self, outsider: Outsider, found: dict[str, Any], query: str) -> tuple[int, Any]:
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{self.server}{BASE}/proposals/{found['id']}/wait?{query}",
            headers={"Authorization": f"Bearer {outsider.secret}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=LONG_S) as answer:  # noqa: S310
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    def begin(
        self, outsider: Outsider, found: dict[str, Any], query: str = "seconds=40"
    ) -> "Future[tuple[int, Any]]":
        """Begin to wait, and return once the server does."""
        before = waiting(outsider)
        started = self.threads.submit(self.get, outsider, found, query)
        until(lambda: waiting(outsider) > before or started.done())
        return started


@pytest.fixture
def waiter(server: str) -> Iterator[Waiter]:
    one = Waiter(server)
    yield one
    one.threads.shutdown()


def waiting(outsider: Outsider) -> int:
    return streams._waiting[str(outsider.key_id)]


def deliver(cast: Cast) -> None:
    relay.relay_all(tenant_id=cast.tenant_id)


class TestWait:
    def test_ends_at_the_hint_of_a_decision(
        self,
        cast: Cast,
        outsider: Outsider,
        waiter: Waiter,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(streams, "_POLL_S", 30.0)  # only a hint is as quick as this test
        found = outsider.opened()
        deliver(cast)
        answer = waiter.begin(outsider, found)
        listening(cast, found)

        decide(cast, found, Choice.APPROVE)
        deliver(cast)

        status, told = answer.result(timeout=15)
        assert (status, told["changed"], told["proposal"]["state"]) == (200, True, "approved")

    def test_finds_out_without_any_hint(
        self, cast: Cast, outsider: Outsider, waiter: Waiter
    ) -> None:
        found = outsider.opened()
        answer = waiter.begin(outsider, found)

        decide(cast, found, Choice.APPROVE)  # nothing delivers it

        assert answer.result(timeout=15)[1]["proposal"]["state"] == "approved"

    def test_finds_out_with_redis_gone(
        self, cast: Cast, outsider: Outsider, waiter: Waiter, settings: Any
    ) -> None:
        layers = django.CHANNEL_LAYERS
        settings.CHANNEL_LAYERS = {"default": {**layers["default"], "CONFIG": {"hosts": [NOWHERE]}}}
        found = outsider.opened()
        answer = waiter.begin(outsider, found)

        decide(cast, found, Choice.REJECT)

        assert answer.result(timeout=15)[1]["proposal"]["state"] == "rejected"

    def test_ends_with_what_is_when_its_time_is_over(
        self, outsider: Outsider, waiter: Waiter
    ) -> None:
        found = outsider.opened()

        status, told = waiter.get(outsider, found, "seconds=1")

        assert (status, told["changed"], told["proposal"]["state"]) == (200, False, "open")

    @pytest.mark.parametrize("query", ["", "after=open", "after=1", "after=approved"])
    def test_answers_at_once_when_people_decided(
        self, outsider: Outsider, waiter: Waiter, query: str
    ) -> None:
        found = outsider.approved()

        told = waiter.get(outsider, found, query)[1]

        assert (told["changed"], told["proposal"]["state"]) == (True, "approved")

    def test_tells_whoever_comes_back_later(
        self, cast: Cast, outsider: Outsider, waiter: Waiter
    ) -> None:
        found = outsider.opened()
        assert not waiter.get(outsider, found, "seconds=0")[1]["changed"]
        decide(cast, found, Choice.APPROVE)
        again = them.Outsider(
            cast=cast, client=outsider.client, key_id=outsider.key_id, secret=outsider.secret
        )

        assert waiter.get(again, found, "seconds=40")[1]["changed"]

    def test_ends_when_another_took_its_place(self, outsider: Outsider, waiter: Waiter) -> None:
        subject = str(uuid7())
        found = outsider.opened(subject=subject)
        answer = waiter.begin(outsider, found)
        outsider.opened(subject=subject, args={"customer": "c-17", "phone": "+1 555 0101"})

        assert answer.result(timeout=15)[1]["proposal"]["state"] == "superseded"

    def test_shows_nothing_of_a_hidden_vote(
        self, cast: Cast, outsider: Outsider, waiter: Waiter
    ) -> None:
        found = outsider.opened(tier=2)
        before = waiter.get(outsider, found, "seconds=0")[1]
        card = them.card_of(cast, found)
        vote(shown(card, cast.ruth), cast.ruth, Choice.APPROVE)

        assert waiter.get(outsider, found, "seconds=0")[1] == before
        assert waiter.get(outsider, found, f"after={found['row_version']}&seconds=1")[1] == before

    def test_holds_no_connection(
        self, outsider: Outsider, waiter: Waiter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Looks are apart for so long that none of them is meant here."""
        monkeypatch.setattr(streams, "_POLL_S", 30.0)
        found = outsider.opened()
        before = open_connections()
        answers = [waiter.begin(outsider, found, "seconds=4") for _ in range(15)]
        until(lambda: waiting(outsider) == len(answers))
        until(lambda: open_connections() <= before + 1)

        assert waiting(outsider) == len(answers)
        assert {answer.result(timeout=30)[0] for answer in answers} == {200}

    def test_is_limited_for_each_key(
        self, cast: Cast, outsider: Outsider, waiter: Waiter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(streams, "MOST_WAITING", 2)
        found = outsider.opened()
        answers = [waiter.begin(outsider, found) for _ in range(2)]

        status, refused = waiter.get(outsider, found, "seconds=40")

        assert (status, refused["code"]) == (429, "wait.too_many")
        decide(cast, found, Choice.APPROVE)
        assert [answer.result(timeout=15)[0] for answer in answers] == [200, 200]
        until(lambda: not waiting(outsider))

    def test_forgets_who_hung_up(self, outsider: Outsider, server: str) -> None:
        found = outsider.opened()
        place = urlsplit(server)
        with socket.create_connection((place.hostname, place.port)) as line:
            line.sendall(
                f"GET {BASE}/proposals/{found['id']}/wait?seconds=40 HTTP/1.1\r\n"
                f"Host: {HOST}\r\nAuthorization: Bearer {outsider.secret}\r\n\r\n".encode()
            )
            until(lambda: waiting(outsider) > 0)

        until(lambda: not waiting(outsider))

    @pytest.mark.parametrize(
        "query", ["after=soon", "after=-1", "after=1.5", "seconds=55", "seconds=x", "other=1"]
    )
    def test_refuses_bad_values(self, outsider: Outsider, query: str) -> None:
        found = outsider.opened()

        answer = outsider.client.get(f"{BASE}/proposals/{found['id']}/wait?{query}")

        assert answer.status_code == 400
        assert answer.json()["code"] == "invalid"

    def test_is_for_whoever_opened_it_or_may_look(self, cast: Cast, outsider: Outsider) -> None:
        found = outsider.opened()
        elsewhere = f"{BASE}/proposals/{found['id']}/wait?seconds=0"

        assert them.outsider(cast).wait(found, seconds=0).status_code == 404
        assert them.outsider(cast, "approvals.view").wait(found, seconds=0).status_code == 403
        reader = them.outsider(cast, "approvals.propose", "approvals.view")
        assert reader.wait(found, seconds=0).status_code == 200
        assert cast.api("mallory").get(elsewhere).status_code == 404


def listening(cast: Cast, found: dict[str, Any]) -> None:
    """Return once somebody listens to the proposal's hints."""
    client = redis.Redis.from_url(django.REDIS_URL)
    group = group_of(cast.tenant_id, f"proposal:{found['id']}")
    until(lambda: any(group.encode() in one for one in client.pubsub_channels()))


def open_connections() -> int:
    """Return how many connections there are; tests have no pool, so one that is let go is gone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        row = cursor.fetchone()
    return int(row[0])
