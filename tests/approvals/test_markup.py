import pytest

from approvals import commands, queries
from approvals.cards import QueueRow
from approvals.queries import View
from approvals.views import markup as rows
from approvals.views.markup import markup
from approvals.views.rows import queue_row
from console.kernel import clock
from tests.approvals.desk import facts, opened
from tests.cast import Cast


def listed(cast: Cast) -> QueueRow:
    return queries.awaiting_review(actor=cast.ruth, view=View.TEAM).rows[0]


def shown(row: QueueRow, reader: str = "") -> str:
    return markup(queue_row(row, reader=reader, query="?list=team", live=True))


class TestMarkup:
    def test_is_made_once_for_rows_that_are_alike(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened(cast, facts_=facts(1, title="<b>Cancel</b>"))
        with clock.frozen(clock.now()):
            first = shown(listed(cast))
            assert "&lt;b&gt;Cancel&lt;/b&gt;" in first
            monkeypatch.setattr(rows, "get_template", None)
            assert shown(listed(cast)) is first

    def test_changes_with_whatever_the_row_says(self, cast: Cast) -> None:
        card = opened(cast)
        before = shown(listed(cast))
        commands.claim(actor=cast.ines, proposal_id=card.id)
        row = listed(cast)
        assert "viewing" in shown(row)
        assert "claimed: you" in shown(row, reader=cast.ines.id)
        commands.withdraw(actor=cast.omar, proposal_id=card.id, cause="x")
        gone = queries.awaiting_review(actor=cast.ruth, view=View.DECIDED).rows[0]
        assert "data-gone" in shown(gone)
        assert "data-gone" not in before

    def test_keeps_no_more_than_its_share(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rows, "MOST_KEPT", 2)
        rows._kept.clear()
        for number in range(4):
            opened(cast, facts_=facts(1, title=f"Cancel {number}"))
        page = queries.awaiting_review(actor=cast.ruth, view=View.TEAM)
        assert len({shown(row) for row in page.rows}) == 4
        assert len(rows._kept) == 2
