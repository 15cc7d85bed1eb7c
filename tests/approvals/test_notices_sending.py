"""How notices leave, against real servers: chat and mail, and how the addresses are kept."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from approvals import commands, couriers
from approvals.states import ChannelKind
from console.kernel.ids import uuid7
from tests.approvals.desk import (
    opened,
    principals,
)
from tests.approvals.post import MailServer, WebServer, mail_server, post, queued, web_server
from tests.cast import Cast


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
