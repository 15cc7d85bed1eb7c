"""Somebody decides, and everybody who has it open knows before their page has fetched anything."""

import re
import time

import pytest
from playwright.sync_api import Page, Route, expect

from tests.approvals.desk import approve, facts, opened
from tests.cast import Cast
from tests.journeys.conftest import OpenBrowser
from tests.journeys.people import Person
from tests.journeys.test_review_page import LIVE_MS, armed, bar

RECORD = '[name="record"]'


class Held:
    """The refetches of a page, which wait until they are let go."""

    def __init__(self, page: Page, part: str) -> None:
        self.page = page
        self.waiting: list[Route] = []
        self.is_over = False
        page.route(re.compile(rf"[?&]part={part}"), self._hold)

    def _hold(self, route: Route) -> None:
        if self.is_over:
            route.continue_()
        else:
            self.waiting.append(route)

    def next(self) -> Route:
        deadline = time.monotonic() + LIVE_MS / 1000
        while not self.waiting:
            assert time.monotonic() < deadline
            self.page.wait_for_timeout(10)  # a poll with a deadline, not a race
        return self.waiting.pop()

    def let_go(self) -> None:
        self.is_over = True
        while self.waiting:
            self.waiting.pop().continue_()


def test_a_row_is_marked_by_the_hint_and_an_older_answer_changes_nothing(
    cast: Cast, console: str, open_browser: OpenBrowser
) -> None:
    card = opened(cast, facts_=facts(1, title="Cancel order #A1"))
    opened(cast)
    ines = Person(open_browser(), console).enter(cast, "ines").goes_to("/reviews/?view=team")
    page, row = ines.page, ines.page.locator(f"#proposal-{card.id}")
    expect(page.locator("#status")).to_have_attribute("data-state", "live")
    row.get_by_role("checkbox").focus()  # whoever is at the list gets no arrivals into it
    held = Held(page, "rows")
    opened(cast)
    question = held.next()
    older = question.fetch()

    approve(card, cast.ruth)
    expect(row).to_have_attribute("data-gone", "", timeout=LIVE_MS)
    expect(row.locator(".row-end")).to_have_text("Approved")
    expect(row.get_by_role("checkbox")).to_have_count(0)
    expect(row.get_by_role("link")).to_be_focused()
    expect(page.locator("#said")).to_have_text("Cancel order #A1: Approved.")
    ines.finds_no_barrier()
    question.fulfill(response=older)
    expect(page.get_by_text("1 new.")).to_be_visible()  # the older answer is on the page
    expect(row).to_have_attribute("data-gone", "")
    expect(row.get_by_role("checkbox")).to_have_count(0)

    held.let_go()
    expect(row.locator("time")).to_be_visible()
    fresh = page.context.new_page()
    source = page.locator("#queue").get_attribute("src") or ""
    fresh.goto(f"{console}{source.replace('part=rows', 'part=')}")
    same = "each => each.outerHTML"
    assert row.evaluate(same) == fresh.locator(f"#proposal-{card.id}").evaluate(same)


@pytest.mark.allow_noise("409")  # the page claims what was decided meanwhile
def test_an_open_vote_disarms_by_the_hint_and_the_details_follow(
    cast: Cast, console: str, open_browser: OpenBrowser
) -> None:
    card = opened(cast)
    ines = Person(open_browser(width=360), console).enter(cast, "ines")
    page = ines.goes_to(f"/reviews/{card.id}/").page
    armed(page)
    bar(page).get_by_label("Reason").fill("I am still reading")
    held = Held(page, "now")

    approve(card, cast.ruth)
    expect(bar(page)).to_contain_text("It is approved now", timeout=LIVE_MS)
    expect(bar(page)).to_contain_text("The page is bringing the details.")
    expect(page.locator(RECORD)).to_have_attribute("aria-disabled", "true")
    expect(page.locator("[data-current-state]")).to_have_attribute("data-current-state", "open")
    ines.finds_no_barrier()

    held.let_go()
    expect(page.locator("#history")).to_contain_text("settled it")
    expect(bar(page)).to_contain_text("It is approved now")
    expect(bar(page).get_by_text("The page is bringing")).to_be_hidden()
    expect(page.locator(RECORD)).to_have_attribute("aria-disabled", "true")
    expect(bar(page).get_by_label("Reason")).to_have_value("I am still reading")
