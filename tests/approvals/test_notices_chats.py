"""Chats through the plugins themselves: what Slack, Teams and Discord get."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from apprise.manager_plugins import NotificationManager

from approvals import commands
from approvals.couriers import chat
from approvals.states import ChannelKind
from console.kernel import clock
from console.kernel.ids import uuid7
from tests.approvals.desk import opened, opened_many
from tests.approvals.post import WebServer, post, queued
from tests.approvals.rooms import TEAMS, rooms
from tests.cast import Cast

HOOK = "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
FLOW, SIGNED = "643e69f83c8944438d68119179a10a64", "KODuebWbDGYFr0z0eu-6Rj8aUKz7108W3wrNJZxFE5A"
INVOKE = f"workflows/{FLOW}/triggers/manual/paths/invoke"
AS_GIVEN = f"https://{TEAMS}:443/{INVOKE}?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={SIGNED}"
TEAMS_TAKES = 28 * 1024
DISCORD_TAKES = 2000


@pytest.fixture
def web(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    settings.ALLOW_PRIVATE_WEBHOOKS = True
    settings.PUBLIC_URL = "https://console.example"
    with rooms(tmp_path, monkeypatch) as server:
        yield server


def room(cast: Cast, address: str) -> None:
    title = f"Room {uuid7().hex[-6:]}"
    commands.add_channel(
        actor=cast.noor, kind=ChannelKind.CHAT, title=title, address=address, group="finance"
    )


def told(cast: Cast) -> tuple[str, str]:
    """Return how the one notice of the room stands."""
    (row,) = [row for row in queued(cast) if row.channel]
    return row.state, row.last_error


class TestSlack:
    def test_gets_what_waits_and_nothing_of_what_would_change(
        self, cast: Cast, web: WebServer
    ) -> None:
        web.says = b"ok"
        room(cast, f"slack://{HOOK}/%23reviews")
        card = opened(cast)
        post(cast)
        (call,) = web.calls
        assert call.path == f"/services/{HOOK}"
        assert call.json["channel"] == "#reviews"
        (said,) = call.json["attachments"]
        assert said["title"].startswith("[Signalbox] Waits for finance: cancel_pending_order")
        assert f"https://console.example/reviews/{card.id}/" in said["text"]
        assert said["footer"] == "Signalbox"
        assert b"ordered by mistake" not in call.body
        assert b"github" not in call.body  # no picture of somebody else's server
        assert told(cast) == ("sent", "")

    def test_that_has_too_much_to_do_gets_it_again_once(self, cast: Cast, web: WebServer) -> None:
        web.says, web.answers = b"ok", [429]
        room(cast, f"slack://{HOOK}/%23reviews")
        opened(cast)
        post(cast)
        assert told(cast) == ("queued", "chat.refused")
        post(cast)  # not before its time
        later = clock.now() + timedelta(minutes=1)
        post(cast, at=later)
        post(cast, at=later)
        assert told(cast) == ("sent", "")
        first, second = (call.json["attachments"][0]["text"] for call in web.calls)
        assert first == second

    def test_that_is_somebody_else_gets_nothing(
        self, cast: Cast, web: WebServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        room(cast, f"slack://{HOOK}/%23reviews")
        opened(cast)
        post(cast)
        assert told(cast) == ("queued", "chat.refused")
        assert web.calls == []


class TestTeams:
    @pytest.mark.parametrize("address", [AS_GIVEN, f"workflows://{TEAMS}:443/{FLOW}/{SIGNED}"])
    def test_gets_a_card_by_a_workflow(self, cast: Cast, web: WebServer, address: str) -> None:
        web.answers = [202]
        assert chat.service_of(address) == f"Teams workflow at {TEAMS}"
        room(cast, address)
        cards = opened_many(cast, 12)
        post(cast)
        (call,) = web.calls
        path, _, query = call.path.partition("?")
        assert path == f"/{INVOKE}"
        assert f"sig={SIGNED}" in query
        (made,) = call.json["attachments"]
        title, text = made["content"]["body"]
        assert made["contentType"] == "application/vnd.microsoft.card.adaptive"
        assert title["text"] == "[Signalbox] 12 notices, 12 wait for a decision"
        assert all(str(card.id) in text["text"] for card in cards)
        assert len(call.body) < TEAMS_TAKES

    @pytest.mark.parametrize(
        "address",
        [
            f"msteams://{FLOW}/{SIGNED}/x/y",
            f"https://meridian.webhook.office.com/webhookb2/{FLOW}/IncomingWebhook/x/y",
        ],
    )
    def test_has_no_connectors_any_more(self, address: str) -> None:
        with pytest.raises(ValueError, match="add a workflow for webhooks"):
            chat.service_of(address)


class TestRoom:
    def test_of_a_message_is_never_passed_and_what_is_left_out_is_said(
        self, cast: Cast, web: WebServer
    ) -> None:
        room(cast, f"discord://{FLOW[:18]}/{SIGNED}/")
        cards = opened_many(cast, 12)
        post(cast)
        (call,) = web.calls
        said = call.json["content"]
        assert len(said) <= DISCORD_TAKES
        shown = sum(str(card.id) in said for card in cards)
        assert 1 < shown < len(cards)
        assert f"{12 - shown} more are in the list of reviews: https://console.example/" in said
        assert said.endswith("What would change is shown only there.")


class TestAddress:
    @pytest.mark.parametrize(
        ("asked", "said"),
        [
            ("template=/etc/hostname", "template"),
            ("Template=http://169.254.169.254/", "template"),
            ("retry=3", "retry"),
            ("x=1;retry=3", "retry"),
            ("optional=yes", "optional"),
            ("CTO=600", "ten seconds"),
            ("Verify=no", "verify"),
        ],
    )
    def test_says_where_and_nothing_else(self, asked: str, said: str) -> None:
        with pytest.raises(ValueError, match=said):
            chat.service_of(f"workflows://{TEAMS}:443/{FLOW}/{SIGNED}?{asked}")

    def test_is_of_a_service_that_there_is(self) -> None:
        manager: Any = NotificationManager
        known = {plugin.__name__ for plugin in manager().plugins()}
        assert set(chat.SERVICES) - known == set()
