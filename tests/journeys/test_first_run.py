"""The sentence that the product sells, seen by the people it is sold to, in one walk."""

import re
from io import StringIO
from typing import Final

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from console.widget.cards import WidgetKeyCard
from tests.cast import Cast
from tests.journeys.conftest import OpenBrowser
from tests.journeys.people import Customer, Person
from tests.journeys.shop import ORDER, ask, open_shop, status_of


@pytest.fixture
def site(cast: Cast) -> WidgetKeyCard:
    return open_shop(cast)


@pytest.mark.allow_noise("409")
def test_what_people_agreed_to_runs_once_and_anyone_can_stop_and_prove_it(
    cast: Cast, site: WidgetKeyCard, console: str, open_browser: OpenBrowser
) -> None:
    customer = Customer(open_browser())
    ask(cast, customer, f"{console}/demo/shop/?key={site.public}")
    ruth = Person(open_browser(), console).enter(cast, "ruth")
    ines = Person(open_browser(), console).enter(cast, "ines")
    decide(cast, ruth, ines)
    customer.reads(re.compile("cancelled", re.IGNORECASE))
    assert status_of(cast) == "cancelled"
    verify(cast)
    prove(Person(open_browser(), console).enter(cast, "noor"))
    stop(Person(open_browser(), console).enter(cast, "omar"))
    expect(ruth.page.get_by_text("wrong refunds seen").first).to_be_visible()
    customer.says(f"And order {ORDER} again?")
    expect(customer.chat.get_by_role("alert")).to_contain_text("wrong refunds seen")


def decide(cast: Cast, ruth: Person, ines: Person) -> None:
    """Two reviewers look at one proposal; one vote is not enough, the other group's is."""
    ruth.goes_to("/reviews/").finds_no_barrier()
    ruth.page.get_by_role("link", name=re.compile(ORDER)).first.click()
    ruth.page.wait_for_url(re.compile("/reviews/[0-9a-f-]{36}/"))
    ines.page.goto(ruth.page.url)
    ruth.finds_no_barrier()
    expect(ruth.page.get_by_role("table").first).to_contain_text("cancelled")
    ruth.approves()
    expect(ruth.page.get_by_text("Your vote", exact=True).first).to_be_visible()
    assert status_of(cast) == "pending"
    ines.approves()
    for page in (ines.page, ruth.page):
        standing = page.get_by_label("Where it stands")
        expect(standing).to_contain_text("Decided")
        expect(standing).to_contain_text("reported")
    ruth.finds_no_barrier()


def verify(cast: Cast) -> None:
    """The command that anyone may run agrees that the tenant's trail is whole."""
    said = StringIO()
    call_command("verify_audit", tenant=str(cast.tenant_id), stdout=said)
    assert "Verified." in said.getvalue()


def prove(noor: Person) -> None:
    """The auditor finds the whole chain and verifies an entry of it."""
    noor.goes_to("/audit/?q=action:vote.cast").finds_no_barrier()
    rows = noor.page.get_by_role("table").first.get_by_role("row")
    expect(rows.filter(has_text="vote.cast")).to_have_count(2)
    noor.page.get_by_role("table").first.get_by_role("link").first.click()
    noor.finds_no_barrier()
    expect(noor.page.get_by_text(re.compile("verified", re.IGNORECASE)).first).to_be_visible()
    noor.goes_to("/audit/?q=action:dispatch.succeeded")
    expect(rows.filter(has_text="dispatch.succeeded")).to_have_count(1)


def stop(omar: Person) -> None:
    """The operator stops the agent, and says why."""
    omar.goes_to("/operations/switches/?scope=agent:support").finds_no_barrier()
    omar.page.get_by_label("What to stop").select_option("agent:support")
    omar.page.get_by_label("Reason").fill("wrong refunds seen")
    omar.page.get_by_role("button", name="Stop now").click()
    expect(omar.page.get_by_text("wrong refunds seen").first).to_be_visible()


PAGES: Final = {
    "noor": (
        "/",
        "/runs/",
        "/operations/switches/",
        "/costs/",
        "/audit/",
        "/people/",
        "/keys/",
        "/embed/",
        "/account/sessions/",
        "/manual/",
    ),
    "ruth": ("/reviews/", "/reviews/?view=decided"),
}


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_accessible(
    cast: Cast, console: str, open_browser: OpenBrowser, name: str, width: int
) -> None:
    person = Person(open_browser(width=width), console).enter(cast, name)
    for path in PAGES[name]:
        person.goes_to(path).finds_no_barrier()
        scroll_width = person.page.evaluate("document.documentElement.scrollWidth")
        assert scroll_width <= width, path
