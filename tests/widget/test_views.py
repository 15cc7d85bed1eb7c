"""The widget's origin as a browser and as an attacker see it."""

import json

import pytest
from django.test import Client

from console.widget import commands
from console.widget.cards import WidgetKeyCard
from tests.cast import Cast
from tests.widget.conftest import Visitor

SESSION_OVER = "This chat session is over; reload the page to start a new one."


class TestOrigins:
    @pytest.mark.parametrize("path", ["/", "/sign-in/", "/api/v1/me", "/reviews/", "/audit/"])
    def test_the_widget_s_origin_serves_nothing_of_the_console(self, path: str) -> None:
        assert Client(SERVER_NAME="127.0.0.1").get(path).status_code == 404

    def test_the_console_s_origin_serves_no_widget(self, key: WidgetKeyCard) -> None:
        client = Client(SERVER_NAME="localhost")
        assert client.get(f"/widget/frame/?key={key.public}").status_code == 404


class TestFrame:
    def test_names_its_sites_and_allows_no_script_policy(self, key: WidgetKeyCard) -> None:
        answer = Client(SERVER_NAME="127.0.0.1").get(f"/widget/frame/?key={key.public}")

        policy = answer.headers["Content-Security-Policy"]
        assert answer.status_code == 200
        assert "frame-ancestors https://shop.example" in policy
        assert "trusted-types 'none'" in policy
        assert "default-src 'none'" in policy

    @pytest.mark.parametrize("named", ["", "wk_", "wk_" + "A" * 38, "<script>", "x" * 5000])
    def test_refuses_what_is_no_key(self, named: str) -> None:
        answer = Client(SERVER_NAME="127.0.0.1").get("/widget/frame/", {"key": named})
        assert answer.status_code == 404


class TestSession:
    def test_goes_on_with_the_token_that_the_host_kept(self, visitor: Visitor) -> None:
        visitor.say("hello")

        answer = json.loads(
            visitor.call("session", key=visitor.key.public, resume=visitor.token).content
        )

        assert answer["token"] == visitor.token
        assert answer["started"] is True

    def test_starts_anew_with_a_forged_token(self, visitor: Visitor) -> None:
        forged = visitor.token[:-4] + "AAAA"
        answer = json.loads(visitor.call("session", key=visitor.key.public, resume=forged).content)
        assert answer["token"] not in (forged, visitor.token)
        assert answer["started"] is False


class TestReceive:
    def test_answers_202_with_the_run(self, visitor: Visitor) -> None:
        answer = visitor.say("hello")
        assert answer.status_code == 202
        assert json.loads(answer.content)["run_id"]

    @pytest.mark.parametrize("token", ["", "x", "a:b:c", "é"])
    def test_refuses_without_a_session(self, visitor: Visitor, token: str) -> None:
        visitor.token = token
        answer = visitor.say("hello")
        assert answer.status_code == 401
        assert json.loads(answer.content)["message"] == SESSION_OVER

    def test_refuses_once_the_key_is_revoked(self, cast: Cast, visitor: Visitor) -> None:
        commands.revoke_key(actor=cast.noor, key_id=visitor.key.id, reason="moved")
        assert visitor.say("hello").status_code == 401

    @pytest.mark.parametrize(
        ("values", "status"),
        [
            ({"client_id": "abcdefgh"}, 400),
            ({"client_id": "abcdefgh", "text": ""}, 400),
            ({"client_id": "abcdefgh", "text": "x" * 4001}, 400),
            ({"client_id": "abcdefgh", "text": "a\x00b"}, 400),
            ({"client_id": "short", "text": "hello"}, 400),
            ({"client_id": "abcdefgh", "text": "hello", "agent": "other"}, 400),
            ({"client_id": "abcdefgh", "text": ["hello"]}, 400),
            ({"client_id": "abcdefgh", "text": {"a": 1}}, 400),
        ],
    )
    def test_refuses_bad_values_in_one_sentence(
        self, visitor: Visitor, values: dict[str, object], status: int
    ) -> None:
        answer = visitor.call("messages", **values)
        body = json.loads(answer.content)
        assert answer.status_code == status
        assert body["message"]
        assert set(body) == {"code", "message", "details"}

    @pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000])
    def test_refuses_what_is_no_object(self, visitor: Visitor, body: bytes) -> None:
        answer = visitor.client.post(
            "/widget/api/messages",
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {visitor.token}"},
        )
        assert answer.status_code == 400

    def test_refuses_ten_megabytes(self, visitor: Visitor) -> None:
        answer = visitor.call("messages", client_id="abcdefgh", text="x" * 10_000_000)
        assert answer.status_code == 413


class TestStream:
    def test_has_nothing_to_follow_before_the_first_message(self, visitor: Visitor) -> None:
        assert visitor.call("stream", after=0).status_code == 409

    def test_is_an_event_stream_afterwards(self, visitor: Visitor) -> None:
        visitor.say("hello")
        answer = visitor.call("stream", after=0)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert answer.headers["Cache-Control"] == "no-store"


class TestConfirm:
    def test_refuses_a_call_of_somebody_else(self, key: WidgetKeyCard, visitor: Visitor) -> None:
        visitor.say("hello")
        answer = visitor.call(
            "confirm", call_id="00000000-0000-7000-8000-000000000000", digest="0" * 64, agree="yes"
        )
        assert answer.status_code in (404, 409)


class TestKeysPage:
    def test_shows_the_line_to_embed(self, cast: Cast, key: WidgetKeyCard) -> None:
        text = cast.client("noor").get("/embed/").content.decode()
        assert key.public in text
        assert "http://127.0.0.1/widget/loader.js" in text

    def test_is_for_admins(self, cast: Cast) -> None:
        assert cast.client("ruth").get("/embed/").status_code == 403

    def test_refuses_sites_that_are_no_origins_and_keeps_what_was_typed(self, cast: Cast) -> None:
        answer = cast.client("noor").post(
            "/embed/create/", {"title": "Mine", "agent": "support", "origins": "shop"}
        )
        assert answer.status_code == 400
        assert "Write each site as its origin" in answer.content.decode()


class TestDemoShop:
    def test_is_off_unless_the_demo_is_on(self) -> None:
        assert Client(SERVER_NAME="localhost").get("/demo/shop/").status_code == 404
