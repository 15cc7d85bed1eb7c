"""The pages of the desk in all their states: no barrier, in light and dark, wide and on a phone."""

import pytest
from playwright.sync_api import expect

from console.kernel.ids import uuid7
from tests.approvals.desk import facts, opened
from tests.approvals.test_views_page import LONG, OTHER, note
from tests.cast import Cast
from tests.journeys.conftest import OpenBrowser
from tests.journeys.people import Person
from tests.journeys.test_review_page import armed


def fits(person: Person, width: int) -> None:
    person.finds_no_barrier()
    assert person.page.evaluate("document.documentElement.scrollWidth") <= width, person.page.url


@pytest.mark.parametrize("width", [1280, 360])
def test_the_desk_has_no_barrier(
    cast: Cast, console: str, open_browser: OpenBrowser, width: int
) -> None:
    about = facts(1, title="Change the note of order #W1")
    long = opened(cast, facts_=about, tool="change_note", **note(LONG, OTHER))
    ruth = Person(open_browser(width=width), console).enter(cast, "ruth")
    sees_groups(cast, ruth, width)
    reads_a_long_change(ruth, f"/reviews/{long.id}/", width)
    fits(ruth.goes_to("/keyboard/"), width)


def sees_groups(cast: Cast, ruth: Person, width: int) -> None:
    run, high = uuid7(), uuid7()
    for each, tier in ((run, 1), (run, 1), (run, 1), (high, 2), (high, 2)):
        opened(cast, tier=tier, facts_=facts(tier, run_id=each))
    page = ruth.goes_to("/reviews/").page
    group = page.get_by_text("3 identical requests of one run")
    group.click()
    expect(page.get_by_role("list", name="Identical: Cancel order #W1").first).to_be_visible()
    fits(ruth, width)
    page.keyboard.press(".")
    expect(page.get_by_role("menuitem", name="Decide all 3…")).to_be_visible()
    fits(ruth, width)
    page.get_by_role("menuitem", name="Decide all 3…").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Decide together")
    fits(ruth, width)


def reads_a_long_change(ruth: Person, path: str, width: int) -> None:
    page = ruth.goes_to(path).page
    armed(page)
    page.keyboard.press(".")
    expect(page.get_by_role("menu", name="Actions of this page")).to_be_visible()
    fits(ruth, width)
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("line 601, new")
    expect(page.locator("#find")).to_have_attribute("data-ready", "")
    page.keyboard.press("Enter")
    expect(page.get_by_role("search").get_by_role("status")).to_have_text("1 of 1")
    fits(ruth, width)
