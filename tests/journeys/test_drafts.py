"""Nothing typed is lost: any form has a draft until the page that it led to is its receipt."""

import pytest
from playwright.sync_api import Page, expect

from tests.approvals.desk import opened
from tests.cast import Cast
from tests.journeys.conftest import OpenBrowser
from tests.journeys.people import Person

KEPT = "text => Object.values(localStorage).some(each => each.includes(text))"


def asks(page: Page, text: str) -> None:
    page.get_by_text("Ask, request changes, or note").click()
    page.get_by_label("Note for people").check()
    page.get_by_label("Text", exact=True).fill(text)
    page.wait_for_function(KEPT, arg=text)


@pytest.mark.allow_noise("403")
def test_what_was_typed_survives_a_closed_tab_and_a_refusal(
    cast: Cast, console: str, open_browser: OpenBrowser
) -> None:
    proposal = opened(cast)
    ruth = Person(open_browser(), console).enter(cast, "ruth")
    page = ruth.goes_to(f"/reviews/{proposal.id}/").page
    asks(page, "Is the customer told?")

    other = page.context.new_page()  # the first tab is closed without a word
    page.close()
    other.goto(f"{console}/reviews/{proposal.id}/")
    form = other.get_by_role("form", name="Ask, request changes, or note")
    expect(form).to_contain_text("What you had typed is back.")
    expect(form.get_by_label("Text", exact=True)).to_have_value("Is the customer told?")
    expect(form.get_by_label("Note for people")).to_be_checked()

    form.locator('[name="csrfmiddlewaretoken"]').evaluate("each => each.value = 'x'.repeat(64)")
    form.get_by_role("button", name="Send").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("Not allowed")
    expect(other.get_by_label("text", exact=True)).to_have_value("Is the customer told?")

    other.goto(f"{console}/reviews/{proposal.id}/")
    form = other.get_by_role("form", name="Ask, request changes, or note")
    expect(form.get_by_label("Text", exact=True)).to_have_value("Is the customer told?")
    form.get_by_role("button", name="Send").click()
    expect(other.get_by_text("Is the customer told?")).to_be_visible()
    other.get_by_text("Ask, request changes, or note").click()
    expect(other.get_by_label("Text", exact=True)).to_have_value("")
    assert not other.evaluate(KEPT, "customer told")


def test_an_edit_comes_back_over_what_the_page_came_with_and_can_be_discarded(
    cast: Cast, console: str, open_browser: OpenBrowser
) -> None:
    proposal = opened(cast)
    ruth = Person(open_browser(), console).enter(cast, "ruth")
    path = f"/reviews/{proposal.id}/edit/"
    page = ruth.goes_to(path).page
    page.get_by_text("Edit it as JSON instead").click()
    raw = page.locator('[name="raw"]')
    came = raw.input_value()
    raw.fill('{"typed": "by hand"}')
    page.wait_for_function(KEPT, arg="by hand")

    ruth.goes_to(path)
    expect(raw).to_have_value('{"typed": "by hand"}')
    ruth.finds_no_barrier()
    page.get_by_role("button", name="Discard it").click()

    expect(raw).to_have_value(came)
    assert not page.evaluate(KEPT, "by hand")
