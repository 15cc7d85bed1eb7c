"""The pages of notices and the commands behind them: channels, and how a person is told."""

import re
from datetime import time
from typing import Any

import pytest
from django.db import DatabaseError, connection

from approvals import commands, queries
from approvals.cards import NewChannel, NoticeSettingCard
from approvals.models import Channel
from approvals.states import ChannelKind, Digest
from audit.queries import events_of
from console.kernel.actors import Actor
from console.kernel.errors import BadInput, ConsoleError, NotAllowed, NotFound
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant
from tests.approvals.desk import opened, reject
from tests.approvals.post import post, queued
from tests.cast import Cast

HOOK = "https://hooks.example/t0ken?a=b"
SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/%23general"
ROOM = {"kind": "webhook", "title": "Deploys", "address": HOOK, "asks": "1"}


def text(answer: Any) -> str:
    return str(answer.content.decode())


def add(cast: Cast, actor: Actor | None = None, **other: Any) -> NewChannel:
    values: dict[str, Any] = {"kind": ChannelKind.WEBHOOK, "title": "Room", "address": HOOK}
    return commands.add_channel(actor=actor or cast.noor, **{**values, **other})


def kept(cast: Cast) -> list[Any]:
    with in_tenant(cast.tenant_id, read_only=True):
        return list(Channel.objects.filter(tenant_id=cast.tenant_id).order_by("title").values())


def actions(cast: Cast, channel_id: Any) -> list[str]:
    found = events_of(actor=cast.system, target_type="channel", target_id=str(channel_id))
    return [line.action for line in reversed(found)]


class TestAddChannel:
    def test_keeps_the_address_sealed_and_shows_what_is_no_secret(self, cast: Cast) -> None:
        made = add(cast)
        assert made.secret.startswith("whsec_")
        (row,) = kept(cast)
        assert "t0ken" not in repr(row)
        assert made.secret not in repr(row)
        assert row["shown"] == "https://hooks.example/…"
        assert actions(cast, made.id) == ["channel.added"]

    @pytest.mark.parametrize(
        ("kind", "address", "shown"),
        [
            (ChannelKind.CHAT, SLACK, "Slack"),
            (
                ChannelKind.CHAT,
                "workflows://prod.logic.example:443/flow/sig",
                "Teams workflow at prod",
            ),
            (ChannelKind.CHAT, "ntfys://ntfy.example/reviews", "ntfy at ntfy.example"),
            (ChannelKind.EMAIL, "reviews@meridian.example", "reviews@meridian.example"),
            (ChannelKind.WEBHOOK, "https://hooks.example:8443/x", "https://hooks.example:8443/…"),
        ],
    )
    def test_knows_what_to_call_it(
        self, cast: Cast, kind: ChannelKind, address: str, shown: str
    ) -> None:
        made = add(cast, kind=kind, address=address)
        assert bool(made.secret) == (kind is ChannelKind.WEBHOOK)
        assert kept(cast)[0]["shown"].startswith(shown)

    @pytest.mark.parametrize(
        ("kind", "address"),
        [
            (ChannelKind.WEBHOOK, "http://hooks.example/"),
            (ChannelKind.WEBHOOK, "https://"),
            (ChannelKind.WEBHOOK, "https://[::1"),
            (ChannelKind.WEBHOOK, "https://hooks.example:99999/"),
            (ChannelKind.WEBHOOK, "https://me:pass@hooks.example/"),
            (ChannelKind.WEBHOOK, "https://hooks.example/#x"),
            (ChannelKind.WEBHOOK, "https://hooks.example/\r\nHost: other"),
            (ChannelKind.WEBHOOK, "file:///etc/passwd"),
            (ChannelKind.WEBHOOK, "https://localhost/"),
            (ChannelKind.WEBHOOK, "https://169.254.169.254/latest/meta-data/"),
            (ChannelKind.WEBHOOK, "https://[::ffff:10.0.0.1]/"),
            (ChannelKind.CHAT, "not a chat"),
            (ChannelKind.CHAT, "syslog://"),
            (ChannelKind.CHAT, "mailto://user:pass@gmail.com"),
            (ChannelKind.CHAT, "json://127.0.0.1/"),
            (ChannelKind.CHAT, "json://db.localhost/"),
            (ChannelKind.CHAT, "jsons://chat.example/?verify=no"),
            (ChannelKind.CHAT, "jsons://chat.example/?redirect=yes"),
            (ChannelKind.CHAT, "jsons://chat.example/?rto=9999"),
            (ChannelKind.EMAIL, "nobody"),
            (ChannelKind.EMAIL, "a@b.example,c@d.example"),
        ],
    )
    def test_refuses_what_is_no_address(self, cast: Cast, kind: ChannelKind, address: str) -> None:
        with pytest.raises(BadInput) as refused:
            add(cast, kind=kind, address=address)
        assert list(refused.value.details["fields"]) == ["address"]  # type: ignore[call-overload]
        assert kept(cast) == []

    @pytest.mark.parametrize(
        ("other", "field"),
        [
            ({"group": "nobody"}, "group"),
            ({"asks": False}, "asks"),
            ({"title": "a\u202eb"}, "title"),
        ],
    )
    def test_refuses_the_rest(self, cast: Cast, other: dict[str, Any], field: str) -> None:
        with pytest.raises(BadInput) as refused:
            add(cast, **other)
        assert list(refused.value.details["fields"]) == [field]  # type: ignore[call-overload]

    def test_has_one_of_a_title(self, cast: Cast) -> None:
        add(cast)
        with pytest.raises(ConsoleError) as refused:
            add(cast, address="https://elsewhere.example/")
        assert refused.value.code == "channel.title_taken"

    @pytest.mark.parametrize("name", ["ruth", "omar"])
    def test_is_for_administrators(self, cast: Cast, name: str) -> None:
        with pytest.raises(NotAllowed):
            add(cast, cast.members[name].actor)

    def test_an_unrecorded_channel_is_refused_by_the_database(self, cast: Cast) -> None:
        made = add(cast)
        with (
            pytest.raises(DatabaseError, match="no audit event"),
            in_tenant(cast.tenant_id),
            connection.cursor() as cursor,
        ):
            cursor.execute("UPDATE approvals_channel SET active = false WHERE id = %s", [made.id])

    def test_nobody_changes_an_address(self, cast: Cast) -> None:
        made = add(cast)
        with (
            pytest.raises(DatabaseError, match="permission denied"),
            in_tenant(cast.tenant_id),
            connection.cursor() as cursor,
        ):
            cursor.execute("UPDATE approvals_channel SET sealed = '' WHERE id = %s", [made.id])


class TestSwitchChannel:
    def test_is_recorded_when_something_changed(self, cast: Cast) -> None:
        made = add(cast)
        for _ in range(2):
            commands.switch_channel(actor=cast.noor, channel_id=made.id, active=False, titles=True)
        assert actions(cast, made.id) == ["channel.added", "channel.switched"]
        (row,) = kept(cast)
        assert (row["active"], row["titles"]) == (False, True)

    def test_mail_to_people_is_one_of_them(self, cast: Cast) -> None:
        for titles in (True, False):
            commands.switch_own_mail(actor=cast.noor, active=True, titles=titles)
        (row,) = kept(cast)
        assert (row["kind"], row["sealed"], row["titles"]) == ("email", None, False)
        mail, *rest = queries.channels(actor=cast.noor)
        assert (mail.own_mail, mail.id, rest) == (True, row["id"], [])

    def test_finds_nothing_elsewhere(self, cast: Cast) -> None:
        made = add(cast)
        with pytest.raises(NotFound):
            commands.switch_channel(
                actor=cast.mallory, channel_id=made.id, active=False, titles=True
            )


class TestTryChannel:
    def test_leaves_at_once_and_once_a_minute(self, cast: Cast) -> None:
        made = add(cast)
        commands.try_channel(actor=cast.noor, channel_id=made.id)
        with pytest.raises(ConsoleError) as refused:
            commands.try_channel(actor=cast.noor, channel_id=made.id)
        assert refused.value.code == "channel.tested_just_now"
        assert [(row.reason, row.state) for row in queued(cast)] == [("test", "queued")]
        assert actions(cast, made.id)[-1] == "channel.tested"

    def test_not_through_one_that_is_off(self, cast: Cast) -> None:
        made = add(cast)
        commands.switch_channel(actor=cast.noor, channel_id=made.id, active=False, titles=False)
        with pytest.raises(ConsoleError) as refused:
            commands.try_channel(actor=cast.noor, channel_id=made.id)
        assert refused.value.code == "channel.off"

    def test_anybody_tests_their_own_mail(self, cast: Cast) -> None:
        commands.try_own_mail(actor=cast.ruth)
        with pytest.raises(ConsoleError) as again:
            commands.try_own_mail(actor=cast.ruth)
        assert again.value.code == "channel.tested_just_now"
        commands.set_notices(actor=cast.ines, setting=NoticeSettingCard(email=False))
        with pytest.raises(ConsoleError) as refused:
            commands.try_own_mail(actor=cast.ines)
        assert refused.value.code == "channel.off"


class TestSetNotices:
    def test_is_kept_for_each_person(self, cast: Cast) -> None:
        wish = NoticeSettingCard(
            digest=Digest.DAILY,
            quiet_from=time(22),
            quiet_until=time(7),
            zone="Europe/Berlin",
            automatic=False,
        )
        commands.set_notices(actor=cast.ruth, setting=NoticeSettingCard())
        commands.set_notices(actor=cast.ruth, setting=wish)
        assert queries.notice_setting(actor=cast.ruth) == wish
        assert queries.notice_setting(actor=cast.ines) == NoticeSettingCard()

    @pytest.mark.parametrize(
        ("other", "field"),
        [
            ({"zone": "Mars/Olympus"}, "zone"),
            ({"zone": "../../etc/passwd"}, "zone"),
            ({"quiet_from": time(1)}, "quiet_until"),
            ({"quiet_until": time(1)}, "quiet_from"),
        ],
    )
    def test_refuses_bad_values(self, cast: Cast, other: dict[str, Any], field: str) -> None:
        with pytest.raises(BadInput) as refused:
            commands.set_notices(actor=cast.ruth, setting=NoticeSettingCard(**other))
        assert list(refused.value.details["fields"]) == [field]  # type: ignore[call-overload]


class TestChannelsPage:
    def test_says_what_there_is_when_there_is_nothing(self, cast: Cast) -> None:
        page = cast.client("noor").get("/reviews/channels/")
        assert page.status_code == 200
        for said in ("No shared channel yet", "Nothing was sent yet", "E-mail to each person"):
            assert said in text(page)

    def test_is_refused_without_the_permission(self, cast: Cast) -> None:
        assert cast.client("ruth").get("/reviews/channels/").status_code == 403

    def test_shows_a_webhooks_secret_this_once(self, cast: Cast) -> None:
        client = cast.client("noor")
        page = client.post("/reviews/channels/", ROOM)
        assert page.status_code == 201
        (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", text(page))
        again = text(client.get("/reviews/channels/"))
        assert secret not in again
        assert "t0ken" not in again
        assert "https://hooks.example/…" in again

    def test_keeps_what_was_typed_with_the_sentence_beside_it(self, cast: Cast) -> None:
        page = cast.client("noor").post(
            "/reviews/channels/", {**ROOM, "address": "https://10.0.0.1/x"}
        )
        assert page.status_code == 400
        assert "This host is not public" in text(page)
        assert 'value="Deploys"' in text(page)
        assert 'aria-describedby="address-help address-wrong"' in text(page)

    def test_works_without_script(self, cast: Cast) -> None:
        client = cast.client("noor")
        assert (
            client.post(
                "/reviews/channels/",
                {"kind": "email", "title": "Team", "address": "team@b.example", "outcomes": "1"},
            ).headers["Location"]
            == "/reviews/channels/"
        )
        (row,) = kept(cast)
        at = f"/reviews/channels/{row['id']}/"
        assert client.post(f"{at}test/", {}).status_code == 302
        assert client.post(at, {"titles": "1"}).status_code == 302
        assert (kept(cast)[0]["active"], kept(cast)[0]["titles"]) == (False, True)
        page = text(client.get("/reviews/channels/"))
        assert "Test" in page
        assert "A title may name an order" in page
        assert client.post("/reviews/channels/mail/", {"active": "1"}).status_code == 302

    def test_lists_deliveries_with_the_class_of_what_went_wrong(
        self, cast: Cast, settings: Any
    ) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
        card = opened(cast)
        post(cast)
        client = cast.client("noor")
        page = text(client.get("/reviews/channels/"))
        assert "ConnectionRefusedError" in page
        assert "Ruth" in page
        assert f"/reviews/{card.id}/" in page
        assert "Nothing failed" in text(client.get("/reviews/channels/?show=failed"))

    def test_says_where_mail_is_kept_without_a_server(self, cast: Cast, settings: Any) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
        page = text(cast.client("noor").get("/reviews/channels/"))
        assert "There is no mail server" in page

    def test_answers_its_part_alone(self, cast: Cast) -> None:
        part = text(cast.client("noor").get("/reviews/channels/?part=rows"))
        assert part.lstrip().startswith("<sb-live")
        assert "<html" not in part


class TestNoticesPage:
    def test_shows_and_keeps_how_somebody_is_told(self, cast: Cast) -> None:
        client = cast.client("ruth")
        assert "Nothing yet" in text(client.get("/reviews/notices/"))
        wish = {
            "digest": "hourly",
            "zone": "Europe/Berlin",
            "quiet_from": "22:00",
            "quiet_until": "07:00",
        }
        assert client.post("/reviews/notices/", wish).status_code == 302
        card = queries.notice_setting(actor=cast.ruth)
        assert (card.email, card.digest, card.automatic) == (False, Digest.HOURLY, False)
        page = text(client.get("/reviews/notices/"))
        assert 'value="22:00"' in page
        assert '<option value="hourly" selected>' in page

    def test_keeps_what_was_typed(self, cast: Cast) -> None:
        page = cast.client("ruth").post(
            "/reviews/notices/", {"email": "1", "digest": "daily", "zone": "Mars/Olympus"}
        )
        assert page.status_code == 400
        assert "There is no such time zone" in text(page)
        assert 'value="Mars/Olympus"' in text(page)

    def test_lists_what_the_reader_was_told_and_nobody_else(self, cast: Cast) -> None:
        card = opened(cast)
        post(cast)
        reject(card, cast.ines)
        post(cast)
        ruths = text(cast.client("ruth").get("/reviews/notices/"))
        assert f"/reviews/{card.id}/" in ruths
        assert "Rejected" not in ruths
        assert "Rejected" in text(cast.client("omar").get("/reviews/notices/"))

    def test_sends_a_test(self, cast: Cast) -> None:
        client = cast.client("ruth")
        assert client.post("/reviews/notices/test/", {}).status_code == 302
        assert client.post("/reviews/notices/test/", {}).status_code == 409
        assert [row.reason for row in queued(cast)] == ["test"]

    def test_is_in_the_menu(self, cast: Cast) -> None:
        assert 'href="/reviews/notices/"' in text(cast.client("ruth").get("/reviews/"))

    def test_a_channel_of_another_tenant_is_none(self, cast: Cast) -> None:
        made = add(cast)
        client = cast.client("mallory")
        for address in (made.id, uuid7()):
            assert client.post(f"/reviews/channels/{address}/test/", {}).status_code == 404
