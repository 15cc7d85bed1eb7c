"""`manage.py add_tenant`: how a real installation gets its first administrator."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from console.kernel.ids import uuid7


def add(slug: str, *, admin: str) -> str:
    said = io.StringIO()
    call_command("add_tenant", slug, "Acme", admin=admin, stdout=said)
    return said.getvalue()


class TestAddTenant:
    def test_gives_an_administrator_who_can_sign_in(self) -> None:
        slug, email = f"a{uuid7().hex}", f"{uuid7().hex}@acme.example"

        password = add(slug, admin=email).strip().rpartition(" ")[2]

        client = Client(SERVER_NAME="localhost")
        answer = client.post("/sign-in/", {"email": email, "password": password})
        assert answer.status_code == 302
        assert client.get("/people/").status_code == 200

    def test_refuses_a_short_name_that_is_taken_and_leaves_nobody(self) -> None:
        slug, email = f"a{uuid7().hex}", f"{uuid7().hex}@acme.example"
        add(slug, admin=f"{uuid7().hex}@acme.example")

        with pytest.raises(CommandError, match="choose another short name"):
            add(slug, admin=email)

        client = Client(SERVER_NAME="localhost")
        assert client.post("/sign-in/", {"email": email, "password": "x"}).status_code != 302
