"""The page of a proposal in a real browser: what arms, what disarms, what is kept."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from approvals import commands
from approvals.cards import ProposalCard
from tests.approvals.desk import agent, approve, claim, content, now, opened
from tests.approvals.test_views_page import LONG, OTHER, note
from tests.cast import Cast
from tests.journeys.conftest import OpenBrowser, axe_findings, sign_in

LIVE_MS = 20_000  # the relay may first have to work off what other tests left
ARM_MS = 400
HEARD_LATE_MS = 20  # what watches a form is told when the script that set it has ended
# Notes each state of the button with the browser's own clock, from before the first paint.
WATCH = """
window.states = [];
new MutationObserver(() => {
  const state = document.querySelector('[name="record"]')?.getAttribute("aria-disabled");
  if (state && window.states.at(-1)?.[0] !== state) window.states.push([state, performance.now()]);
}).observe(document, {subtree: true, childList: true, attributes: true});
"""


def reviewer(open_browser: OpenBrowser, console: str, cast: Cast, **how: Any) -> Page:
    page = open_browser(**how)
    member = cast.members["ruth"]
    sign_in(page, console, member.email, member.password)
    page.add_init_script(WATCH)
    return page


def show(page: Page, console: str, card: ProposalCard, query: str = "") -> None:
    page.goto(f"{console}/reviews/{card.id}/{query}")
    page.bring_to_front()


def armed(page: Page) -> None:
    expect(page.locator('[name="record"]')).to_have_attribute("aria-disabled", "false")


def bar(page: Page) -> Any:
    return page.get_by_role("form", name="Your vote", exact=True)


def rebase(cast: Cast, card: ProposalCard) -> None:
    """Bring a second revision: agreed to, found changed, put on what is there now."""
    commands.release(actor=cast.ruth, proposal_id=card.id)  # her page has claimed it by now
    approve(card, cast.ines)
    base = {"orders": {"#W1": {"status": "shipped"}}}
    claim(cast, card, before=base)
    commands.refresh(actor=agent(cast), proposal_id=card.id, content=content(before=base))


class TestArming:
    def test_waits_after_the_paint(
        self, open_browser: OpenBrowser, console: str, cast: Cast
    ) -> None:
        """anthropics/claude-code#87053: a key that was on its way decided what had just come."""
        page = reviewer(open_browser, console, cast)
        show(page, console, opened(cast))
        armed(page)
        (off, off_at), (on, on_at) = page.evaluate("window.states")[:2]
        assert (off, on) == ("true", "false")
        assert on_at - off_at >= ARM_MS - HEARD_LATE_MS

    def test_typing_votes_for_nothing(
        self, open_browser: OpenBrowser, console: str, cast: Cast
    ) -> None:
        """anthropics/claude-code#37955 and #87053, PostHog/code#1503."""
        page = reviewer(open_browser, console, cast)
        card = opened(cast)
        show(page, console, card)
        armed(page)
        sent: list[str] = []
        page.on("request", lambda r: sent.append(r.url) if r.method != "GET" else None)
        bar(page).get_by_label("Reason").focus()
        for key in ("a", "r", "1", "2", "Space", "Enter", "j", "n", "x"):
            page.keyboard.press(key)
        assert bar(page).get_by_label("Approve").is_checked() is False
        bar(page).get_by_label("Approve").focus()
        for key in ("Space", "Enter", "1", "2"):
            page.keyboard.press(key)
        assert [url for url in sent if "vote" in url] == []
        assert page.url.endswith(f"/reviews/{card.id}/")


class TestRecording:
    @pytest.mark.allow_noise("409")  # the page claims what was decided meanwhile
    def test_takes_two_keys_and_leads_to_the_next(
        self, open_browser: OpenBrowser, console: str, cast: Cast
    ) -> None:
        page = reviewer(open_browser, console, cast)
        first, second = (opened(cast) for _ in range(2))
        show(page, console, first)
        armed(page)
        page.keyboard.press("a")
        page.keyboard.press("Control+Enter")
        page.wait_for_url(f"**/reviews/{second.id}/")
        receipt = page.get_by_role("status").filter(has_text="Vote recorded")
        expect(receipt.get_by_role("link")).to_have_attribute("href", f"/reviews/{first.id}/")
        armed(page)
        page.keyboard.press("a")
        page.keyboard.press("Control+Enter")
        standing = page.get_by_label("Where it stands")
        expect(standing).to_contain_text("Your vote")
        expect(standing).to_contain_text("sealed as #", timeout=LIVE_MS)

    @pytest.mark.allow_noise("ERR_FAILED", "409")
    def test_says_when_nobody_knows_and_checks(
        self, open_browser: OpenBrowser, console: str, cast: Cast
    ) -> None:
        page = reviewer(open_browser, console, cast)
        card = opened(cast)
        show(page, console, card)
        armed(page)
        page.route("**/votes", lambda route: route.abort())
        page.keyboard.press("a")
        page.keyboard.press("Control+Enter")
        expect(bar(page)).to_contain_text("Not known whether it was recorded.")
        bar(page).get_by_role("button", name="Check").click()
        expect(bar(page)).to_contain_text("It was not recorded.")

        def lost(route: Any) -> None:
            route.fetch()  # it arrives, and its answer does not
            route.abort()

        page.unroute("**/votes")
        page.route("**/votes", lost)
        page.keyboard.press("Control+Enter")
        expect(bar(page)).to_contain_text("Not known whether it was recorded.")
        bar(page).get_by_role("button", name="Check").click()
        expect(page.get_by_label("Where it stands")).to_contain_text("Your vote")
        actions = [line.action for line in now(cast, card).history]
        assert actions.count("vote.cast") == 1


class TestKeeping:
    @pytest.mark.allow_noise("409")
    def test_a_new_revision_disarms_and_keeps_the_text(
        self, open_browser: OpenBrowser, console: str, cast: Cast
    ) -> None:
        page = reviewer(open_browser, console, cast)
        card = opened(cast)
        show(page, console, card)
        armed(page)
        bar(page).get_by_label("Reason").fill("I looked at the first one")
        expect(bar(page)).to_contain_text("draft saved")
        expect(page.get_by_text("You are at work on this")).to_be_visible()
        rebase(cast, card)
        expect(bar(page)).to_contain_text("It is revision 2 now", timeout=LIVE_MS)
        expect(page.locator('[name="record"]')).to_have_attribute("aria-disabled", "true")
        bar(page).get_by_role("link", name="Only what changed").click()
        expect(
            page.get_by_role("heading", name="Only what changed since revision 1")
        ).to_be_visible()
        expect(bar(page).get_by_label("Reason")).to_have_value("I looked at the first one")
        assert bar(page).get_by_label("Approve").is_checked() is False

    @pytest.mark.allow_noise("401", "403")
    def test_an_ended_session_asks_to_sign_in_and_keeps_the_text(
        self, open_browser: OpenBrowser, console: str, cast: Cast
    ) -> None:
        page = reviewer(open_browser, console, cast)
        card = opened(cast)
        show(page, console, card)
        armed(page)
        bar(page).get_by_label("Reason").fill("Long thought")
        expect(bar(page)).to_contain_text("draft saved")
        page.context.clear_cookies(name="sessionid")
        bar(page).get_by_label("Approve").check()
        page.get_by_role("button", name="Record vote").click()
        dialog = page.get_by_role("dialog", name="You are signed out")
        member = cast.members["ruth"]
        dialog.get_by_label("E-mail").fill(member.email)
        dialog.get_by_label("Password").fill(member.password)
        dialog.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"**/reviews/{card.id}/**")
        expect(bar(page).get_by_label("Reason")).to_have_value("Long thought")

    @pytest.mark.allow_noise("409")
    def test_two_tabs_share_a_draft_and_one_vote(
        self, open_browser: OpenBrowser, console: str, cast: Cast
    ) -> None:
        page = reviewer(open_browser, console, cast)
        card = opened(cast)
        show(page, console, card)
        bar(page).get_by_label("Reason").fill("from the first tab")
        expect(bar(page)).to_contain_text("draft saved")
        other = page.context.new_page()
        show(other, console, card)
        expect(bar(other).get_by_label("Reason")).to_have_value("from the first tab")
        armed(other)
        other.keyboard.press("a")
        other.keyboard.press("Control+Enter")
        expect(other.get_by_label("Where it stands")).to_contain_text("Your vote")
        page.bring_to_front()
        expect(bar(page)).to_contain_text("It is approved now", timeout=LIVE_MS)


class TestChange:
    def test_opens_folds_in_place_by_keys(
        self, open_browser: OpenBrowser, console: str, cast: Cast
    ) -> None:
        page = reviewer(open_browser, console, cast)
        show(page, console, opened(cast, **note(LONG, OTHER)))
        armed(page)
        expect(bar(page).get_by_label("Approve")).to_be_disabled()
        page.keyboard.press("n")
        expect(page.locator("[data-open-fold]:focus")).to_be_visible()
        page.keyboard.press("e")
        expect(page.get_by_text("line 812, new")).to_be_visible()
        expect(bar(page).get_by_label("Approve")).to_be_enabled()
        # openclaw/openclaw#80024: a long text pushed what one answers with out of reach.
        expect(bar(page).get_by_label("Approve")).to_be_in_viewport()
        expect(page.locator('[name="record"]')).to_be_in_viewport()
        assert page.evaluate("performance.getEntriesByType('navigation').length") == 1
        page.keyboard.press("v")
        page.wait_for_url(re.compile("view=unified"))

    @pytest.mark.parametrize(("width", "views"), [(1280, ["fields", "side"]), (360, ["unified"])])
    def test_has_no_barrier(
        self, open_browser: OpenBrowser, console: str, cast: Cast, width: int, views: list[str]
    ) -> None:
        page = reviewer(open_browser, console, cast, width=width)
        nasty = "W" * 300 + "\u202e" + "\nx" * 6
        card = opened(cast, **note("short\n" * 5, nasty))
        for view in views:
            show(page, console, card, f"?view={view}")
            page.emulate_media(color_scheme="dark" if view == "side" else "light")
            assert axe_findings(page) == [], view
            assert page.evaluate("document.documentElement.scrollWidth") <= width, view
