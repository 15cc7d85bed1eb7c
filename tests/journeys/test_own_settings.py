"""Readers bring settings of their own: forced colours, 400 % zoom, and scripts from the right."""

from playwright.sync_api import Page, ViewportSize, expect

from approvals.cards import ProposalCard
from tests.approvals.desk import approve, facts, opened
from tests.cast import Cast
from tests.journeys.conftest import OpenBrowser
from tests.journeys.people import Person
from tests.journeys.test_review_page import armed

ZOOMED: ViewportSize = {"width": 320, "height": 256}  # 1280 by 1024 at 400 %
HEBREW = "ביטול הזמנה 12"
ARABIC = "إلغاء الطلب"
PAINTS = """each => {
  const at = getComputedStyle(each);
  const { backgroundColor, borderTopColor, borderTopStyle, textDecorationLine } = at;
  return { backgroundColor, borderTopColor, borderTopStyle, textDecorationLine };
}"""
FILLS = "each => getComputedStyle(each).backgroundColor"
MARKS = "each => getComputedStyle(each, '::after').backgroundColor"
LEFT = "each => each.getBoundingClientRect().left"


def written(cast: Cast) -> ProposalCard:
    """Open a proposal that somebody wrote from right to left."""
    orders = [
        {"#W1": {"total": total, "note": note}} for total, note in ((418, "-"), (420, ARABIC))
    ]
    before, after = ({"orders": each} for each in orders)
    about = facts(2, title=HEBREW, agent_label="סוכן", why=f"{ARABIC} 12, 34")
    return opened(cast, facts_=about, args={"note": f"{ARABIC} 12"}, before=before, after=after)


def test_of_a_reader_are_kept(cast: Cast, console: str, open_browser: OpenBrowser) -> None:
    voted, card = opened(cast, tier=2), written(cast)
    approve(voted, cast.ruth)
    page = Person(open_browser(), console).enter(cast, "ruth").goes_to(f"/reviews/{card.id}/").page
    armed(page)
    runs_from_the_right(page)
    shows_in_forced_colours(page)
    page.goto(f"{console}/reviews/{voted.id}/")
    fills_in_forced_colours(page)
    page.emulate_media(forced_colors="none")
    page.goto(f"{console}/reviews/{voted.id}/")
    scrolls_one_way_at_400_percent(page)


def runs_from_the_right(page: Page) -> None:
    """What is written so moves nothing of ours beside it."""
    standing = page.get_by_role("region", name="What this would do")
    agent = standing.locator("strong", has_text="סוכן")
    assert agent.evaluate(LEFT) < standing.locator("time").first.evaluate(LEFT)
    title = standing.locator(".consequence bdi", has_text=HEBREW)
    assert title.evaluate(LEFT) < standing.locator(".amount").first.evaluate(LEFT)
    amount = standing.locator(".amount").first
    expect(amount).to_contain_text("418")
    row = page.get_by_role("row").filter(has_text=ARABIC).first
    assert row.get_by_role("cell").last.locator("bdi").count() == 1


def shows_in_forced_colours(page: Page) -> None:
    page.emulate_media(forced_colors="active")
    paints = {name: page.locator(name).first.evaluate(PAINTS) for name in
              ("ins", "del", ".choice", "[name=record]", ".claim", ".sheet")}  # fmt: skip
    assert paints["ins"]["textDecorationLine"] == "underline"
    assert paints["del"]["textDecorationLine"] == "line-through"
    for name in (".choice", "[name=record]", ".claim", ".sheet"):
        assert paints[name]["borderTopStyle"] in {"solid", "dashed"}, name
        assert paints[name]["borderTopColor"] != paints[name]["backgroundColor"], name
    here, other = (
        page.locator(f".nav a{which}").first for which in ("[aria-current]", ":not([aria-current])")
    )
    assert here.evaluate(MARKS) != other.evaluate(FILLS)
    page.get_by_label("Approve").check()
    expect(page.get_by_label("Approve")).to_be_checked()


def fills_in_forced_colours(page: Page) -> None:
    """One of two have voted: a filled circle beside an empty one."""
    page.emulate_media(forced_colors="active")
    bells = page.locator(".people .bells i")
    expect(bells).to_have_count(2)
    full, empty = (bells.nth(n).evaluate(FILLS) for n in (0, 1))
    assert full != empty


def scrolls_one_way_at_400_percent(page: Page) -> None:
    page.set_viewport_size(ZOOMED)
    assert page.evaluate("document.documentElement.scrollWidth") <= ZOOMED["width"]
