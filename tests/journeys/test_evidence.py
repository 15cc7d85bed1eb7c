"""An auditor takes evidence away and checks it from disk; a forger does not get by in a browser."""

import re
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from approvals.cards import Subject
from approvals.commands import open_proposal
from audit.queries import evidence
from audit.verifier import onefile
from console.kernel.actors import Link
from console.kernel.errors import ConsoleError
from console.kernel.ids import uuid7
from tests.approvals.desk import agent, approve, content, facts, principals
from tests.audit.bundles import (
    META,
    ORIGIN,
    WITNESS,
    WITNESS_KEY,
    MadeLog,
    files_of,
    made_leaf,
    vkey,
    zipped,
)
from tests.audit.forgeries import FORGED, OPENED, without
from tests.cast import Cast
from tests.journeys.conftest import OpenBrowser, axe_findings
from tests.journeys.people import Keyboard, Person

CUSTOMER = "fatima_anderson_2157"
WITHOUT_ED25519 = """
  const whole = crypto.subtle.importKey.bind(crypto.subtle);
  crypto.subtle.importKey = (...asked) => asked[2].name === "Ed25519"
    ? Promise.reject(new DOMException("none here", "NotSupportedError")) : whole(...asked);
"""


@pytest.fixture
def page_on_disk(tmp_path: Path) -> str:
    path = tmp_path / "verify.html"
    path.write_text(onefile.verify_html(), encoding="utf-8")
    return path.as_uri()


def choose(page: Page, path: Path, data: bytes) -> None:
    path.write_bytes(data)
    page.get_by_label("Evidence bundle").set_input_files([])
    page.get_by_label("Evidence bundle").set_input_files(path)
    expect(page.get_by_role("status")).to_have_text(re.compile(f"^[VDI].*: {path.name}"))


def said(page: Page) -> str:
    return page.locator("#said").inner_text()


def no_barrier(page: Page) -> None:
    assert axe_findings(page) == []
    page.emulate_media(color_scheme="dark")
    assert axe_findings(page, ["color-contrast"]) == []
    page.emulate_media(color_scheme="light")


def taken(noor: Person, bundle: Path) -> None:
    """Find the approval by the customer's id, look at its proof, take it away: by keys alone."""
    keys, page = Keyboard(noor.page), noor.page
    noor.goes_to("/audit/")
    keys.reach(page.get_by_role("searchbox", name="Query")).press("Control+a").write(
        f"id:{CUSTOMER}"
    ).press("Enter")
    page.wait_for_url("**/audit/?q=id*")
    found = page.get_by_role("row").filter(has_text="proposal.opened").get_by_role("link")
    keys.reach(found.first).press("Enter")
    expect(page.get_by_text("verified now")).to_be_visible()
    noor.finds_no_barrier()
    with page.expect_download() as download:
        keys.reach(page.get_by_role("link", name="Evidence bundle")).press("Enter")
    download.value.save_as(bundle)


def test_an_auditor_takes_an_approval_away_and_checks_it_from_disk(
    cast: Cast, console: str, open_browser: OpenBrowser, tmp_path: Path
) -> None:
    asking = replace(agent(cast), via=(Link(kind="end_user", id=CUSTOMER, label="Fatima"),))
    card = open_proposal(
        actor=asking,
        subject=Subject(kind="tool_call", id=uuid7()),
        content=content(),
        facts=facts(),
        principals=principals(cast),
    )
    approve(card, cast.ruth)
    until_vouched(cast, card.id)
    bundle = tmp_path / "evidence.zip"
    taken(Person(open_browser(), console).enter(cast, "noor"), bundle)
    with zipfile.ZipFile(bundle) as found:
        found.extractall(tmp_path / "unpacked")

    page = open_browser(width=360)
    page.context.set_offline(True)
    page.goto((tmp_path / "unpacked" / "verify.html").as_uri())
    Keyboard(page).reach(page.get_by_label("Evidence bundle"))
    choose(page, bundle, bundle.read_bytes())
    assert said(page) == "Verified, self-attested"
    Keyboard(page).reach(page.locator("#entries summary").first).press("Enter")
    expect(page.locator("#entries pre").first).to_contain_text(CUSTOMER)
    no_barrier(page)

    changed = bytearray(bundle.read_bytes())
    changed[changed.index(CUSTOMER.encode())] ^= 1
    choose(page, tmp_path / "changed.zip", bytes(changed))
    assert said(page) == "Does not verify"
    expect(page.locator("#problems")).to_contain_text("its bytes do not hash to its leaf")
    no_barrier(page)


def until_vouched(cast: Cast, proposal_id: UUID) -> None:
    """Wait for pulse, which seals, signs and makes searchable all the time."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with suppress(ConsoleError):
            indexes, searched = evidence.indexes_about(
                actor=cast.noor, target_type="proposal", target_id=str(proposal_id)
            )
            evidence.signed_size(actor=cast.noor, at_least=indexes[-1] + 1, at_most=searched)
            return
        time.sleep(0.05)  # a poll with a deadline, not a race
    pytest.fail("The trail never vouched for the approval.")


def test_every_forgery_is_told_as_the_python_file_tells_it(
    open_browser: OpenBrowser, page_on_disk: str, tmp_path: Path
) -> None:
    page = open_browser()
    page.goto(page_on_disk)
    files = files_of(MadeLog(600, grown=23, witnessed=True).pack(*OPENED))
    for name, (forge, says) in FORGED.items():
        forged = forge(files)
        raw = forged if isinstance(forged, bytes) else zipped(forged)
        choose(page, tmp_path / "forged.zip", raw)
        assert said(page) == "Does not verify", name
        assert says.removeprefix("WRONG").strip() in page.locator("#problems").inner_text(), name
    choose(page, tmp_path / "short.zip", zipped(without(files, "meta/leaf")))
    assert said(page) == "Incomplete"


@pytest.mark.parametrize("by_hand", [False, True])
def test_keys_and_witnesses_count_with_and_without_the_browser_s_own_ed25519(
    open_browser: OpenBrowser, page_on_disk: str, tmp_path: Path, *, by_hand: bool
) -> None:
    page = open_browser()
    if by_hand:
        page.add_init_script(WITHOUT_ED25519)
    page.goto(page_on_disk)
    hostile: Callable[[int], bytes] = lambda n: made_leaf(n, note="<img src=x>\u202egnp.exe")  # noqa: E731
    log = MadeLog(20, grown=3, witnessed=True, leaf=hostile)
    choose(page, tmp_path / "good.zip", log.pack((0, 3)))
    assert said(page) == "Verified, self-attested"
    page.get_by_role("group").locator("summary").first.click()
    expect(page.locator("#entries pre").first).to_contain_text("<img src=x>[U+202E]gnp.exe")

    keys = [vkey(ORIGIN), vkey(META), vkey(WITNESS, WITNESS_KEY, 4)]
    page.get_by_label("Keys that you got").fill("\n".join(keys))
    page.get_by_role("button", name="Check again").click()
    expect(page.locator("#said")).to_have_text("Verified, and witnessed")
    page.get_by_label("Keys that you got").fill(keys[0].replace("+", "+0", 1))
    page.get_by_role("button", name="Check again").click()
    expect(page.get_by_role("status")).to_contain_text("Nothing was checked")

    page.get_by_label("Keys that you got").fill("")
    forge, _says = FORGED["a wrong signature"]
    broken = forge(files_of(MadeLog(600).pack(*OPENED)))
    assert not isinstance(broken, bytes)
    choose(page, tmp_path / "bad.zip", zipped(broken))
    expect(page.locator("#problems")).to_contain_text("carries a wrong signature")
