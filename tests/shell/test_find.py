"""Finding a page by its name, and a thing by its id."""

import re
from html import unescape

import pytest
from django.urls import reverse

from approvals import commands
from console.kernel.ids import uuid7
from console.shell.queries.places import OWN, PAGES, ROOMS
from tests.approvals import glass
from tests.approvals.desk import opened
from tests.approvals.policies.rules import body, rule
from tests.cast import Cast


def ways(cast: Cast, q: str, who: str = "noor") -> dict[str, str]:
    """Return what a reader is shown for a text: labels and addresses."""
    html = cast.client(who).get("/find/", {"q": q, "part": "found"}).content.decode()
    assert "<html" not in html
    found = re.findall(r'<li><a href="([^"]+)">(.*?)</a>', html)
    return {unescape(label): unescape(href) for href, label in found}


class TestPages:
    def test_are_all_there_for_who_may_open_them(self, cast: Cast) -> None:
        cast.add("wanda", roles=("reviewer", "operator", "auditor", "admin"))
        client = cast.client("wanda")
        found = ways(cast, "", "wanda")
        assert len(found) == len(ROOMS) + len(OWN) + len(PAGES)
        for label, href in found.items():
            assert client.get(href).status_code == 200, label

    def test_are_found_by_other_words(self, cast: Cast) -> None:
        assert "Channels" in ways(cast, "slack")
        assert list(ways(cast, "stand-in", "ruth")) == ["Delegations"]

    def test_that_somebody_may_not_open_are_not_named(self, cast: Cast) -> None:
        found = ways(cast, "", "ruth")
        assert {"Reviews", "Policies", "Your keys"} <= set(found)
        assert {"People", "Audit", "Channels", "External tools"} & set(found) == set()


class TestThings:
    def test_are_found_by_their_id_or_a_link_that_holds_it(self, cast: Cast) -> None:
        card = opened(cast)
        assert ways(cast, str(card.id), "ruth") == {"Cancel order #W1": f"/reviews/{card.id}/"}
        link = f"https://console.example/reviews/{card.id}/?view=raw"
        assert list(ways(cast, link, "ruth").values()) == [f"/reviews/{card.id}/"]
        made = commands.add_version(actor=cast.noor, body=body(rule("a", "deny")))
        assert ways(cast, str(made.id), "ruth") == {
            "shop-writes, version 1": f"/reviews/policies/{made.id}/"
        }
        glass.lend(cast, cast.ruth)
        task = glass.broken(opened(cast, tier=2), cast.ruth).task_id
        assert f"/reviews/duties/{task}/" in ways(cast, str(task), "ines").values()

    def test_of_another_tenant_are_none(self, cast: Cast) -> None:
        card = opened(cast)
        assert ways(cast, str(card.id), "mallory").keys() == {f"Search the trail for “{card.id}”"}
        page = cast.client("ruth").get("/find/", {"q": str(uuid7())}).content.decode()
        assert "Nothing is called that" in page

    @pytest.mark.parametrize("q", ["7", "#7"])
    def test_of_the_trail_have_a_number(self, cast: Cast, q: str) -> None:
        assert ways(cast, q)["Entry #7"] == reverse("audit:entry", args=[7])
        assert "Entry #7" not in ways(cast, q, "ruth")


class TestFind:
    def test_is_a_page_that_works_without_script(self, cast: Cast) -> None:
        page = cast.client("noor").get("/find/", {"q": "<b>x</b>"}).content.decode()
        assert 'action="/find/"' in page
        assert "&lt;b&gt;x&lt;/b&gt;" in page
        assert "<b>x</b>" not in page
        assert 'href="/audit/?q=%3Cb%3Ex%3C%2Fb%3E"' in page

    def test_refuses_a_text_that_is_too_long(self, cast: Cast) -> None:
        assert cast.client("ruth").get("/find/", {"q": "x" * 201}).status_code == 400
