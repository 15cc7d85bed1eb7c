"""Pages of accounts, through Django's handler: happy path, refusal, stranger, bad input."""

import re
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from django.test import Client, override_settings

from console.accounts import commands, queries
from console.kernel.ids import uuid7
from tests.accounts.trail import actions
from tests.cast import HOST, PASSWORD, Cast

BAD_TEXTS = ["", "x\x00y", "\u202eeno", "a\u200bb", "y" * 5000]


@pytest.fixture
def visitor() -> Client:
    """Return a browser from an address of its own that nobody has signed in with."""
    digits = uuid7().hex
    return Client(SERVER_NAME=HOST, REMOTE_ADDR=f"2001:db8:1::{digits[-4:]}:{digits[-8:-4]}")


def text_of(answer: Any) -> str:
    return unescape(answer.content.decode())


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


class TestPeople:
    def test_adds_a_person_and_shows_the_password_once(self, cast: Cast) -> None:
        client = cast.client("noor")
        email = f"vera.{uuid7().hex[-12:]}@meridian.example"
        sent = {
            "email": email,
            "name": "Vera",
            "roles": ["reviewer", "auditor"],
            "groups": ["care"],
        }

        answer = client.post("/people/", sent)

        assert answer.status_code == 201
        found = re.search(r'id="initial" value="([a-z0-9-]+)"', text_of(answer))
        assert found is not None
        assert found[1] not in text_of(client.get("/people/"))
        signed = Client(SERVER_NAME=HOST).post("/sign-in/", {"email": email, "password": found[1]})
        assert signed.status_code == 302

    def test_is_for_administrators(self, cast: Cast) -> None:
        for name in ("ruth", "omar"):
            answer = cast.client(name).get("/people/")
            assert answer.status_code == 403
            assert "accounts.manage" in text_of(answer)

    def test_lists_nobody_of_another_tenant(self, cast: Cast) -> None:
        page = text_of(cast.client("mallory").get("/people/"))

        assert cast.email("ruth") not in page
        assert cast.email("mallory") in page

    @pytest.mark.parametrize("name", BAD_TEXTS)
    def test_refuses_bad_names_and_keeps_the_rest(self, cast: Cast, name: str) -> None:
        email = f"{uuid7().hex}@x.example"
        sent = {"email": email, "name": name, "roles": ["reviewer"]}

        answer = cast.client("noor").post("/people/", sent)

        assert answer.status_code == 400
        assert email in text_of(answer)
        assert len(queries.people(actor=cast.noor)) == 4

    @pytest.mark.parametrize(
        "change",
        [
            {"email": "no address"},
            {"email": "a" * 260 + "@x.example"},
            {"roles": ["king"]},
            {"groups": ["nowhere"]},
            {"groups": ["<b>"]},
            {"groups": [f"g{n}" for n in range(101)]},
            {"is_superuser": "1"},
        ],
    )
    def test_refuses_bad_values(self, cast: Cast, change: dict[str, Any]) -> None:
        sent = {"email": f"{uuid7().hex}@x.example", "name": "Vera", "roles": [], **change}

        answer = cast.client("noor").post("/people/", sent)

        assert answer.status_code == 400
        assert len(queries.people(actor=cast.noor)) == 4

    def test_pages_by_name(self, cast: Cast) -> None:
        page = cast.client("noor").get("/people/?after=garbage")

        assert page.status_code == 400


class TestPerson:
    def test_changes_roles_and_groups(self, cast: Cast) -> None:
        client = cast.client("noor")
        address = f"/people/{cast.ruth.id}/"
        assert client.get(address).status_code == 200

        answer = client.post(address, {"roles": ["operator"], "groups": [], "active": "1"})

        assert answer.status_code == 302
        card = queries.person_card(actor=cast.noor, person_id=cast.members["ruth"].id)
        assert (card.roles, card.groups) == (("operator",), ())

    def test_a_deactivated_person_is_out_at_the_next_request(self, cast: Cast) -> None:
        ruth = cast.client("ruth")

        cast.client("noor").post(f"/people/{cast.ruth.id}/", {"roles": ["reviewer"]})

        assert ruth.get("/account/sessions/").status_code == 302

    def test_keeps_the_last_administrator(self, cast: Cast) -> None:
        answer = cast.client("noor").post(f"/people/{cast.noor.id}/", {"active": "1"})

        assert answer.status_code == 409
        assert "last administrator" in text_of(answer)

    @pytest.mark.parametrize("path", ["", "grants/", "password/", "sessions/end/"])
    def test_a_stranger_finds_nobody(self, cast: Cast, path: str) -> None:
        sent = (
            {"kind": "agent", "object_id": str(uuid7()), "give": "1"} if path == "grants/" else {}
        )

        answer = cast.client("mallory").post(f"/people/{cast.ruth.id}/{path}", sent)

        assert answer.status_code == 404

    def test_a_new_initial_password_ends_sessions(self, cast: Cast) -> None:
        omar = cast.client("omar")

        answer = cast.client("noor").post(f"/people/{cast.omar.id}/password/")

        assert answer.status_code == 200
        assert 'id="initial"' in text_of(answer)
        assert omar.get("/account/sessions/").status_code == 302

    @pytest.mark.parametrize(
        "sent",
        [
            {"kind": "planet", "object_id": str(uuid7())},
            {"kind": "agent", "object_id": "x"},
            {"kind": "agent"},
        ],
    )
    def test_refuses_bad_grants(self, cast: Cast, sent: dict[str, str]) -> None:
        answer = cast.client("noor").post(f"/people/{cast.ruth.id}/grants/", sent)

        assert answer.status_code == 400


class TestGroups:
    def test_makes_one(self, cast: Cast) -> None:
        client = cast.client("noor")

        answer = client.post("/people/groups/", {"slug": "leads", "title": "Team leads"})

        assert answer.status_code == 302
        assert "leads" in text_of(client.get("/people/"))

    @pytest.mark.parametrize(
        ("slug", "title", "status"),
        [
            ("care", "Again", 409),
            ("Upper", "x", 400),
            ("-x", "x", 400),
            ("a" * 64, "x", 400),
            ("ok", "\u202eevil", 400),
            ("", "", 400),
        ],
    )
    def test_refuses(self, cast: Cast, slug: str, title: str, status: int) -> None:
        answer = cast.client("noor").post("/people/groups/", {"slug": slug, "title": title})

        assert answer.status_code == status


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
