"""What people do in the browser, in their words; journeys are written with it."""

import re
from dataclasses import dataclass
from typing import Self

from playwright.sync_api import Frame, Locator, Page, expect

from tests.cast import Cast
from tests.journeys.conftest import axe_findings, sign_in


@dataclass
class Person:
    """Somebody of the console in a browser of their own."""

    page: Page
    console: str

    def enter(self, cast: Cast, name: str) -> Self:
        member = cast.members[name]
        sign_in(self.page, self.console, member.email, member.password)
        return self

    def goes_to(self, path: str) -> Self:
        self.page.goto(f"{self.console}{path}")
        return self

    def finds_no_barrier(self) -> Self:
        """Look at the page with axe, and once more at the colours of the dark scheme."""
        found = axe_findings(self.page)
        assert found == [], f"{self.page.url}: {found}"
        self.page.emulate_media(color_scheme="dark")
        found = axe_findings(self.page, ["color-contrast"])
        assert found == [], f"{self.page.url} dark: {found}"
        self.page.emulate_media(color_scheme="light")
        return self

    def approves(self) -> Self:
        """Choose, then record: two acts, after the bar has armed itself."""
        bar = self.page.get_by_role("form", name="Your vote")
        bar.get_by_label("Approve").check()
        bar.get_by_role("button", name="Record vote").click()
        return self


@dataclass
class Keyboard:
    """Somebody who uses nothing but keys, and how many they pressed."""

    page: Page
    pressed: int = 0

    def press(self, *keys: str) -> Self:
        """Press keys on a page that is there: a list shows before its scripts hear anything."""
        for key in keys:
            self.page.wait_for_load_state()
            self.page.keyboard.press(key)
            self.pressed += 1
        return self

    def write(self, text: str) -> Self:
        self.page.keyboard.type(text)
        return self

    def reach(self, target: Locator, *, most: int = 90) -> Self:
        """Press Tab until something has the focus, and see that it shows."""
        expect(target).to_be_visible()
        for _ in range(most):
            if target.evaluate("each => each === document.activeElement"):
                expect(target).to_be_in_viewport()
                return self
            self.press("Tab")
        raise AssertionError(f"{target} cannot be reached by {most} presses of Tab.")


@dataclass
class Customer:
    """An end user on a shop's page, with the chat in its frame."""

    page: Page

    def opens_the_chat(self, url: str) -> Self:
        self.page.goto(url)
        # The button lives in a closed shadow root, where only a person's click can reach it.
        size = self.page.viewport_size or {"width": 1280, "height": 900}
        self.page.wait_for_function("window.Signalbox !== undefined")
        with self.page.expect_event("frameattached") as attached:
            self.page.mouse.click(size["width"] - 70, size["height"] - 44)
        attached.value.wait_for_url("**/widget/frame/**")
        expect(self.chat.get_by_role("heading", level=1)).to_be_visible()
        return self

    @property
    def chat(self) -> Frame:
        found = [frame for frame in self.page.frames if "/widget/frame/" in frame.url]
        assert found, [frame.url for frame in self.page.frames]
        return found[0]

    def says(self, text: str) -> Self:
        self.chat.get_by_label("Message").fill(text)
        self.chat.get_by_role("button", name="Send").click()
        return self

    def reads(self, text: str | re.Pattern[str]) -> Self:
        expect(self.chat.get_by_role("log")).to_contain_text(text, timeout=20_000)
        return self

    def agrees(self) -> Self:
        self.chat.get_by_role("button", name="Yes, do it").click()
        return self
