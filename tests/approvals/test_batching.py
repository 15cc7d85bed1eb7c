"""Several proposals in one act: a table, and a vote for each on its own digest."""

import html
import re
from typing import Any
from uuid import UUID

import pytest

from approvals import commands, diffs, queries
from approvals.cards import BatchResult, Diff, Listed, ProposalCard
from approvals.errors import BatchMixed, BatchNever, BatchTooMany, ReasonRequired, VoteByMachine
from approvals.states import Choice, ProposalState
from console.kernel.actors import Actor
from console.kernel.errors import BadInput, NotFound
from console.kernel.ids import uuid7
from tests.approvals.desk import agent, approve, now, opened, shown
from tests.approvals.lent import lend
from tests.approvals.policies.rules import FINANCE, rule, spoken, when
from tests.cast import Cast

ADDRESS = "/reviews/batch/"


def one(cast: Cast, n: int, *, total: int = 41800, **other: Any) -> ProposalCard:
    """Open the cancelling of order n."""
    order = {"status": "pending", "total": total}
    return opened(
        cast,
        args={"order_id": f"#W{n}"},
        before={"orders": {f"#W{n}": order}},
        after={"orders": {f"#W{n}": {**order, "status": "cancelled", "refund": total}}},
        **other,
    )


def listed(cards: list[ProposalCard]) -> list[Listed]:
    return [
        Listed(proposal_id=card.id, revision_no=card.revision_no, digest=card.digest)
        for card in cards
    ]


def of_two_groups(cast: Cast) -> list[ProposalCard]:
    """Open a request that finance decides, and one of the same kind that care does."""
    second = when("/args/order_id", "eq", "#W2")
    care = {"all": [{"slots": [{"groups": ["care"], "n": 1}]}]}
    spoken(
        cast,
        rule("finance", "hold", when={"not": second}, require=FINANCE),
        rule("care", "hold", when=second, require=care),
    )
    return [one(cast, 1), one(cast, 2)]


def cast_on(cards: list[ProposalCard], actor: Actor, **other: Any) -> tuple[BatchResult, ...]:
    values: dict[str, Any] = {"choice": Choice.APPROVE, "items": listed(cards), **other}
    return commands.cast_batch(actor=actor, **values)


def seen(cards: list[ProposalCard], actor: Actor) -> list[ProposalCard]:
    return [shown(card, actor) for card in cards]


def totals(*values: int) -> list[Diff]:
    return [
        diffs.between({"orders": {f"#{n}": {"total": 1}}}, {"orders": {f"#{n}": {"total": value}}})
        for n, value in enumerate(values)
    ]


def outliers(items: list[Diff]) -> list[str]:
    (column,) = diffs.tabled(items)
    return [cell.outlier for cell in column.cells]


class TestTabled:
    def test_puts_records_of_different_ids_into_one_column(self) -> None:
        (column,) = diffs.tabled(totals(2, 3))
        assert column.name == "orders total"
        assert [(cell.before, cell.after) for cell in column.cells] == [("1", "2"), ("1", "3")]
        assert not column.same

    def test_marks_more_than_three_times_the_median(self) -> None:
        assert outliers(totals(10, 10, 12, 31)) == ["", "", "", ""]
        assert outliers(totals(10, 11, 10, 34))[3] == "more than 3 times the median of 10.5"

    def test_marks_the_only_one_that_differs(self) -> None:
        assert outliers(totals(10, 10, 9)) == ["", "", "the only one that differs"]
        assert outliers(totals(10, 9)) == ["", ""]

    def test_leaves_an_empty_cell_where_nothing_changes(self) -> None:
        items = [*totals(2), diffs.between({}, {})]
        (column,) = diffs.tabled(items)
        assert (column.cells[1].before, column.cells[1].after) == (None, None)


class TestBatch:
    def test_is_a_table_of_what_differs(self, cast: Cast) -> None:
        cards = [one(cast, n, total=total) for n, total in enumerate([100, 110, 120, 900])]
        card = queries.batch(actor=cast.ruth, proposal_ids=[each.id for each in cards])
        assert [row.card.id for row in card.rows] == [each.id for each in cards]
        assert [row.records for row in card.rows] == [(f"orders #W{n}",) for n in range(4)]
        columns = {column.name: column for column in card.columns}
        assert columns["orders status"].same
        assert columns["orders refund"].cells[3].outlier.startswith("more than 3 times")
        assert {column.name for column in card.columns if not column.same} == {
            "orders refund",
            "call order_id",
        }

    def test_leaves_out_what_takes_a_decision_of_its_own(self, cast: Cast) -> None:
        decided, mine = one(cast, 1), one(cast, 2)
        approve(decided, cast.ruth)
        high = one(cast, 3, tier=2)
        long = opened(cast, after={"orders": {"#W1": {"note": "word " * 100}}})
        chosen = [decided.id, mine.id, high.id, long.id]
        card = queries.batch(actor=cast.ines, proposal_ids=chosen)
        assert [row.card.id for row in card.rows] == [mine.id]
        assert [each.why for each in card.left_out] == [
            "it is approved by now",
            "it takes a decision of its own",
            "its change is too long for a table",
        ]

    def test_refuses_what_is_not_of_one_kind(self, cast: Cast) -> None:
        base = one(cast, 1)
        others: list[dict[str, Any]] = [{"tool": "return_order"}, {"contract_hash": "d" * 64}]
        for other in others:
            with pytest.raises(BatchMixed):
                queries.batch(actor=cast.ruth, proposal_ids=[base.id, one(cast, 2, **other).id])
        spoken(cast, rule("some", "hold", match={"tool": "cancel_*"}))
        with pytest.raises(BatchMixed):
            queries.batch(actor=cast.ruth, proposal_ids=[base.id, one(cast, 3).id])

    def test_shows_nothing_of_another_tenant(self, cast: Cast) -> None:
        card = one(cast, 1)
        with pytest.raises(NotFound):
            queries.batch(actor=cast.mallory, proposal_ids=[card.id])


class TestCastBatch:
    def test_votes_on_each_and_gives_each_its_receipt(self, cast: Cast) -> None:
        cards = seen([one(cast, n) for n in range(3)], cast.ruth)
        found = cast_on(cards, cast.ruth)
        receipts = {each.receipt.event_uid for each in found if each.receipt}
        assert len(receipts) == 3
        assert {now(cast, card).card.state for card in cards} == {ProposalState.APPROVED}

    def test_changes_nothing_when_it_is_sent_again(self, cast: Cast) -> None:
        cards = seen([one(cast, n) for n in range(2)], cast.ruth)
        first, again = cast_on(cards, cast.ruth), cast_on(cards, cast.ruth)
        assert [each.receipt.event_uid for each in first if each.receipt] == [
            each.receipt.event_uid for each in again if each.receipt
        ]
        assert all(each.receipt and each.receipt.repeated for each in again)

    def test_refuses_a_stale_item_while_the_others_count(self, cast: Cast) -> None:
        fine, changed, gone = seen([one(cast, n) for n in range(3)], cast.ruth)
        items = listed([fine, changed, gone])
        items[1] = Listed(proposal_id=changed.id, revision_no=1, digest="0" * 64)
        items[2] = Listed(proposal_id=uuid7(), revision_no=1, digest="0" * 64)
        found = commands.cast_batch(actor=cast.ruth, items=items, choice=Choice.APPROVE)
        assert [each.code for each in found] == ["", "proposal.stale", "missing"]
        assert now(cast, fine).card.state is ProposalState.APPROVED
        assert now(cast, changed).card.state is ProposalState.OPEN
        assert "vote.refused" in [line.action for line in now(cast, changed).history]

    def test_refuses_each_item_that_was_not_shown(self, cast: Cast) -> None:
        first, second = one(cast, 1), one(cast, 2)
        found = cast_on([shown(first, cast.ruth), second], cast.ruth)
        assert [each.code for each in found] == ["", "vote.not_fully_shown"]

    def test_refuses_who_has_a_part_in_it(self, cast: Cast) -> None:
        cards = seen([one(cast, n) for n in range(2)], cast.noor)
        assert {each.code for each in cast_on(cards, cast.noor)} == {"vote.principal"}

    def test_rejects_with_one_reason(self, cast: Cast) -> None:
        cards = [one(cast, n) for n in range(2)]
        with pytest.raises(ReasonRequired):
            cast_on(cards, cast.ruth, choice=Choice.REJECT)
        said = {"reason_code": "not_asked_for", "note": "Nobody asked."}
        cast_on(cards, cast.ruth, choice=Choice.REJECT, **said)
        assert {now(cast, card).card.state for card in cards} == {ProposalState.REJECTED}

    def test_never_takes_tier_2_nor_anything_blind(self, cast: Cast) -> None:
        low, high = seen([one(cast, 1), one(cast, 2, tier=2)], cast.ruth)
        with pytest.raises(BatchNever, match="decision of its own"):
            cast_on([low, high], cast.ruth)
        assert now(cast, low).card.state is ProposalState.OPEN
        spoken(cast, rule("blind", "hold", require={**FINANCE, "blind": True}))
        hidden = seen([one(cast, 3), one(cast, 4)], cast.ines)
        with pytest.raises(BatchNever):
            cast_on(hidden, cast.ines)

    def test_refuses_mixed_tools_as_a_whole(self, cast: Cast) -> None:
        cards = seen([one(cast, 1), one(cast, 2, tool="return_order")], cast.ruth)
        with pytest.raises(BatchMixed):
            cast_on(cards, cast.ruth)
        assert {now(cast, card).card.state for card in cards} == {ProposalState.OPEN}

    def test_takes_twenty_five_at_most(self, cast: Cast) -> None:
        cards = [one(cast, n) for n in range(26)]
        with pytest.raises(BatchTooMany, match="At most 25"):
            cast_on(cards, cast.ruth)
        with pytest.raises(BatchTooMany):
            queries.batch(actor=cast.ruth, proposal_ids=[card.id for card in cards])
        found = cast_on(seen(cards[:25], cast.ruth), cast.ruth)
        assert all(each.receipt for each in found)

    def test_takes_people_and_each_proposal_once(self, cast: Cast) -> None:
        card = one(cast, 1)
        with pytest.raises(VoteByMachine):
            cast_on([card], agent(cast))
        for items in ([], listed([card, card])):
            with pytest.raises(BadInput):
                cast_on([], cast.ruth, items=items)


class TestCastBatchInPlace:
    def test_fills_the_place_that_was_lent_where_it_fits(self, cast: Cast) -> None:
        spoken(cast, rule("f", "hold", require=FINANCE))
        cards = seen([one(cast, n) for n in range(2)], cast.ruth)
        lend(cast.ines, cast.ruth)
        as_ines = {"in_place_of": UUID(cast.ines.id)}

        assert {each.code for each in cast_on(cards, cast.ruth)} == {"vote.not_in_place"}
        found = cast_on(cards, cast.ruth, **as_ines)
        assert {each.receipt.in_place_of for each in found if each.receipt} == {"Ines"}
        assert {now(cast, card).card.state for card in cards} == {ProposalState.APPROVED}
        again = cast_on(cards, cast.ruth, **as_ines)
        assert all(each.receipt and each.receipt.repeated for each in again)

    def test_refuses_each_item_that_it_does_not_fit(self, cast: Cast) -> None:
        fits, other = seen(of_two_groups(cast), cast.ruth)
        lend(cast.ines, cast.ruth)
        found = cast_on([fits, other], cast.ruth, in_place_of=UUID(cast.ines.id))
        assert [each.code for each in found] == ["", "vote.not_in_place"]
        assert found[1].message.startswith("You do not stand in for that person here")
        assert now(cast, other).card.state is ProposalState.OPEN


class TestPage:
    def test_shows_votes_and_repeats_without_script(self, cast: Cast) -> None:
        client = cast.client("ruth")
        cards = [one(cast, n) for n in range(3)]
        page = text(client.get(ADDRESS, {"select": [str(card.id) for card in cards]}))
        items = re.findall(r'name="item" value="([^"]+)"', page)
        assert items == [f"{card.id}:1:{card.digest}" for card in cards]
        form = {"item": items, "choice": "approve", "record": "1"}
        done = text(client.post(ADDRESS, form))
        assert "3 of 3 votes recorded" in done
        assert {now(cast, card).card.state for card in cards} == {ProposalState.APPROVED}
        assert text(client.post(ADDRESS, form)).count("it was on record already") == 3

    def test_keeps_what_was_typed_beside_a_refusal(self, cast: Cast) -> None:
        card = one(cast, 1)
        form = {"item": f"{card.id}:1:{card.digest}", "choice": "reject", "record": "1"}
        answer = cast.client("ruth").post(ADDRESS, {**form, "agent_message": "Ask first."})
        assert answer.status_code == 400
        page = text(answer)
        assert "A rejection needs a reason and a note" in page
        assert "Ask first." in page
        assert now(cast, card).card.state is ProposalState.OPEN

    def test_lets_choose_in_whose_place_where_one_was_lent(self, cast: Cast) -> None:
        cards = of_two_groups(cast)
        lend(cast.ines, cast.ruth)
        client = cast.client("ruth")
        boxes = re.findall(r'name="select" value="([^"]+)"', text(client.get("/reviews/")))
        assert set(boxes) == {str(card.id) for card in cards}
        page = text(client.get(ADDRESS, {"select": boxes}))
        assert "In place of Ines (finance)" in page
        assert page.count("(only in place of Ines)") == page.count("(only for yourself)") == 1
        form = {
            "item": [f"{card.id}:1:{card.digest}" for card in cards],
            "choice": "approve",
            "record": "1",
            "in_place_of": cast.ines.id,
        }
        done = text(client.post(ADDRESS, form))
        assert "1 of 2 votes recorded" in done
        assert "Approved, in place of Ines" in done
        assert "You do not stand in for that person here" in done

    def test_says_in_whose_place_where_there_is_no_other(self, cast: Cast) -> None:
        spoken(cast, rule("f", "hold", require=FINANCE))
        card = one(cast, 1)
        lend(cast.ines, cast.ruth)
        page = text(cast.client("ruth").get(ADDRESS, {"select": str(card.id)}))
        assert "You decide in place of Ines (finance)" in page
        assert f'name="in_place_of" value="{cast.ines.id}"' in page
        assert "in_place_of" not in text(cast.client("ines").get(ADDRESS, {"select": str(card.id)}))

    def test_escapes_hostile_text(self, cast: Cast) -> None:
        nasty = "<script>alert(1)</script>\u202e"
        card = opened(cast, after={"orders": {"#W1": {"status": nasty}}})
        page = cast.client("ruth").get(ADDRESS, {"select": str(card.id)}).content.decode()
        assert "<script>alert" not in page
        assert "\u202e" not in page

    @pytest.mark.parametrize("query", ["", "?select=x", "?select=", "?select=" + "0" * 36])
    def test_refuses_a_selection_that_says_nothing(self, cast: Cast, query: str) -> None:
        assert cast.client("ruth").get(f"{ADDRESS}{query}").status_code == 400

    def test_is_offered_in_the_list_where_rows_fit(self, cast: Cast) -> None:
        client = cast.client("ruth")
        low, high = one(cast, 1), one(cast, 2, tier=2)
        assert 'id="batch"' not in text(client.get("/reviews/"))
        other = one(cast, 3)
        page = text(client.get("/reviews/"))
        assert 'id="batch"' in page
        boxes = re.findall(r'name="select" value="([^"]+)"', page)
        assert set(boxes) == {str(low.id), str(other.id)}
        assert str(high.id) in page


class TestApi:
    def test_answers_for_each_item(self, cast: Cast) -> None:
        fine, unseen = one(cast, 1), one(cast, 2)
        client = cast.api("ruth")
        assert client.get(f"{ADDRESS}?select={fine.id}").status_code == 200  # what it shows counts
        body = {
            "choice": "approve",
            "items": [
                {"proposal": str(card.id), "revision": 1, "digest": card.digest}
                for card in (fine, unseen)
            ],
        }
        answer = client.post("/api/v1/approvals/batches", body, format="json")
        assert answer.status_code == 200
        first, second = answer.json()["results"]
        assert first["receipt"]["state"] == "approved"
        assert (second["receipt"], second["code"]) == (None, "vote.not_fully_shown")

    def test_takes_in_whose_place_it_is(self, cast: Cast) -> None:
        fits, other = of_two_groups(cast)
        lend(cast.ines, cast.ruth)
        client = cast.api("ruth")
        client.get(ADDRESS, {"select": [str(fits.id), str(other.id)]})
        body = {
            "choice": "approve",
            "items": [
                {"proposal": str(card.id), "revision": 1, "digest": card.digest}
                for card in (fits, other)
            ],
            "in_place_of": cast.ines.id,
        }
        answer = client.post("/api/v1/approvals/batches", body, format="json")
        first, second = answer.json()["results"]
        assert first["receipt"]["in_place_of"] == "Ines"
        assert (second["receipt"], second["code"]) == (None, "vote.not_in_place")


def text(answer: Any) -> str:
    return html.unescape(answer.content.decode())
