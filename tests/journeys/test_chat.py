"""The chat of an end user, where the first run does not come."""

import json
from typing import Any

from playwright.sync_api import Route, expect

from agents.runtime.endings import END_USER, End
from agents.runtime.summary import lines
from agents.states import FrameKind
from tests.cast import Cast
from tests.journeys.conftest import OpenBrowser, axe_findings
from tests.journeys.people import Customer
from tests.journeys.shop import WISH, open_shop


class TestCompose:
    def test_keeps_a_message_that_comes_before_the_conversation_is_there(
        self, cast: Cast, console: str, open_browser: OpenBrowser
    ) -> None:
        site = open_shop(cast)
        customer = Customer(open_browser())
        held: list[Route] = []

        def hold(route: Route) -> None:
            held.append(route)

        customer.page.route("**/widget/api/session", hold)
        with customer.page.expect_request("**/widget/api/session"):
            customer.opens_the_chat(f"{console}/demo/shop/?key={site.public}")
        message = customer.chat.get_by_label("Message")
        message.fill(WISH)
        expect(customer.chat.get_by_role("button", name="Send")).to_be_disabled()
        message.press("Enter")
        expect(message).to_have_value(WISH)
        held.pop().continue_()
        customer.reads(WISH)
        expect(message).to_have_value("")


def told(seq: int, end: End) -> dict[str, Any]:
    """Return what the server sends of a request that ended so."""
    change = lines({"orders": {"#W1": {"status": "pending"}}}, {"orders": {"#W1": {"status": "x"}}})
    return {
        "seq": seq,
        "role": "notice",
        "kind": FrameKind.DECIDED.value,
        "text": END_USER[end].text.format(title=f"Cancel order #{seq}"),
        "parts": {"outcome": end.value, "next": list(END_USER[end].next), "asked": change},
    }


class TestCards:
    def test_of_what_was_not_done_say_what_was_asked_and_what_can_be_done_now(
        self, cast: Cast, console: str, open_browser: OpenBrowser
    ) -> None:
        ends = (End.EXPIRED, End.PARKED, End.REJECTED)
        stored = [told(seq, end) for seq, end in enumerate(ends, 1)]
        streamed = "".join(f"event: frame\ndata: {json.dumps(each)}\n\n" for each in stored)
        answers = [streamed]
        customer = Customer(open_browser(width=360))

        def stream(route: Route) -> None:
            if answers:
                route.fulfill(content_type="text/event-stream", body=answers.pop())

        customer.page.route("**/widget/api/stream", stream)
        customer.page.route("**/widget/api/messages", lambda r: r.fulfill(json={"notice": ""}))
        customer.opens_the_chat(f"{console}/demo/shop/?key={open_shop(cast).public}").says(WISH)
        log = customer.chat.get_by_role("log")
        for frame, end in zip(stored, ends, strict=True):
            card = log.locator(".frame").filter(has_text=frame["text"])
            expect(card.get_by_role("listitem")).to_have_text(list(END_USER[end].next))
            card.get_by_text("What was asked").press("Enter")
            expect(card.get_by_role("definition")).to_contain_text("pending")
            expect(card.get_by_role("button")).to_have_count(0)  # there is nothing left to decide
        assert axe_findings(customer.chat) == []
        customer.page.emulate_media(color_scheme="dark")
        assert axe_findings(customer.chat, ["color-contrast"]) == []
