"""The chat of an end user, where the first run does not come."""

from playwright.sync_api import Route, expect

from tests.cast import Cast
from tests.journeys.conftest import OpenBrowser
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
