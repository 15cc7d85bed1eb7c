"""Searching in a change: what holds the text is opened, and nothing else counts as shown."""

import re

import pytest

from tests.approvals.desk import opened
from tests.approvals.test_views_page import LONG, OTHER, folds, note, page_of
from tests.cast import Cast


class TestFinding:
    def test_opens_only_the_folds_that_hold_the_text(self, cast: Cast) -> None:
        card = opened(cast, **note(LONG, OTHER))
        whole = len(folds(page_of(cast, card)))
        page = page_of(cast, card, "?find=LINE+600,+NEW")
        assert "line 600, new" in page
        assert "line 812, new" not in page
        assert len(folds(page)) == whole - 1
        assert re.search(r"<strong>1 of \d+</strong>", page)
        assert re.search(r'value="approve"[^>]*disabled', page)  # the rest was not shown

    def test_opens_unchanged_lines_too_and_keeps_what_was_open(self, cast: Cast) -> None:
        card = opened(cast, **note(LONG, OTHER))
        first = folds(page_of(cast, card))[0].partition("#")[0]
        page = page_of(cast, card, f"{first}&find=line+1400")
        assert "line 1400" in page
        kept = re.search(r'src="[^"]*open=([^&"]+)[^"]*part=now', page)
        assert kept is not None
        assert first.removeprefix("?open=") in kept[1].replace("%2C", ",").split(",")
        assert "find=" not in kept[0]

    def test_says_what_one_answer_cannot_hold(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("approvals.views.finding.MOST_SHOWN", 1)
        page = page_of(cast, opened(cast, **note(LONG, OTHER)), "?find=new")
        left = re.search(r'data-left="(\d+)"', page)
        assert left is not None
        assert int(left[1]) > 0
        assert "line 600, new" not in page

    def test_leaves_the_page_alone_when_nothing_holds_it(self, cast: Cast) -> None:
        card = opened(cast, **note(LONG, OTHER))
        page = page_of(cast, card, "?find=nobody+wrote+this")
        assert folds(page) == folds(page_of(cast, card))
        assert 'data-left="0"' in page

    def test_prints_revision_and_digest(self, cast: Cast) -> None:
        card = opened(cast)
        paper = re.search(r'on-paper">(.*?)</p>', page_of(cast, card))
        assert paper is not None
        assert card.digest in paper[1]
