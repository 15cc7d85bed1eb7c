"""Two reviewers whose sign-in is old: one signs with a passkey, the other confirms the password."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from approvals.models import Vote
from approvals.states import ProposalState
from console.accounts.models import SessionRecord
from console.kernel.models import DatabaseNow
from console.kernel.transactions import in_tenant
from tests.approvals.desk import now, opened
from tests.cast import PASSWORD, Cast
from tests.journeys.conftest import OpenBrowser
from tests.journeys.people import Person


def with_authenticator(page: Page) -> Page:
    """Give the browser a device that checks the person by itself."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return page


def grow_old(who: str) -> None:
    """Let every sign-in of a person be an hour old."""
    rows = SessionRecord.objects.filter(person_id=who)
    rows.update(proved_at=DatabaseNow() - timedelta(hours=1))


@pytest.mark.allow_noise("403", "409")
def test_a_passkey_confirms_who_one_is_in_the_dialog_and_on_the_page(
    cast: Cast, console: str, open_browser: OpenBrowser
) -> None:
    card = opened(cast, tier=2)
    ruth = Person(with_authenticator(open_browser(width=360)), console).enter(cast, "ruth")
    ruth.goes_to("/account/passkeys/")
    ruth.page.get_by_label("Name").fill("My ring")
    ruth.page.get_by_role("button", name="Add a passkey").click()
    expect(ruth.page.get_by_role("row", name="My ring")).to_be_visible()

    grow_old(cast.ruth.id)
    ruth.goes_to(f"/reviews/{card.id}/").approves()
    dialog = ruth.page.get_by_role("dialog", name="Confirm that it is you")
    expect(dialog).to_be_visible()
    ruth.finds_no_barrier()
    dialog.get_by_role("button", name="Use a passkey").click()
    expect(ruth.page.get_by_role("region", name="Where it stands")).to_contain_text("recorded")

    ruth.goes_to("/account/step-up/?next=/reviews/delegations/").finds_no_barrier()
    ruth.page.get_by_role("button", name="Use a passkey").click()
    expect(ruth.page.get_by_role("heading", name="Delegations", level=1)).to_be_visible()
    ruth.finds_no_barrier()
    with in_tenant(cast.tenant_id, read_only=True):
        assert Vote.objects.get().signed_with == ""  # it confirmed the person and signed no vote
    assert SessionRecord.objects.filter(person_id=cast.ruth.id, proved_by="passkey").count() == 1


@pytest.mark.allow_noise("403", "400", "409")  # 409: the page claims what was decided meanwhile
def test_an_old_sign_in_is_made_fresh_without_losing_the_vote(
    cast: Cast, console: str, open_browser: OpenBrowser
) -> None:
    card = opened(cast, tier=2)
    page = f"/reviews/{card.id}/"
    ruth = Person(with_authenticator(open_browser()), console).enter(cast, "ruth")
    ruth.goes_to("/account/passkeys/").finds_no_barrier()
    ruth.page.get_by_label("Name").fill("My ring")
    ruth.page.get_by_role("button", name="Add a passkey").click()
    expect(ruth.page.get_by_role("row", name="My ring")).to_be_visible()

    grow_old(cast.ruth.id)
    ruth.goes_to(page).finds_no_barrier()
    bar = ruth.page.get_by_role("form", name="Your vote")
    expect(bar).to_contain_text("Confirm that it is you, or sign with a passkey")
    bar.get_by_label("Approve").check()
    bar.get_by_role("button", name="Sign with passkey").click()
    expect(ruth.page.get_by_role("region", name="Where it stands")).to_contain_text(
        "passkey My ring"
    )

    ines = Person(open_browser(width=360), console).enter(cast, "ines")
    grow_old(cast.ines.id)
    ines.goes_to(page).approves()
    dialog = ines.page.get_by_role("dialog", name="Confirm that it is you")
    expect(dialog).to_be_visible()
    ines.finds_no_barrier()
    dialog.get_by_label("Password").fill("not this one")
    dialog.get_by_role("button", name="Confirm and record").click()
    expect(dialog.locator("#step-up-wrong")).to_contain_text("The password does not fit")
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Confirm and record").click()
    expect(ines.page.get_by_role("region", name="Where it stands")).to_contain_text("recorded")

    with in_tenant(cast.tenant_id, read_only=True):
        signed = list(Vote.objects.order_by("cast_at").values_list("signed_with", flat=True))
    assert signed == ["My ring", ""]
    assert now(cast, card).card.state is ProposalState.APPROVED
