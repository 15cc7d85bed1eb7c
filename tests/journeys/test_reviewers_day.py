"""A reviewer's whole day with the keyboard alone, and keys that do nothing by themselves."""

import random
import re
import string
from typing import Any

import pytest
from playwright.sync_api import expect

from approvals.cards import ProposalCard
from approvals.states import ProposalState
from console.kernel.ids import uuid7
from tests.approvals.desk import facts, now, opened
from tests.approvals.test_views_page import LONG, OTHER, note
from tests.cast import Cast
from tests.journeys.conftest import OpenBrowser
from tests.journeys.people import Customer, Keyboard, Person
from tests.journeys.shop import ORDER, ask, open_shop
from tests.journeys.test_review_page import armed
from tests.journeys.test_signing import grow_old

PAGE = re.compile("/reviews/[0-9a-f-]{36}/")
MOST_PRESSES = 4  # from the list to a recorded vote


def asked(cast: Cast, order: str, **other: Any) -> ProposalCard:
    run = other.pop("run", None) or uuid7()
    about = facts(1, title=f"Cancel order {order}", run_id=run)
    pending = {"orders": {order: {"status": "pending"}}}
    done = {"orders": {order: {"status": "cancelled"}}}
    values = {"args": {"order_id": order}, "before": pending, "after": done, **other}
    return opened(cast, facts_=about, **values)


def state(cast: Cast, card: ProposalCard) -> ProposalState:
    return now(cast, card).card.state


@pytest.mark.allow_noise("403")  # the vote that has to be confirmed first
def test_a_day_goes_by_with_the_keyboard_alone(
    cast: Cast, console: str, open_browser: OpenBrowser
) -> None:
    site = open_shop(cast)
    ask(cast, Customer(open_browser()), f"{console}/demo/shop/?key={site.public}")
    first, second, bad, late, extra = (asked(cast, f"#D{n}") for n in range(5))
    run = uuid7()
    same = [asked(cast, "#D9", run=run) for _ in range(3)]
    ruth = Person(open_browser(), console)
    keys = Keyboard(ruth.page)

    signs_in(ruth, keys, cast)
    keys.press("g", "r")
    ruth.page.wait_for_url("**/reviews/")
    ruth.finds_no_barrier()
    decides(ruth, keys, first, second)
    ruth.page.wait_for_url(f"**/reviews/{bad.id}/")
    assert [state(cast, card) for card in (first, second)] == [ProposalState.APPROVED] * 2
    rejects(ruth, keys)
    ruth.page.wait_for_url(f"**/reviews/{late.id}/")
    assert state(cast, bad) is ProposalState.REJECTED
    puts_back(ruth, keys)
    claims(ruth, keys, late)
    puts_off(ruth, keys)
    decides_together(ruth, keys)
    assert {state(cast, card) for card in (*same, extra)} == {ProposalState.APPROVED}
    assert state(cast, late) is ProposalState.OPEN
    searches(ruth, keys)
    asks(ruth, keys)
    edits(ruth, keys)
    confirms(ruth, keys, cast)


def signs_in(ruth: Person, keys: Keyboard, cast: Cast) -> None:
    member = cast.members["ruth"]
    ruth.goes_to("/sign-in/")
    keys.reach(ruth.page.get_by_label("E-mail")).write(member.email)
    keys.reach(ruth.page.get_by_label("Password")).write(member.password).press("Enter")
    ruth.page.wait_for_url(lambda url: "/sign-in/" not in url)


def decides(ruth: Person, keys: Keyboard, first: ProposalCard, second: ProposalCard) -> None:
    """From the list to a recorded vote in four presses, and on to the next in two."""
    began = keys.pressed
    keys.press("j", "o")
    ruth.page.wait_for_url(f"**/reviews/{first.id}/")
    armed(ruth.page)
    keys.press("a", "Control+Enter")
    assert keys.pressed - began <= MOST_PRESSES
    ruth.page.wait_for_url(f"**/reviews/{second.id}/")
    expect(ruth.page.get_by_role("status").filter(has_text="Vote recorded")).to_be_visible()
    ruth.finds_no_barrier()
    armed(ruth.page)
    keys.press("n", "p", "x")  # reading
    began = keys.pressed
    keys.press("a", "Control+Enter")
    assert keys.pressed - began <= MOST_PRESSES


def rejects(ruth: Person, keys: Keyboard) -> None:
    armed(ruth.page)
    keys.press("r", "ArrowDown")
    keys.reach(ruth.page.get_by_label("Reason", exact=False).last)
    keys.write("She asked for another one: a r 1 2 j x.")  # and none of it is taken for a key
    keys.press("Control+Enter")


def puts_back(ruth: Person, keys: Keyboard) -> None:
    """The next one is claimed by being read."""
    expect(ruth.page.get_by_text("You are at work on this")).to_be_visible()
    keys.press("c", "Enter")
    ruth.page.wait_for_url("**/reviews/")


def claims(ruth: Person, keys: Keyboard, card: ProposalCard) -> None:
    """Where reading claims nothing, as in the hour of many decisions, the same key does."""
    by_itself = "**/api/v1/approvals/proposals/*/claim"
    ruth.page.route(by_itself, lambda route: route.fulfill(status=204))
    keys.press("j", "o")
    ruth.page.wait_for_url(f"**/reviews/{card.id}/")
    keys.press("c")
    expect(ruth.page.get_by_role("button", name="Claim")).to_be_focused()
    keys.press("Enter")
    puts_back(ruth, keys)
    ruth.page.unroute(by_itself)


def puts_off(ruth: Person, keys: Keyboard) -> None:
    keys.press("j", "s")
    dialog = ruth.page.get_by_role("dialog", name="Put it off")
    expect(dialog).to_contain_text("Cancel order #D3")
    keys.press("Space", "Tab", "Enter")
    expect(ruth.page.get_by_role("link", name="1 snoozed")).to_be_visible()


def decides_together(ruth: Person, keys: Keyboard) -> None:
    """`x` selects a row, and a group of identical ones as one; `x` again takes it back."""
    single, group = (ruth.page.get_by_role("checkbox").nth(n) for n in range(2))
    keys.press("j", "x", "x")
    expect(single).not_to_be_checked()
    keys.press("x", "j", "x")
    expect(single).to_be_checked()
    expect(group).to_be_checked()
    expect(group).to_have_accessible_name("Select all 3: Cancel order #D9")
    keys.reach(ruth.page.get_by_role("button", name="Decide the selected together"))
    keys.press("Enter")
    ruth.page.wait_for_url("**/reviews/batch/**")
    ruth.finds_no_barrier()
    keys.reach(ruth.page.get_by_label("Approve")).press("Space")
    keys.reach(ruth.page.get_by_role("button", name="Record votes")).press("Enter")
    expect(ruth.page.get_by_role("heading", level=1)).to_have_text("4 of 4 votes recorded")
    ruth.finds_no_barrier()
    keys.press("u")
    ruth.page.wait_for_url("**/reviews/")


def searches(ruth: Person, keys: Keyboard) -> None:
    """What is left came from a customer: it is opened by the menu of its row, and searched."""
    keys.press("j", ".")
    menu = ruth.page.get_by_role("menu", name=re.compile(ORDER))
    expect(menu.get_by_role("menuitem", name="Open")).to_be_focused()
    keys.press("Escape")
    expect(ruth.page.get_by_role("link", name=re.compile(ORDER))).to_be_focused()
    keys.press(".")
    expect(menu.get_by_role("menuitem", name="Open")).to_be_focused()
    keys.press("End", "Home", "Enter")
    ruth.page.wait_for_url(PAGE)
    armed(ruth.page)
    keys.press("/").write("Cancelled")
    expect(ruth.page.locator("#find")).to_have_attribute("data-ready", "")
    keys.press("Enter")
    expect(ruth.page.get_by_role("search").get_by_role("status")).to_contain_text("1 of ")
    keys.press("Escape", "v")
    ruth.page.wait_for_url(re.compile("view=unified"))


def asks(ruth: Person, keys: Keyboard) -> None:
    keys.press("q")
    keys.reach(ruth.page.get_by_label("Ask the agent", exact=True)).press("Space")
    keys.reach(ruth.page.get_by_role("textbox", name="Text")).write("Which of the two orders?")
    keys.reach(ruth.page.get_by_role("button", name="Send", exact=True)).press("Enter")
    expect(ruth.page.get_by_text("Which of the two orders?")).to_be_visible()


def edits(ruth: Person, keys: Keyboard) -> None:
    armed(ruth.page)
    keys.press("w")
    ruth.page.wait_for_url("**/edit/")
    ruth.finds_no_barrier()
    keys.reach(ruth.page.get_by_label("Reason", exact=False).first).press("ArrowUp")
    keys.reach(ruth.page.get_by_role("button", name="Show what changes")).press("Enter")
    keys.reach(ruth.page.get_by_role("button", name="Make revision 2")).press("Enter")
    ruth.page.wait_for_url(PAGE)
    bar = ruth.page.get_by_role("form", name="Your vote", exact=True)
    expect(bar).to_contain_text("You edited the proposal")
    keys.press("Escape")
    ruth.page.wait_for_url(re.compile(r"/reviews/(\?|$|#)"))


def confirms(ruth: Person, keys: Keyboard, cast: Cast) -> None:
    """A vote of the highest tier, with a sign-in that has grown old."""
    card = opened(cast, tier=2, facts_=facts(2, title="Cancel order #D7"))
    grow_old(cast.ruth.id)
    keys.press("g", "r")
    expect(ruth.page.get_by_role("link", name="Cancel order #D7")).to_be_visible()
    keys.press("j", "o")
    ruth.page.wait_for_url(f"**/reviews/{card.id}/")
    armed(ruth.page)
    keys.press("a", "Control+Enter")
    dialog = ruth.page.get_by_role("dialog", name="Confirm that it is you")
    expect(dialog.get_by_label("Password")).to_be_focused()
    keys.write(cast.members["ruth"].password).press("Enter")
    standing = ruth.page.get_by_role("region", name="Where it stands")
    expect(standing).to_contain_text("recorded")
    assert state(cast, card) is ProposalState.OPEN  # it needs another one


# Presses a key as a browser does, without its pace: the page's handlers, and what the browser does
# with it where nobody prevented that. Where a page would be left is noted and not gone to.
RANDOM = """
async (keys) => {
  const sent = [];
  const left = { count: 0 };
  navigation.addEventListener("navigate", (event) => {
    if (event.hashChange) return;
    if (event.formData) sent.push(event.destination.url);
    left.count += 1;
    event.preventDefault();
  });
  const write = (at, key) => {
    if (at.matches("input:not([type=checkbox], [type=radio]), textarea")) at.value += key;
    else if (key === " " && at.matches("button, summary, input")) at.click();
  };
  for (const [no, key] of [...keys].entries()) {
    const at = document.activeElement ?? document.body;
    const down = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
    if (at.dispatchEvent(down)) write(at, key);
    if (no % 20 === 0) await new Promise((done) => setTimeout(done));
    if (no % 100 === 0) { // somebody looks up, and goes on elsewhere
      for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
      document.activeElement?.blur();
    }
  }
  return { sent, left: left.count };
}
"""


class TestKeys:
    @pytest.mark.parametrize("where", ["list", "page"])
    def test_ten_thousand_at_random_change_nothing(
        self, cast: Cast, console: str, open_browser: OpenBrowser, where: str
    ) -> None:
        run = uuid7()
        for _ in range(2):
            asked(cast, "#D1", run=run)
        card = asked(cast, "#D2", **note(LONG, OTHER))
        ruth = Person(open_browser(), console).enter(cast, "ruth")
        sent: list[str] = []

        def heard(request: Any) -> None:
            by_itself = request.post_data == '{"by_itself":true}'  # a claim, because it is open
            if request.method != "GET" and not by_itself:
                sent.append(request.url)

        ruth.page.on("request", heard)
        ruth.goes_to("/reviews/" if where == "list" else f"/reviews/{card.id}/")
        if where == "page":
            armed(ruth.page)
        pick = random.Random(11)  # noqa: S311 - which keys does not matter, that they repeat does
        keys = "".join(pick.choice(string.printable[:95]) for _ in range(5_000))
        found = ruth.page.evaluate(RANDOM, keys)
        assert found["sent"] == []
        assert found["left"] > 0  # the keys did reach the page
        assert sent == []
        detail = now(cast, card)
        assert [line.action for line in detail.history] == ["proposal.opened"]

    def test_real_ones_change_nothing_either(
        self, cast: Cast, console: str, open_browser: OpenBrowser
    ) -> None:
        card = asked(cast, "#D2")
        ruth = Person(open_browser(), console).enter(cast, "ruth").goes_to(f"/reviews/{card.id}/")
        armed(ruth.page)
        posted: list[str] = []
        ruth.page.on("request", lambda r: posted.append(r.url) if "/votes" in r.url else None)
        for key in "arcqsxne12 w":
            ruth.page.evaluate("document.activeElement.blur()")
            ruth.page.keyboard.press(key)
        assert posted == []
        assert state(cast, card) is ProposalState.OPEN


class TestChoosing:
    def test_another_key_is_used_at_once_and_a_taken_one_is_refused(
        self, cast: Cast, console: str, open_browser: OpenBrowser
    ) -> None:
        asked(cast, "#D1")
        ruth = Person(open_browser(), console).enter(cast, "ruth").goes_to("/keyboard/")
        keys = Keyboard(ruth.page)
        field = ruth.page.get_by_label("Key: Next row; next proposal of the list")
        keys.reach(field).write("k").press("Enter")
        expect(ruth.page.get_by_role("alert")).to_have_text(
            "“k” is the key for “Previous row; previous proposal of the list” already; "
            "choose another."
        )
        expect(field).to_have_value("j")
        ruth.finds_no_barrier()
        keys.write("h").press("Enter")
        expect(ruth.page.get_by_role("alert")).to_be_hidden()
        row = focus_by(ruth, "h")
        expect(row).to_be_focused()
        expect(focus_by(ruth, "j")).not_to_be_focused()
        keys.press("?")
        expect(ruth.page.get_by_role("dialog", name="Keys on this page")).to_contain_text(
            re.compile(r"Next row\s*h")
        )
        ruth.goes_to("/keyboard/").page.get_by_role("button", name="Back to the usual keys").click()
        expect(focus_by(ruth, "j")).to_be_focused()
        ruth.goes_to("/keyboard/").page.get_by_role("main").get_by_label("Switch").check()
        expect(focus_by(ruth, "j")).not_to_be_focused()


def focus_by(person: Person, key: str) -> Any:
    """Open the list anew, press one key there, and return its first row."""
    person.goes_to("/reviews/")
    row = person.page.get_by_role("link", name="Cancel order #D1")
    expect(row).to_be_visible()
    person.page.keyboard.press(key)
    return row


class TestWhole:
    def test_is_searched_in_its_folds(
        self, cast: Cast, console: str, open_browser: OpenBrowser
    ) -> None:
        card = opened(cast, **note(LONG, OTHER))
        ruth = Person(open_browser(), console).enter(cast, "ruth").goes_to(f"/reviews/{card.id}/")
        armed(ruth.page)
        keys = Keyboard(ruth.page)
        said = ruth.page.get_by_role("search").get_by_role("status")
        keys.press("n", "/").write("line 60")
        expect(ruth.page.locator("#find")).to_have_attribute("data-ready", "")
        keys.press("Enter")
        expect(said).to_have_text("1 of 21")  # line 60, and 600 to 609 before and after
        expect(ruth.page.get_by_text("line 600, new")).to_be_attached()
        expect(ruth.page.get_by_text("line 812, new")).to_have_count(0)
        bar = ruth.page.get_by_role("form", name="Your vote", exact=True)
        expect(bar.get_by_label("Approve")).to_be_disabled()  # the others were not shown
        ruth.finds_no_barrier()
        keys.press("Enter")
        expect(said).to_have_text("2 of 21")
        keys.press("Shift+Enter", "Shift+Enter")
        expect(said).to_have_text("21 of 21")
        keys.press("Escape")
        expect(ruth.page.get_by_role("search")).to_be_hidden()
        expect(ruth.page.locator("[data-open-fold]:focus")).to_be_visible()  # where it was before

    def test_is_printed_with_nothing_folded_and_its_digest(
        self, cast: Cast, console: str, open_browser: OpenBrowser
    ) -> None:
        card = opened(cast, **note(LONG, OTHER))
        ruth = Person(open_browser(), console).enter(cast, "ruth")
        ruth.page.add_init_script(
            "window.print = () => {"
            "  const folds = document.querySelectorAll('tr.fold');"
            "  document.documentElement.dataset.printed = String(folds.length);"
            "};"
        )
        ruth.goes_to(f"/reviews/{card.id}/")
        armed(ruth.page)
        ruth.page.keyboard.press("Control+p")
        expect(ruth.page.locator("html")).to_have_attribute("data-printed", "0")
        expect(ruth.page.get_by_text("line 812, new")).to_be_attached()
        ruth.page.emulate_media(media="print")
        expect(ruth.page.get_by_text(card.digest).first).to_be_visible()
        expect(ruth.page.locator(".change details dd").first).to_be_visible()
        expect(ruth.page.get_by_role("form", name="Your vote")).to_be_hidden()
