"""Pages of accounts, through Django's handler: happy path, refusal, stranger, bad input."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from console.accounts import commands, queries
from tests.cast import HOST, PASSWORD, Cast


def text_of(answer: Any) -> str:
    return unescape(answer.content.decode())


class TestSessions:
    def test_shows_own_sessions_only(self, cast: Cast) -> None:
        first, second = cast.client("ruth"), cast.client("ruth")
        cast.client("ines")
        rows = re.findall(r'id="session-([0-9a-f-]+)"', text_of(first.get("/account/sessions/")))
        assert len(rows) == 3  # these two, newest first, and the cast's own

        ended = first.post(f"/account/sessions/{rows[0]}/end/")

        assert ended.status_code == 302
        codes = {client.get("/account/sessions/").status_code for client in (first, second)}
        assert codes == {200, 302}  # the ended one is asked to sign in

    def test_a_hostile_browser_name_stays_text(self, cast: Cast) -> None:
        client = Client(SERVER_NAME=HOST, HTTP_USER_AGENT="<script>x</script>\u202e")
        client.post("/sign-in/", {"email": cast.email("ruth"), "password": PASSWORD})

        page = client.get("/account/sessions/").content.decode()

        assert "<script>x" not in page
        assert "\u202e" not in page

    def test_a_strangers_id_is_missing(self, cast: Cast) -> None:
        cast.client("ruth")
        theirs = queries.own_sessions(actor=cast.ruth)[0].id

        answer = cast.client("mallory").post(f"/account/sessions/{theirs}/end/")

        assert answer.status_code == 404

    def test_signing_out_everywhere_ends_the_others_too(self, cast: Cast) -> None:
        first, second = cast.client("ruth"), cast.client("ruth")

        first.post("/account/sessions/end/")

        assert second.get("/account/sessions/").status_code == 302
        assert queries.own_sessions(actor=cast.ruth) == ()


class TestPassword:
    @pytest.mark.parametrize(
        ("current", "new", "status"),
        [
            (PASSWORD, "a fresh lever 99", 302),
            ("wrong", "a fresh lever 99", 400),
            (PASSWORD, "short", 400),
            (PASSWORD, "password1234", 400),
            (PASSWORD, "", 400),
            (PASSWORD, "x" * 1025, 400),
            (PASSWORD, "nul\x00nul\x00nul", 400),
        ],
    )
    def test_is_changed_or_refused(self, cast: Cast, current: str, new: str, status: int) -> None:
        client = cast.client("ruth")

        answer = client.post("/account/password/", {"current": current, "new": new})

        assert answer.status_code == status
        assert client.get("/account/sessions/").status_code == 200


class TestKeys:
    def test_shows_a_secret_once(self, cast: Cast) -> None:
        client = cast.client("noor")

        made = client.post("/keys/", {"name": "ci", "scopes": ["runs.view"], "days": "30"})

        assert made.status_code == 201
        found = re.search(r'id="secret" value="(sb_[^"]+)"', text_of(made))
        assert found is not None
        page = text_of(client.get("/keys/"))
        assert found[1] not in page
        assert found[1][:10] in page

    def test_revokes(self, cast: Cast) -> None:
        key = commands.create_key(actor=cast.noor, name="ci", scopes=["runs.view"], days=1)

        stranger = cast.client("mallory").post(f"/keys/{key.key.id}/revoke/")
        answer = cast.client("noor").post(f"/keys/{key.key.id}/revoke/")

        assert (stranger.status_code, answer.status_code) == (404, 302)
        assert queries.actor_of_key(secret=key.secret) is None

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"name": ""}, 400),
            ({"name": "\x00"}, 400),
            ({"name": "a\u202eb"}, 400),
            ({"name": "x" * 81}, 400),
            ({"scopes": []}, 400),
            ({"scopes": ["approvals.vote"]}, 400),
            ({"scopes": ["all"]}, 400),
            ({"days": "0"}, 400),
            ({"days": "367"}, 400),
            ({"days": "1e3"}, 400),
            ({"days": "９"}, 201),
            ({"owner": "me"}, 400),
        ],
    )
    def test_checks_every_field(self, cast: Cast, change: dict[str, Any], status: int) -> None:
        sent = {"name": "ci", "scopes": ["runs.view"], "days": "30", **change}

        answer = cast.client("noor").post("/keys/", sent)

        assert answer.status_code == status
        assert len(queries.service_keys(actor=cast.noor)) == (1 if status == 201 else 0)

    def test_is_for_administrators(self, cast: Cast) -> None:
        assert cast.client("omar").get("/keys/").status_code == 403


class TestApiManual:
    def test_shows_every_operation_and_hands_out_the_file(self, cast: Cast) -> None:
        client = cast.client("ruth")

        page = text_of(client.get("/api/"))
        file = client.get("/api/openapi.yaml")

        assert "/api/v1/keys/{key_id}" in page
        assert b"openapi: 3" in file.content
        assert file["Content-Disposition"].startswith("attachment")
