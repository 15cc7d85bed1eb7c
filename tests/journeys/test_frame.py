"""The frame in a real browser: live banner, freshness, keys, theme, weight."""

import random
import string

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from agents.controls import commands as controls
from agents.controls.cards import Scope
from agents.controls.states import Category, ScopeKind
from tests.cast import Cast
from tests.journeys.conftest import OpenBrowser, sign_in
from tests.journeys.people import Person

PAGE = "/manual/"
LIVE_MS = 20_000  # the relay may first have to work off what other tests left


def stop(cast: Cast, agent: str, reason: str) -> None:
    scope = Scope(kind=ScopeKind.AGENT, value=agent)
    category = next(iter(Category))
    controls.engage(actor=cast.omar, scope=scope, category=category, reason=reason)


def entered(open_browser: OpenBrowser, console: str, cast: Cast, name: str, **how: object) -> Page:
    page = open_browser(**how)
    member = cast.members[name]
    sign_in(page, console, member.email, member.password)
    page.goto(console + PAGE)
    expect(page.locator("#status[data-state=live]")).to_be_visible()
    return page


class TestLive:
    def test_a_stop_reaches_a_page_that_is_open(
        self, open_browser: OpenBrowser, console: str, cast: Cast
    ) -> None:
        page = entered(open_browser, console, cast, "ruth")
        link = page.locator(".manual nav a").nth(2)
        link.focus()

        stop(cast, "refunds", "wrong currency <b>now</b>")

        expect(page.get_by_role("region", name="Active stops")).to_contain_text(
            "<b>now</b>", timeout=LIVE_MS
        )
        expect(link).to_be_focused()

    @pytest.mark.allow_noise("ERR_INTERNET_DISCONNECTED")
    def test_a_lost_connection_shows_and_is_caught_up(
        self, open_browser: OpenBrowser, console: str, cast: Cast
    ) -> None:
        page = entered(open_browser, console, cast, "ruth")
        context: BrowserContext = page.context

        context.set_offline(True)
        expect(page.locator("#status")).to_contain_text("Offline, data as of", timeout=3000)
        stop(cast, "refunds", "while nobody listened")
        context.set_offline(False)

        expect(page.locator("#stop-banner")).to_contain_text(
            "while nobody listened", timeout=LIVE_MS
        )
        expect(page.locator("#status[data-state=live]")).to_be_visible()

    @pytest.mark.allow_noise("401", "403")
    def test_an_ended_session_says_so_and_keeps_the_page(
        self, open_browser: OpenBrowser, console: str, cast: Cast
    ) -> None:
        page = entered(open_browser, console, cast, "ruth")

        page.context.clear_cookies()
        stop(cast, "refunds", "after the session")

        expect(page.locator("#status")).to_contain_text("Signed out", timeout=LIVE_MS)
        expect(page.get_by_role("heading", level=1)).to_be_visible()


class TestKeys:
    def test_open_the_list_and_go_to_rooms(
        self, open_browser: OpenBrowser, console: str, cast: Cast
    ) -> None:
        page = entered(open_browser, console, cast, "omar")

        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys on this page")).to_contain_text(
            "Go to Switches"
        )
        page.keyboard.press("Escape")
        page.keyboard.press("g")
        page.keyboard.press("s")

        page.wait_for_url("**/operations/switches/")
        finds(page)

    def test_change_nothing_by_themselves(
        self, open_browser: OpenBrowser, console: str, cast: Cast
    ) -> None:
        page = entered(open_browser, console, cast, "omar")
        page.goto(f"{console}/operations/switches/")
        sent: list[str] = []
        page.on("request", lambda r: sent.append(r.url) if r.method != "GET" else None)
        pick = random.Random(7)  # noqa: S311 - which keys does not matter, that they repeat does

        for _ in range(400):
            page.keyboard.press(pick.choice(string.ascii_letters + string.digits + "./?;, "))

        assert sent == []

    def test_can_be_switched_off(self, open_browser: OpenBrowser, console: str, cast: Cast) -> None:
        page = entered(open_browser, console, cast, "omar")
        page.keyboard.press("?")
        page.get_by_label("Switch single keys off").check()
        page.keyboard.press("Escape")

        page.keyboard.press("?")

        expect(page.get_by_role("dialog")).to_have_count(0)


def finds(page: Page) -> None:
    """Ctrl K goes to a control of the page and does not press it, and to another page."""
    omar = Person(page, "")
    sent: list[str] = []
    page.on("request", lambda r: sent.append(r.url) if r.method != "GET" else None)
    page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog", name="Find")
    field = palette.get_by_role("searchbox")
    expect(field).to_be_focused()
    expect(palette.get_by_role("link", name="Switches", exact=True)).to_be_visible()
    expect(palette.get_by_role("listitem").filter(has_text="Switches").first).to_contain_text("g s")
    expect(palette.get_by_role("link", name="People")).to_have_count(0)
    omar.finds_no_barrier()
    page.keyboard.type("stop now")
    expect(palette.get_by_role("status")).to_have_text("1 found")
    page.keyboard.press("Enter")
    expect(palette).to_be_hidden()
    expect(page.get_by_role("button", name="Stop now")).to_be_focused()
    assert sent == []
    page.keyboard.press("Control+k")
    page.keyboard.type("atten")
    expect(palette.get_by_role("listitem")).to_have_text(["Attention page"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/reviews/attention/")


class TestTheme:
    def test_is_kept(self, open_browser: OpenBrowser, console: str, cast: Cast) -> None:
        page = entered(open_browser, console, cast, "ruth")

        page.locator("#person-menu summary").click()
        page.get_by_role("button", name="Dark").click()

        expect(page.locator("html[data-theme=dark]")).to_be_attached()
        page.goto(f"{console}/")
        expect(page.locator("html[data-theme=dark]")).to_be_attached()


class TestWeight:
    def test_a_cold_page_asks_twelve_times_at_most(
        self, open_browser: OpenBrowser, console: str, cast: Cast
    ) -> None:
        page = entered(open_browser, console, cast, "ruth")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))

        page.goto(console + PAGE)
        expect(page.locator("#status[data-state=live]")).to_be_visible()

        assert len(asked) <= 12, asked


@pytest.mark.parametrize("width", [1280, 360])
class TestAccess:
    def test_of_the_shell(
        self, open_browser: OpenBrowser, console: str, cast: Cast, width: int
    ) -> None:
        stop(cast, "refunds", "so that the banner is there")
        page = entered(open_browser, console, cast, "noor", width=width)
        for path in ("/", "/manual/stops/", "/manual/words/"):
            Person(page, console).goes_to(path).finds_no_barrier()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path

    def test_of_the_menu_and_the_key_list(
        self, open_browser: OpenBrowser, console: str, cast: Cast, width: int
    ) -> None:
        page = entered(open_browser, console, cast, "noor", width=width)
        page.locator("#person-menu summary").click()
        Person(page, console).finds_no_barrier()
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        Person(page, console).finds_no_barrier()
