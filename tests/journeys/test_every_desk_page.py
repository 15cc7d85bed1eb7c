"""Every page of the desk that no other journey opens, once: axe, dark, and on a phone."""

from playwright.sync_api import Page, ViewportSize, expect

from tests.journeys.conftest import OpenBrowser, axe_findings
from tests.journeys.desk_tenant import WANDA, Desk, furnished
from tests.journeys.people import Person

WIDE: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 740}


def look(page: Page, name: str) -> list[str]:
    """Return what is wrong with a page in light, in dark and on a phone."""
    found = [f"{name}: {each}" for each in axe_findings(page)]
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size(PHONE)
    dark = axe_findings(
        page, ["color-contrast"], within="#main"
    )  # the frame is looked at elsewhere
    found += [f"{name}, dark: {each}" for each in dark]
    wide = page.evaluate("document.documentElement.scrollWidth")
    found += [f"{name}: {wide} px wide on a phone"] if wide > PHONE["width"] else []
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(WIDE)
    return found


def tries_rules(page: Page, desk: Desk) -> None:
    page.get_by_label("Proposal (its id)").fill(str(desk.past.id))
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_role("heading", name="return_order, tier 1")).to_be_visible()


def test_no_page_of_the_desk_has_a_barrier(console: str, open_browser: OpenBrowser) -> None:
    desk = furnished()
    wanda = Person(open_browser(), console).enter(desk.cast, WANDA)
    found: list[str] = []
    for name, path in desk.pages.items():
        found += look(wanda.goes_to(path).page, name)
    tries_rules(wanda.goes_to(desk.draft).page, desk)
    found += look(wanda.page, "rules tried on a call")
    wanda.goes_to(desk.pages["edit"]).page.get_by_label("phone").fill("+1 555 0123")
    wanda.page.get_by_role("button", name="Show what changes").first.click()
    expect(wanda.page.get_by_role("heading", name="What revision 2 would be")).to_be_visible()
    found += look(wanda.page, "edit, before it is made")
    assert found == []
