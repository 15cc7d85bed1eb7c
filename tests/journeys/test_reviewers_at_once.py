"""Two reviewers at once, a page that is out of date, and a connection that comes back."""

import re

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from approvals.cards import ProposalCard
from tests.approvals.desk import approve, facts, now, opened
from tests.cast import Cast
from tests.journeys.conftest import OpenBrowser
from tests.journeys.people import Person
from tests.journeys.test_review_page import LIVE_MS, armed, bar, rebase

AWAY_MS = 30_000
STATUS = "#status"


class Line:
    """The line between a page and the console, which can break."""

    def __init__(self, page: Page) -> None:
        self.cut = False
        self.sockets: list[WebSocketRoute] = []
        page.route_web_socket("**/ws/live/", self._answer)

    def _answer(self, socket: WebSocketRoute) -> None:
        if self.cut:
            socket.close()
            return
        socket.connect_to_server()
        self.sockets.append(socket)

    def breaks(self) -> None:
        self.cut = True
        for socket in self.sockets:
            socket.close()


def asked(cast: Cast, order: str) -> ProposalCard:
    return opened(cast, facts_=facts(1, title=f"Cancel order {order}"), args={"order_id": order})


def reads(person: Person, card: ProposalCard) -> Person:
    """Open a proposal, and look at it until it is claimed."""
    person.goes_to(f"/reviews/{card.id}/")
    armed(person.page)
    expect(person.page.get_by_text("You are at work on this")).to_be_visible()
    return person


class TestAtOnce:
    def test_two_see_each_other_and_the_quicker_one_decides(
        self, cast: Cast, console: str, open_browser: OpenBrowser
    ) -> None:
        """yoe/SReview#25: two who review the same at a time, and neither knows."""
        card = asked(cast, "#A1")
        ruth = reads(Person(open_browser(), console).enter(cast, "ruth"), card)
        bar(ruth.page).get_by_label("Reason").fill("I am still reading")
        ines = Person(open_browser(width=360), console).enter(cast, "ines")
        ines.goes_to(f"/reviews/{card.id}/")
        expect(ines.page.get_by_text("Ruth is viewing this")).to_be_visible()
        ines.finds_no_barrier()
        ines.page.get_by_label("Reject", exact=False).first.check()
        bar(ines.page).get_by_label("Why reject").select_option("not_asked_for")
        bar(ines.page).get_by_label("Reason", exact=False).last.fill("She wants to keep it.")
        bar(ines.page).get_by_role("button", name="Record vote").click()
        expect(bar(ruth.page)).to_contain_text("It is rejected now", timeout=LIVE_MS)
        expect(ruth.page.locator('[name="record"]')).to_have_attribute("aria-disabled", "true")
        expect(ruth.page.locator("#history")).to_contain_text("settled it")  # in the same answer
        expect(bar(ruth.page).get_by_label("Reason")).to_have_value("I am still reading")
        ruth.finds_no_barrier()
        actions = [line.action for line in now(cast, card).history]
        assert actions.count("vote.cast") == 1

    @pytest.mark.allow_noise("409")  # the refusal that this is about
    def test_a_page_that_heard_of_nothing_is_refused_with_the_difference(
        self, cast: Cast, console: str, open_browser: OpenBrowser
    ) -> None:
        card = opened(cast)
        page = open_browser()
        page.route_web_socket("**/ws/live/", lambda _socket: None)
        ruth = reads(Person(page, console).enter(cast, "ruth"), card)
        bar(page).get_by_label("Reason").fill("It was pending when I looked")
        rebase(cast, card)
        page.get_by_label("Approve").check()
        page.keyboard.press("Control+Enter")
        expect(bar(page)).to_contain_text("Not recorded.")
        expect(bar(page)).to_contain_text("It is revision 2 now")
        expect(page.locator('[name="record"]')).to_have_attribute("aria-disabled", "true")
        ruth.finds_no_barrier()
        bar(page).get_by_role("link", name="Only what changed").click()
        since = page.get_by_role("region", name="Only what changed since revision 1")
        expect(since).to_contain_text("shipped")
        expect(bar(page).get_by_label("Reason")).to_have_value("It was pending when I looked")
        assert "vote.cast" not in [
            line.action for line in now(cast, card).history if line.who == "Ruth"
        ]


class TestAway:
    @pytest.mark.allow_noise("ERR_INTERNET_DISCONNECTED")
    def test_half_a_minute_without_a_line_is_shown_and_caught_up(
        self, cast: Cast, console: str, open_browser: OpenBrowser
    ) -> None:
        """langchain-ai/agent-inbox#67: a list that could not be fetched was shown as empty."""
        gone, left = asked(cast, "#A1"), asked(cast, "#A2")
        page = open_browser(width=360)
        page.clock.install()
        line = Line(page)
        ruth = Person(page, console).enter(cast, "ruth").goes_to("/reviews/")
        expect(page.locator(STATUS)).to_have_attribute("data-state", "live")
        line.breaks()
        expect(page.locator(STATUS)).to_contain_text(
            re.compile(r"Reconnecting \(\d+\), data as of")
        )
        page.context.set_offline(True)
        expect(page.locator(STATUS)).to_contain_text("Offline, data as of", timeout=3000)
        approve(gone, cast.ines)
        late, _later = asked(cast, "#A3"), asked(cast, "#A4")
        page.clock.fast_forward(AWAY_MS)
        expect(page.locator(STATUS)).to_contain_text("Offline, data as of")
        expect(page.locator(f"#proposal-{gone.id}[data-gone]")).to_have_count(0)
        ruth.finds_no_barrier()
        line.cut = False
        page.context.set_offline(False)
        expect(page.locator(STATUS)).to_have_attribute("data-state", "live")
        expect(page.locator(f"#proposal-{gone.id}[data-gone]")).to_be_visible(timeout=LIVE_MS)
        expect(page.locator(f"#proposal-{left.id}")).to_be_visible()
        expect(page.get_by_text("2 new.")).to_be_visible()
        expect(page.locator("#nav-reviews .count")).to_contain_text("3")  # came with the list
        page.get_by_role("link", name="Show", exact=True).click()
        expect(page.locator(f"#proposal-{late.id}")).to_be_visible()

    @pytest.mark.allow_noise("ERR_INTERNET_DISCONNECTED", "Failed to fetch")
    def test_a_vote_goes_nowhere_until_somebody_records_it_again(
        self, cast: Cast, console: str, open_browser: OpenBrowser
    ) -> None:
        card = opened(cast)
        page, sent = open_browser(), list[str]()
        page.clock.install()
        line = Line(page)
        reads(Person(page, console).enter(cast, "ruth"), card)
        form = bar(page)
        form.get_by_label("Reason").fill("It was pending when I looked")
        form.get_by_label("Approve").check()
        page.on("request", lambda r: sent.append(r.url) if r.url.endswith("/votes") else None)
        line.breaks()
        page.context.set_offline(True)
        expect(page.locator(STATUS)).to_contain_text("Offline, data as of", timeout=3000)
        rebase(cast, card)
        page.clock.fast_forward(AWAY_MS)
        page.keyboard.press("Control+Enter")
        expect(form.get_by_role("status")).to_contain_text(
            "Nothing was sent: there is no connection. Record it again when it is back."
        )
        line.cut = False
        page.context.set_offline(False)
        expect(form).to_contain_text("It is revision 2 now", timeout=LIVE_MS)
        expect(form.get_by_label("Reason")).to_have_value("It was pending when I looked")
        assert sent == []
        form.get_by_role("link", name="Start again").click()
        expect(form.get_by_label("Reason")).to_have_value("It was pending when I looked")
        expect(form.get_by_label("Approve")).not_to_be_checked()
        armed(page)
        page.keyboard.press("a")
        page.keyboard.press("Control+Enter")
        expect(page.get_by_label("Where it stands")).to_contain_text("Your vote")
        assert len(sent) == 1
