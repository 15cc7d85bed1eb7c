"""The pages of people and groups: adding, changing, granting, and what they refuse."""

import re
from typing import Any

import pytest
from django.test import Client

from console.accounts import queries
from console.kernel.ids import uuid7
from tests.accounts.test_views import text_of
from tests.cast import HOST, Cast

BAD_TEXTS = ["", "x\x00y", "\u202eeno", "a\u200bb", "y" * 5000]


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
