"""The API of accounts."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from console.accounts import queries
from console.kernel.ids import uuid7
from tests.cast import HOST, Cast


class TestMe:
    def test_says_who_asks(self, cast: Cast) -> None:
        body = cast.api("ruth").get("/api/v1/me").json()

        assert body["id"] == cast.ruth.id
        assert body["permissions"] == sorted(cast.ruth.permissions)
        assert body["groups"] == ["care"]

    def test_knows_keys(self, cast: Cast) -> None:
        body = cast.key_client("runs.view").get("/api/v1/me").json()

        assert (body["kind"], body["permissions"]) == ("key", ["runs.view"])

    def test_asks_strangers_to_sign_in(self) -> None:
        assert APIClient(SERVER_NAME=HOST).get("/api/v1/me").status_code == 401


class TestPeople:
    def test_adds_and_changes(self, cast: Cast) -> None:
        api = cast.api("noor")
        sent = {"email": f"{uuid7().hex}@meridian.example", "name": "Vera", "roles": ["reviewer"]}

        made = api.post("/api/v1/people", sent, format="json")
        address = f"/api/v1/people/{made.json()['person']['id']}"
        change = {"roles": ["operator"], "groups": ["finance"], "active": True}
        changed = api.put(address, change, format="json").json()

        assert made.status_code == 201
        assert made.json()["password"]
        assert made.json()["waiting"]["gain"]["roles"] == ["reviewer"]
        assert (changed["person"]["roles"], changed["person"]["groups"]) == (["operator"], [])
        assert changed["waiting"]["gain"] == {
            "roles": ["reviewer"], "groups": ["finance"], "tools": [], "active": False,
        }  # fmt: skip
        assert api.get(address).json()["groups"] == []

    def test_an_idempotency_key_never_stores_the_password(self, cast: Cast) -> None:
        api = cast.api("noor")
        sent = {"email": f"{uuid7().hex}@meridian.example", "name": "Vera", "roles": []}

        first, second = (
            api.post("/api/v1/people", sent, format="json", HTTP_IDEMPOTENCY_KEY="k" * 20)
            for _ in range(2)
        )

        assert (first.status_code, second.status_code) == (201, 409)
        assert "password" not in second.json()

    @pytest.mark.parametrize(
        "change",
        [
            {"roles": "reviewer"},
            {"roles": ["king"]},
            {"roles": None},
            {"name": "a\u202eb"},
            {"name": 7.0},
            {"name": ""},
            {"email": "x"},
            {"groups": ["No Slug"]},
            {"groups": {"care": True}},
            {"is_superuser": True},
        ],
    )
    def test_refuses_bad_values(self, cast: Cast, change: dict[str, Any]) -> None:
        sent = {"email": f"{uuid7().hex}@x.example", "name": "Vera", "roles": [], **change}

        answer = cast.api("noor").post("/api/v1/people", sent, format="json")

        assert answer.status_code == 400
        assert set(answer.json()) == {"code", "message", "details"}
        assert len(queries.people(actor=cast.noor)) == 4

    def test_a_stranger_finds_nobody(self, cast: Cast) -> None:
        api = cast.api("mallory")
        address = f"/api/v1/people/{cast.ruth.id}"
        change = {"roles": [], "groups": [], "active": False}

        assert api.get(address).status_code == 404
        assert api.put(address, change, format="json").status_code == 404

    def test_is_for_people_who_administer(self, cast: Cast) -> None:
        assert cast.api("ruth").get("/api/v1/people").status_code == 403
        assert cast.key_client("runs.view").get("/api/v1/people").status_code == 403


class TestKeys:
    def test_makes_lists_and_revokes(self, cast: Cast) -> None:
        api = cast.api("noor")
        sent = {"name": "ci", "scopes": ["runs.view"], "days": 3}

        made = api.post("/api/v1/keys", sent, format="json")
        program = APIClient(SERVER_NAME=HOST, HTTP_AUTHORIZATION=f"Bearer {made.json()['secret']}")
        before = program.get("/api/v1/me").status_code
        listed = api.get("/api/v1/keys").json()["items"]
        gone = api.delete(f"/api/v1/keys/{made.json()['key']['id']}")

        assert (made.status_code, before, gone.status_code) == (201, 200, 204)
        assert [key["name"] for key in listed] == ["ci"]
        assert listed[0]["used_at"] is not None
        assert "secret" not in listed[0]
        assert program.get("/api/v1/me").status_code == 401

    def test_refuses_scopes_of_decisions(self, cast: Cast) -> None:
        sent = {"name": "ci", "scopes": ["approvals.vote"], "days": 3}

        answer = cast.api("noor").post("/api/v1/keys", sent, format="json")

        assert answer.status_code == 400

    def test_a_stranger_finds_none(self, cast: Cast) -> None:
        made = cast.api("noor").post(
            "/api/v1/keys", {"name": "ci", "scopes": ["runs.view"], "days": 3}, format="json"
        )
        api = cast.api("mallory")

        assert api.get("/api/v1/keys").json()["items"] == []
        assert api.delete(f"/api/v1/keys/{made.json()['key']['id']}").status_code == 404


class TestSessions:
    def test_lists_and_ends(self, cast: Cast) -> None:
        here, there = cast.api("ruth"), cast.api("ruth")
        items = here.get("/api/v1/sessions").json()["items"]
        other = next(item for item in items if not item["here"])  # the newest comes first

        ended = here.delete(f"/api/v1/sessions/{other['id']}")

        assert len(items) == 3  # the cast's own is the third
        assert ended.status_code == 204
        assert there.get("/api/v1/me").status_code == 401
        assert here.delete("/api/v1/sessions").json() == {"ended": 2}
        assert here.get("/api/v1/me").status_code == 401

    def test_a_strangers_id_is_missing(self, cast: Cast) -> None:
        theirs = cast.api("ruth").get("/api/v1/sessions").json()["items"][0]["id"]

        assert cast.api("ines").delete(f"/api/v1/sessions/{theirs}").status_code == 404
        assert cast.api("mallory").delete(f"/api/v1/sessions/{theirs}").status_code == 404

    def test_is_for_people(self, cast: Cast) -> None:
        assert cast.key_client("runs.view").get("/api/v1/sessions").status_code == 403
