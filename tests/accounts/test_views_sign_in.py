"""The pages on the way in and out: signing in, choosing a tenant, the demo, signing out."""

from typing import Any
from uuid import UUID

import pytest
from django.test import Client, override_settings

from console.accounts import commands
from console.kernel.ids import uuid7
from tests.accounts.test_views import text_of
from tests.accounts.trail import actions
from tests.cast import HOST, PASSWORD, Cast


@pytest.fixture
def visitor() -> Client:
    """Return a browser from an address of its own that nobody has signed in with."""
    digits = uuid7().hex
    return Client(SERVER_NAME=HOST, REMOTE_ADDR=f"2001:db8:1::{digits[-4:]}:{digits[-8:-4]}")


class TestSignIn:
    def test_leads_to_the_page_that_was_asked_for(self, cast: Cast, visitor: Client) -> None:
        asked = visitor.get("/people/?after=x")
        assert asked.status_code == 302
        assert asked["Location"].startswith("/sign-in/?next=")
        form = visitor.get(asked["Location"])
        assert 'value="/people/?after=x"' in text_of(form)

        sent = {"email": cast.email("noor"), "password": PASSWORD, "next": "/people/"}
        answer = visitor.post("/sign-in/", sent)

        assert (answer.status_code, answer["Location"]) == (302, "/people/")
        assert visitor.get("/people/").status_code == 200

    @pytest.mark.parametrize(
        "target",
        [
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example/",
            "javascript:alert(1)",
            "/ok\r\nSet-Cookie: a=b",
            "people/",
            "/sign-out/",
            "http:evil.example",
        ],
    )
    def test_never_leads_away(self, cast: Cast, visitor: Client, target: str) -> None:
        sent = {"email": cast.email("ruth"), "password": PASSWORD, "next": target}

        answer = visitor.post("/sign-in/", sent)

        assert (answer.status_code, answer["Location"]) == (302, "/")

    def test_changes_the_session_key(self, cast: Cast, visitor: Client) -> None:
        visitor.get("/sign-in/")
        session = visitor.session
        session["x"] = 1
        session.save()
        before = session.session_key

        visitor.post("/sign-in/", {"email": cast.email("ruth"), "password": PASSWORD})

        assert visitor.session.session_key != before
        assert "x" not in visitor.session

    def test_needs_the_forms_token(self, cast: Cast) -> None:
        strict = Client(SERVER_NAME=HOST, enforce_csrf_checks=True)

        answer = strict.post("/sign-in/", {"email": cast.email("ruth"), "password": PASSWORD})

        assert answer.status_code == 403

    def test_says_what_was_wrong_and_keeps_the_address(self, cast: Cast, visitor: Client) -> None:
        answer = visitor.post("/sign-in/", {"email": cast.email("ruth"), "password": "no-secret"})

        assert answer.status_code == 400
        assert "Address and password do not fit" in text_of(answer)
        assert f'value="{cast.email("ruth")}"' in text_of(answer)
        assert "no-secret" not in text_of(answer)
        assert "sessionid" not in answer.cookies

    @pytest.mark.parametrize(
        "sent",
        [
            {},
            {"email": "a@b.example"},
            {"email": "a" * 255, "password": "x"},
            {"email": "a\x00b", "password": "x"},
            {"email": "a", "password": "x" * 1025},
            {"email": "a", "password": "x", "role": "admin"},
            {"email": ["a", "b"], "password": "\x00"},
        ],
    )
    def test_refuses_bad_forms(self, visitor: Client, sent: dict[str, Any]) -> None:
        answer = visitor.post("/sign-in/", sent)

        assert answer.status_code == 400
        assert 'role="alert"' in text_of(answer)

    def test_ten_megabytes_are_too_large(self, visitor: Client) -> None:
        answer = visitor.post("/sign-in/", {"email": "a" * 10_000_000, "password": "x"})

        assert answer.status_code == 413

    def test_answers_429_once_locked(self, cast: Cast, visitor: Client) -> None:
        sent = {"email": cast.email("ruth"), "password": "wrong"}
        codes = [visitor.post("/sign-in/", sent).status_code for _ in range(6)]

        assert codes == [400] * 5 + [429]

    def test_a_signed_in_person_goes_on(self, cast: Cast) -> None:
        answer = cast.client("ruth").get("/sign-in/?next=/account/sessions/")

        assert answer["Location"] == "/account/sessions/"


class TestChooseTenant:
    def test_asks_who_belongs_to_several(self, cast: Cast, visitor: Client) -> None:
        commands.add_person(
            actor=cast.system, email=cast.email("mallory"), name="M", roles=["reviewer"]
        )
        sent = {"email": cast.email("mallory"), "password": PASSWORD, "next": "/account/sessions/"}

        asked = visitor.post("/sign-in/", sent)
        page = visitor.get(asked["Location"])
        chosen = visitor.post(
            "/sign-in/tenant/", {"tenant": str(cast.tenant_id), "next": "/account/sessions/"}
        )

        assert asked["Location"].startswith("/sign-in/tenant/")
        assert visitor.get("/people/").status_code == 403  # only a reviewer here
        assert "Harbour Books" in text_of(page)
        assert chosen["Location"] == "/account/sessions/"

    def test_is_no_way_round_the_password(self, cast: Cast, visitor: Client) -> None:
        answer = visitor.post("/sign-in/tenant/", {"tenant": str(cast.tenant_id)})

        assert answer.status_code == 401
        assert "sessionid" not in answer.cookies

    def test_refuses_a_tenant_that_is_not_theirs(self, cast: Cast) -> None:
        client = cast.client("ruth")

        answer = client.post("/sign-in/tenant/", {"tenant": str(cast.elsewhere.id)})

        assert answer.status_code == 403
        assert client.get("/account/sessions/").status_code == 200  # still where they were

    @pytest.mark.parametrize("tenant", ["", "nonsense", "\x00", str(UUID(int=7))])
    def test_refuses_nonsense(self, cast: Cast, tenant: str) -> None:
        answer = cast.client("ruth").post("/sign-in/tenant/", {"tenant": tenant})

        assert answer.status_code in {400, 403}


class TestDemo:
    def test_does_not_exist_outside_the_demo(self, cast: Cast, visitor: Client) -> None:
        answer = visitor.post("/sign-in/demo/", {"person": cast.ruth.id})

        assert answer.status_code == 403
        assert visitor.get("/account/sessions/").status_code == 302

    def test_refuses_whoever_is_nobody_of_the_demo(self, visitor: Client) -> None:
        with override_settings(DEMO=True):
            for person in (str(uuid7()), "x", ""):
                answer = visitor.post("/sign-in/demo/", {"person": person})
                assert answer.status_code in {400, 403}


class TestSignOut:
    def test_ends_the_session_for_good(self, cast: Cast) -> None:
        client = cast.client("ruth")
        cookie = client.cookies["sessionid"].value

        answer = client.post("/sign-out/")
        thief = Client(SERVER_NAME=HOST)
        thief.cookies["sessionid"] = cookie

        assert answer["Location"] == "/sign-in/"
        assert thief.get("/account/sessions/").status_code == 302
        assert actions(cast, "session.") == ["session.started", "session.ended"]

    def test_a_link_does_not_sign_out(self, cast: Cast) -> None:
        client = cast.client("ruth")

        client.get("/sign-out/")

        assert client.get("/account/sessions/").status_code == 200
