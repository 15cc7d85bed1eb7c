"""On paper is all that was on screen, however long; a long change is read in the browser first."""

import re

from playwright.sync_api import Page, expect

from approvals import commands
from approvals.cards import Claimed, ProposalCard
from approvals.states import DispatchState
from tests.approvals.desk import AFTER, agent, approved, claim, opened
from tests.approvals.plans import opened_plan
from tests.approvals.test_views_page import note
from tests.cast import Cast
from tests.journeys.conftest import OpenBrowser
from tests.journeys.paper import printed, words_of
from tests.journeys.people import Keyboard, Person
from tests.journeys.test_review_page import armed, bar

LINES = 10_000
AT_ONCE = 4_000  # lines that one answer opens
LONG = "\n".join(f"line {n}" for n in range(LINES))
PRINT = """
window.print = () => {
  const left = document.querySelectorAll("tr.fold[data-hunk]");
  document.documentElement.dataset.printed = String(left.length);
};
"""


def executed(cast: Cast) -> ProposalCard:
    card = approved(cast, tier=2)
    run = claim(cast, card)
    assert isinstance(run, Claimed)
    commands.report_outcome(
        actor=agent(cast),
        dispatch_id=run.dispatch_id,
        outcome=DispatchState.SUCCEEDED,
        after=AFTER,
        evidence={"order": "#W1"},
    )
    return card


def is_whole(page: Page) -> None:
    paper = printed(page)
    words = words_of(page)
    assert len(words) > 60
    assert [word for word in words if word not in paper] == []


def test_a_decision_a_plan_and_ten_thousand_lines_are_whole(
    cast: Cast, console: str, open_browser: OpenBrowser
) -> None:
    decision, plan = executed(cast), opened_plan(cast, tier=2).plan
    long = opened(cast, **note("It was short.", LONG))
    ruth = Person(open_browser(), console).enter(cast, "ruth")
    for card in (decision, plan):
        is_whole(ruth.goes_to(f"/reviews/{card.id}/").page)
        expect(ruth.page.get_by_text(card.digest).first).to_be_attached()
    ruth.page.add_init_script(PRINT)
    ruth.goes_to(f"/reviews/{long.id}/")
    reads_and_prints(ruth, long)


def reads_and_prints(ruth: Person, card: ProposalCard) -> None:
    """Find a line among ten thousand new ones, print, and approve when each of them was shown."""
    page, keys = ruth.page, Keyboard(ruth.page)
    approve = bar(page).get_by_label("Approve")
    armed(page)
    expect(approve).to_be_disabled()
    keys.press("/").write("line 9900")
    expect(page.locator("#find")).to_have_attribute("data-ready", "")
    keys.press("Enter")
    expect(page.get_by_role("search").get_by_role("status")).to_have_text("1 of 1")
    expect(page.get_by_text("line 9900", exact=True)).to_be_in_viewport()
    expect(approve).to_be_disabled()
    keys.press("Escape", "Control+p")
    expect(page.locator("html")).to_have_attribute("data-printed", re.compile("^[1-9]"))
    paper = printed(page)
    for text in (card.digest, "line0", f"line{AT_ONCE - 200}", "notlookedatyet"):
        assert text in paper, text
    for shown in range(AT_ONCE, LINES, AT_ONCE):
        expect(approve).to_be_disabled()
        page.get_by_role("link", name="Open the next folds").click()
        expect(page.get_by_text(f"line {shown + 200}", exact=True)).to_be_attached()
    expect(approve).to_be_enabled()
    armed(page)
    keys.press("a", "Control+Enter")
    expect(page.get_by_role("status").filter(has_text="Vote recorded")).to_be_visible()
