"""The frame of every page: policy, navigation, banner, theme, refusals."""

import re

import pytest
from django.test import Client

from agents.controls import commands as controls
from agents.controls.cards import Scope
from agents.controls.states import Category, ScopeKind
from tests.cast import Cast

PAGE = "/manual/"
POLICY = {
    "default-src": "'none'",
    "script-src": "'self' 'nonce-{n}'",
    "style-src": "'self' 'nonce-{n}'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "htmx",
}


def stop(cast: Cast, *, agent: str = "refunds", reason: str = "wrong currency") -> None:
    scope = Scope(kind=ScopeKind.AGENT, value=agent)
    category = next(iter(Category))
    controls.engage(actor=cast.omar, scope=scope, category=category, reason=reason)


def nav_of(html: str) -> list[str]:
    return re.findall(r'id="nav-(\w+)"', html)


class TestHeaders:
    def test_policy_is_exactly_the_designed_one(self, cast: Cast) -> None:
        answer = cast.client("ruth").get(PAGE)
        header = answer.headers["Content-Security-Policy"]
        nonce = re.search(r"'nonce-([^']+)'", header)
        assert nonce is not None
        found = dict(part.strip().split(" ", 1) for part in header.split(";"))

        assert found == {name: value.format(n=nonce[1]) for name, value in POLICY.items()}

    def test_nonce_is_new_each_time_and_on_every_script(self, cast: Cast) -> None:
        client = cast.client("ruth")
        pages = [client.get(PAGE) for _ in range(2)]
        nonces: list[str] = []
        for page in pages:
            found = set(re.findall(r'nonce="([^"]*)"', page.content.decode()))
            assert len(found) == 1
            nonces += found
            assert f"'nonce-{nonces[-1]}'" in page.headers["Content-Security-Policy"]

        assert nonces[0] != nonces[1]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "same-origin"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Cache-Control", "no-store"),
        ],
    )
    def test_guard(self, cast: Cast, name: str, value: str) -> None:
        assert cast.client("ruth").get(PAGE).headers[name] == value


class TestNav:
    def test_shows_the_rooms_a_person_may_enter(self, cast: Cast) -> None:
        shown = {
            name: nav_of(cast.client(name).get(PAGE).content.decode()) for name in cast.members
        }

        assert shown["ruth"] == ["reviews", "runs"]
        assert shown["omar"] == ["reviews", "runs", "switches", "cost"]
        assert set(shown["noor"]) >= {
            "reviews",
            "runs",
            "switches",
            "cost",
            "audit",
            "people",
            "keys",
        }

    def test_marks_the_room_that_is_open(self, cast: Cast) -> None:
        html = cast.client("omar").get("/operations/switches/").content.decode()

        assert re.search(r'id="nav-switches"[^>]*aria-current="true"', html)

    def test_names_the_person_and_their_organisation(self, cast: Cast) -> None:
        html = cast.client("ruth").get(PAGE).content.decode()

        assert cast.email("ruth") in html
        assert cast.tenant.name in html

    def test_title_starts_with_the_environment(self, cast: Cast) -> None:
        assert "<title>Development · " in cast.client("ruth").get(PAGE).content.decode()


class TestBanner:
    def test_stands_on_every_page_of_the_tenant_only(self, cast: Cast) -> None:
        stop(cast)
        pages = {
            name: cast.client(name).get(PAGE).content.decode()
            for name in ("ruth", "omar", "mallory")
        }

        assert "Stop ordered" in pages["ruth"]
        assert "wrong currency" in pages["omar"]
        assert "Stop ordered" not in pages["mallory"]

    def test_says_how_many_have_confirmed(self, cast: Cast) -> None:
        stop(cast)
        html = cast.client("ruth").get(PAGE).content.decode()

        assert re.search(r"\d+ of \d+ confirmed|no process is there to confirm it", html)

    def test_shows_a_hostile_reason_harmless(self, cast: Cast) -> None:
        stop(cast, reason="<script>x</script> \u202egnp.exe")
        html = cast.client("ruth").get(PAGE).content.decode()

        assert "<script>x" not in html
        assert "⟨U+202E⟩" in html

    def test_refreshes_by_itself(self, cast: Cast) -> None:
        client = cast.client("ruth")
        before = client.get("/frame/?part=banner").content.decode()
        stop(cast)
        after = client.get("/frame/?part=banner").content.decode()

        assert "Stop ordered" not in before
        assert "Stop ordered" in after
        assert after.strip().startswith("<sb-live")
        assert 'id="stop-banner"' in after


class TestFrameParts:
    def test_nav_keeps_the_room_it_is_for(self, cast: Cast) -> None:
        html = cast.client("omar").get("/frame/?part=nav&at=cost").content.decode()

        assert re.search(r'id="nav-cost"[^>]*aria-current="true"', html)
        assert "<html" not in html

    def test_refuses_other_parts(self, cast: Cast) -> None:
        for part in ("", "?part=", "?part=person", "?part=../../settings"):
            assert cast.client("ruth").get(f"/frame/{part}").status_code == 404

    def test_refuses_strangers(self) -> None:
        answer = Client(SERVER_NAME="localhost").get(
            "/frame/?part=nav", headers={"HX-Request": "true"}
        )

        assert answer.status_code == 401
        assert "<html" not in answer.content.decode()


class TestTheme:
    @pytest.mark.parametrize("theme", ["light", "dark", "system"])
    def test_is_stamped_by_the_server(self, cast: Cast, theme: str) -> None:
        client = cast.client("ruth")
        answer = client.post("/theme/", {"theme": theme, "next": PAGE})

        assert answer.headers["Location"] == PAGE
        assert f'data-theme="{theme}"' in client.get(PAGE).content.decode()

    @pytest.mark.parametrize("theme", ["", "pink", '"><script>', "x" * 5000])
    def test_refuses_others(self, cast: Cast, theme: str) -> None:
        client = cast.client("ruth")

        assert client.post("/theme/", {"theme": theme}).status_code == 400
        assert 'data-theme="system"' in client.get(PAGE).content.decode()

    @pytest.mark.parametrize("back", ["//evil.example/", "https://evil.example", "javascript:1"])
    def test_goes_nowhere_else(self, cast: Cast, back: str) -> None:
        answer = cast.client("ruth").post("/theme/", {"theme": "dark", "next": back})

        assert answer.headers["Location"] == "/"

    def test_ignores_a_forged_cookie(self, cast: Cast) -> None:
        client = cast.client("ruth")
        client.cookies["signalbox_theme"] = '"><script>alert(1)</script>'

        html = client.get(PAGE).content.decode()

        assert 'data-theme="system"' in html
        assert "alert(1)" not in html

    def test_needs_the_token(self, cast: Cast) -> None:
        client = cast.client("ruth")
        strict = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
        strict.cookies = client.cookies

        answer = strict.post("/theme/", {"theme": "dark"})

        assert answer.status_code == 403
        assert "so nothing was done" in answer.content.decode()


class TestErrors:
    def test_404_keeps_the_navigation(self, cast: Cast) -> None:
        answer = cast.client("omar").get("/no/such/page/")

        assert answer.status_code == 404
        assert nav_of(answer.content.decode())

    def test_refusals_to_htmx_are_fragments(self, cast: Cast) -> None:
        answer = cast.client("ruth").get("/manual/none/", headers={"HX-Request": "true"})

        assert answer.status_code == 404
        assert answer.content.decode().strip().startswith('<section class="refusal"')


class TestKeyboard:
    def test_is_a_page_of_its_own_that_says_what_it_needs(self, cast: Cast) -> None:
        client = cast.client("ruth")
        page = client.get("/keyboard/").content.decode()
        assert "Keys need a browser that runs scripts." in page
        assert "data-keyboard hidden" in page
        assert page.count('href="/keyboard/"') == 2  # the menu of the person, the list of `?`
        assert client.post("/keyboard/").status_code == 405
