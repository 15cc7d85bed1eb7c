"""The REST base over real PostgreSQL and Redis, through Django's handler."""

import io
import json
import threading
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings
from rest_framework.test import APIClient

from console.accounts import queries
from console.kernel import tenancy
from console.kernel.errors import TooLarge
from console.kernel.ids import uuid7
from console.kernel.models import IdempotencyKey, OutboxRow
from console.kernel.rest import access
from console.kernel.rest.shapes import StrictJson
from tests.cast import HOST, Cast, sign_in

pytestmark = pytest.mark.urls("tests.kernel.rest_urls")


def shape_of(answer: Any) -> dict[str, Any]:
    """Return the error body after checking that it has the one shape."""
    body: dict[str, Any] = json.loads(answer.content)
    assert set(body) == {"code", "message", "details"}
    assert isinstance(body["details"], dict)
    assert body["message"].endswith((".", "?"))
    return body


def group_body(slug: str = "leads") -> dict[str, Any]:
    return {"slug": slug, "title": "Team leads"}


def slugs(cast: Cast) -> list[str]:
    return [group.slug for group in queries.groups(actor=cast.noor)]


class TestErrors:
    @pytest.mark.parametrize(
        ("send", "status", "code"),
        [
            (lambda api: api.get("/api/v1/nowhere"), 404, "missing"),
            (lambda api: api.delete("/api/v1/groups"), 405, "method.not_allowed"),
            (
                lambda api: api.generic("POST", "/api/v1/groups", "a=1", content_type="text/plain"),
                415,
                "media.unsupported",
            ),
            (
                lambda api: api.get("/api/v1/people", headers={"accept": "text/html"}),
                406,
                "media.not_acceptable",
            ),
            (lambda api: api.get("/api/v1/people?limit=0"), 400, "invalid"),
            (lambda api: api.get("/api/v1/people?limit=201"), 400, "invalid"),
            (lambda api: api.get("/api/v1/people?limit=²"), 400, "invalid"),
            (lambda api: api.get("/api/v1/people?after=!!"), 400, "invalid"),
            (lambda api: api.get("/api/v1/people?after=WyJhIl0"), 400, "invalid"),
        ],
    )
    def test_have_one_shape(self, cast: Cast, send: Any, status: int, code: str) -> None:
        answer = send(cast.api("noor"))

        assert answer.status_code == status
        assert shape_of(answer)["code"] == code

    @pytest.mark.parametrize(
        ("raw", "code"),
        [
            (b"{", "canonical.refused"),
            (b'{"slug": "a", "slug": "b", "title": "t"}', "canonical.refused"),
            (b'{"slug": "a", "title": 1.5}', "canonical.refused"),
            (b'{"slug": "a\\u0000", "title": "t"}', "canonical.refused"),
            (b'{"slug": "\\ud800", "title": "t"}', "canonical.refused"),
            (b"\xff\xfe", "canonical.refused"),
            (b"[]", "invalid"),
            (b'"text"', "invalid"),
            (b"{}", "invalid"),
            (b'{"slug": "a", "title": "t", "role": "admin"}', "invalid"),
            (b'{"slug": ["a"], "title": {"t": 1}}', "invalid"),
            (b'{"slug": "' + b"a" * 64 + b'", "title": "t"}', "invalid"),
            (b"[" * 100_000, "canonical.refused"),
        ],
    )
    def test_bad_bodies_change_nothing(self, cast: Cast, raw: Any, code: str) -> None:
        answer = cast.api("noor").generic(
            "POST", "/api/v1/groups", raw, content_type="application/json"
        )

        assert answer.status_code == 400
        assert shape_of(answer)["code"] == code
        assert slugs(cast) == ["care", "finance"]

    def test_name_every_wrong_field(self, cast: Cast) -> None:
        answer = cast.api("noor").post(
            "/api/v1/groups", {"slug": "", "weight": "heavy", "role": 1}, format="json"
        )

        assert set(shape_of(answer)["details"]["fields"]) >= {"role"}

    def test_ten_megabytes_are_too_large(self, cast: Cast) -> None:
        answer = cast.api("noor").generic(
            "POST", "/api/v1/groups", " " * 10_000_000, content_type="application/json"
        )

        assert answer.status_code == 413
        assert shape_of(answer)["code"] == "too_large"

    def test_a_body_that_lied_about_its_length_is_cut_off_too(self) -> None:
        with pytest.raises(TooLarge):
            StrictJson().parse(io.BytesIO(b" " * (settings.BODY_LIMIT + 1)))

    def test_a_bug_is_not_dressed_up_as_a_refusal(self, cast: Cast) -> None:
        api = cast.api("noor")

        with pytest.raises(ZeroDivisionError):
            api.get("/api/v1/broken")


class TestAccess:
    def test_asks_for_a_sign_in(self) -> None:
        answer = APIClient(SERVER_NAME=HOST).get("/api/v1/people")

        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Bearer")
        assert shape_of(answer)["code"] == "signed_out"

    @pytest.mark.parametrize(
        "header", ["Bearer sb_x", "Bearer ", "Basic abc", "Bearer " + "x" * 5000, "Bearer sb_é"]
    )
    def test_refuses_a_bad_key_even_beside_a_good_session(self, cast: Cast, header: str) -> None:
        answer = cast.api("noor").get("/api/v1/people", HTTP_AUTHORIZATION=header)

        assert answer.status_code == 401
        assert shape_of(answer)["code"] == "key.refused"

    def test_takes_a_key_and_its_scopes(self, cast: Cast) -> None:
        api = cast.key_client("runs.view")

        assert api.get("/api/v1/people").status_code == 200
        refused = api.post("/api/v1/groups", group_body(), format="json")
        assert refused.status_code == 403
        assert shape_of(refused)["details"] == {"permission": "accounts.manage"}

    def test_a_key_needs_no_csrf_token_and_a_session_does(self, cast: Cast) -> None:
        api = APIClient(SERVER_NAME=HOST, enforce_csrf_checks=True)
        form = api.get("/sign-in/")
        member = cast.members["noor"]
        token = form.cookies["csrftoken"].value
        sent = {"email": member.email, "password": member.password, "csrfmiddlewaretoken": token}
        assert api.post("/sign-in/", sent).status_code == 302

        without = api.post("/api/v1/groups", group_body(), format="json")
        token = api.cookies["csrftoken"].value
        given = api.post("/api/v1/groups", group_body(), format="json", HTTP_X_CSRFTOKEN=token)

        assert (without.status_code, shape_of(without)["code"]) == (403, "csrf.refused")
        assert given.status_code == 201

    def test_a_machine_may_look_and_not_decide(self, cast: Cast) -> None:
        api = cast.key_client("approvals.view")

        assert api.get("/api/v1/decide").status_code == 200
        refused = api.post("/api/v1/decide", {}, format="json")
        assert refused.status_code == 403
        assert "Only a person" in shape_of(refused)["message"]
        assert cast.api("ruth").post("/api/v1/decide", {}, format="json").status_code == 200


class TestKeyset:
    def test_walks_every_row_once(self, cast: Cast) -> None:
        for number in range(5):
            cast.add(f"temp{number}", roles=())
        api = cast.api("noor")
        names: list[str] = []
        address = "/api/v1/people?limit=2"
        for _page in range(10):
            body = api.get(address).json()
            names += [item["name"] for item in body["items"]]
            if body["next"] is None:
                break
            address = f"/api/v1/people?limit=2&after={body['next']}"

        assert names == sorted(names)
        assert len(set(names)) == len(names) == 9

    def test_a_foreign_cursor_shows_only_own_rows(self, cast: Cast) -> None:
        cursor = cast.api("noor").get("/api/v1/people?limit=1").json()["next"]

        body = cast.api("mallory").get("/api/v1/people", {"after": cursor}).json()

        assert {item["name"] for item in body["items"]} <= {"Mallory"}


class TestEntityTags:
    def test_answer_304_until_something_changes(self, cast: Cast) -> None:
        api = cast.api("noor")
        first = api.get("/api/v1/people")
        same = api.get("/api/v1/people", headers={"if-none-match": first["ETag"]})
        cast.add("zoe", roles=())
        changed = api.get("/api/v1/people", headers={"if-none-match": first["ETag"]})

        assert (same.status_code, same.content) == (304, b"")
        assert changed.status_code == 200
        assert changed["ETag"] != first["ETag"]
        assert first["Cache-Control"] == "private, no-cache"


class TestIdempotencyKey:
    def post(self, api: APIClient, key: str, body: dict[str, Any]) -> Any:
        return api.post("/api/v1/groups", body, format="json", HTTP_IDEMPOTENCY_KEY=key)

    def test_gives_the_stored_answer_again(self, cast: Cast) -> None:
        api, key = cast.api("noor"), str(uuid7())

        first = self.post(api, key, group_body())
        again = self.post(api, key, group_body())

        assert first.status_code == again.status_code == 201
        assert first.json() == again.json()
        assert again["Idempotent-Replay"] == "true"
        assert slugs(cast) == ["care", "finance", "leads"]

    def test_refuses_another_body(self, cast: Cast) -> None:
        api, key = cast.api("noor"), str(uuid7())
        self.post(api, key, group_body())

        other = self.post(api, key, group_body("others"))

        assert other.status_code == 409
        assert shape_of(other)["code"] == "idempotency.mismatch"
        assert "others" not in slugs(cast)

    def test_belongs_to_one_actor(self, cast: Cast) -> None:
        key = str(uuid7())

        mine = self.post(cast.api("noor"), key, group_body())
        theirs = self.post(cast.api("mallory"), key, group_body("others"))

        assert mine.status_code == theirs.status_code == 201

    @pytest.mark.parametrize("key", ["short", "x" * 121, "tab\there-is-one", "ümlaut-ümlaut"])
    def test_has_a_form(self, cast: Cast, key: str) -> None:
        answer = self.post(cast.api("noor"), key, group_body())

        assert answer.status_code == 400
        assert slugs(cast) == ["care", "finance"]

    def test_keeps_nothing_of_a_refused_request(self, cast: Cast) -> None:
        api, key = cast.api("noor"), str(uuid7())

        refused = self.post(api, key, group_body("care"))
        mended = self.post(api, key, group_body("leads"))

        assert refused.status_code == 409
        assert mended.status_code == 201

    def test_keeps_what_was_noticed_before_a_refusal_and_stays_free(self, cast: Cast) -> None:
        api, key = cast.api("noor"), str(uuid7())

        def send(**body: Any) -> Any:
            headers = {"Idempotency-Key": key}
            return api.post("/api/v1/noticing", body, format="json", headers=headers)

        answers = [send(refuse=True), send(refuse=True), send(refuse=False), send(refuse=False)]

        assert [answer.status_code for answer in answers] == [400, 400, 204, 204]
        assert ["Idempotent-Replay" in answer for answer in answers] == [False, False, False, True]
        with tenancy.scope(cast.tenant_id, read_only=True):
            assert OutboxRow.objects.filter(target="noticed").count() == 3

    def test_serialises_duplicates_at_the_same_time(self, cast: Cast) -> None:
        key = str(uuid7())
        clients = [cast.api("noor") for _ in range(6)]
        start = threading.Barrier(len(clients))
        answers: list[Any] = []

        def send(api: APIClient) -> None:
            start.wait()
            answers.append(self.post(api, key, group_body()))
            connection.close()

        threads = [threading.Thread(target=send, args=(api,)) for api in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [answer.status_code for answer in answers] == [201] * 6
        assert len({answer.json()["id"] for answer in answers}) == 1
        with tenancy.scope(cast.tenant_id, read_only=True):
            assert IdempotencyKey.objects.filter(key=key).count() == 1


class TestThrottle:
    def test_answers_429_with_the_time_to_wait(self, cast: Cast) -> None:
        api = cast.api("omar")

        codes = [api.get("/api/v1/slow").status_code for _ in range(3)]
        late = api.get("/api/v1/slow")

        assert codes == [200, 200, 200]
        assert late.status_code == 429
        assert 1 <= int(late["Retry-After"]) <= 60
        assert shape_of(late)["code"] == "throttled"

    def test_counts_each_actor_alone(self, cast: Cast) -> None:
        for _ in range(4):
            cast.api("omar").get("/api/v1/slow")

        assert cast.api("ruth").get("/api/v1/slow").status_code == 200

    def test_lets_everybody_pass_without_redis(self, cast: Cast) -> None:
        api = cast.api("omar")
        access._redis.cache_clear()
        try:
            with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):
                codes = {api.get("/api/v1/slow").status_code for _ in range(6)}
        finally:
            access._redis.cache_clear()

        assert codes == {200}


class TestCast:
    def test_signs_in_by_the_real_form(self, cast: Cast) -> None:
        client = APIClient(SERVER_NAME=HOST)

        sign_in(client, cast.members["ruth"])

        ids = {UUID(item["id"]) for item in client.get("/api/v1/people").json()["items"]}
        assert cast.members["ruth"].id in ids
        assert cast.members["mallory"].id not in ids
