"""Nothing that somebody typed is lost when a form is refused before its view is reached."""

import re
from typing import Any, Final

from django import forms
from django.test import Client

from console.kernel.ids import uuid7
from tests.architecture.doors import DOORS, Door
from tests.architecture.tree import ROOT
from tests.cast import Cast

SECRET: Final = re.compile(r'<input[^>]*type="password"[^>]*>')
FIELD: Final = re.compile(
    r'<(?:input(?![^>]*type="(?:hidden|password|radio|checkbox)")|textarea)[^>]*>'
)
NAME: Final = re.compile(r'[ _]name="(\w+)"')


def names(pattern: re.Pattern[str]) -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "templates").rglob("*.html"):
        for tag in pattern.findall(path.read_text(encoding="utf-8")):
            found |= set(NAME.findall(tag))
    return found


SECRETS: Final = names(SECRET)
TYPED: Final = names(FIELD) - SECRETS
FORMS: Final = [door for door in DOORS if door.method == "POST" and not door.is_api]


def texts_of(door: Door) -> dict[str, str]:
    """Return a text for each field of a form that takes any."""
    return {
        name: f"typed into {name}"
        for name, one in door.form.base_fields.items()
        if isinstance(one, forms.CharField)
    }


def without_token(cast: Cast) -> Client:
    """Return a signed-in browser whose forms are of an earlier sign-in."""
    client = cast.client("ruth")
    client.handler.enforce_csrf_checks = True
    return client


class TestRefusal:
    def test_shows_what_was_typed_into_any_form_and_no_secret(self, cast: Cast) -> None:
        client = without_token(cast)
        seen = set()
        for door in FORMS:
            typed = texts_of(door)
            ids: dict[str, Any] = dict.fromkeys(door.route.parameters, uuid7())

            answer = client.post(door.route.filled(ids), {**door.good, **typed})

            page = answer.content.decode()
            assert answer.status_code == 403, door.name
            for name, text in typed.items():
                shown = f">{text}</textarea>" in page
                assert shown or name not in TYPED, f"{door.name} loses {name}"
                assert text not in page or name not in SECRETS, f"{door.name} shows {name}"
            seen |= set(typed)
        assert {"note", "ticket", "body", "call", "evidence", "password", "new"} <= seen

    def test_keeps_the_fields_that_a_form_makes_of_a_schema(self, cast: Cast) -> None:
        client = without_token(cast)
        lines = {"arg/amount": "12.00", "raw": '{"a": "<b>"}', "value": ["first", "second"]}

        page = client.post(f"/reviews/{uuid7()}/edit/", lines).content.decode()

        assert ">12.00</textarea>" in page
        assert ">{&quot;a&quot;: &quot;&lt;b&gt;&quot;}</textarea>" in page
        assert ">first</textarea>" in page
        assert ">second</textarea>" in page
