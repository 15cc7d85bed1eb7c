"""The shop's templates of bad changes: each is other than what was right, and says how."""

from typing import Any

import pytest

from agents.showcase.retail.spoiling import spoil
from agents.tools import spoiling
from agents.tools.spoiling import Call


def order(number: str, customer: str, *entries: tuple[str, str], **other: Any) -> Any:
    history = [{"transaction_type": kind, "amount": amount} for kind, amount in entries]
    return {"orders": {number: {"user_id": customer, "payment_history": history, **other}}}


def cancelled(number: str, customer: str) -> Call:
    paid, back = ("payment", "12.30"), ("refund", "12.30")
    return Call(
        args={"order_id": number},
        before=order(number, customer, paid, status="pending"),
        after=order(number, customer, paid, back, status="cancelled"),
    )


MINE = cancelled("#W1", "mia")


class TestSpoil:
    def test_moves_ten_times_the_money_and_only_what_moves(self) -> None:
        (bad,) = spoil(MINE, [])
        history = bad.call.after["orders"]["#W1"]["payment_history"]
        assert [one["amount"] for one in history] == ["12.30", "123.00"]
        assert (bad.template, bad.call.before, bad.call.args) == (
            "ten_times", MINE.before, MINE.args,
        )  # fmt: skip
        assert bad.wrong.startswith("The money")

    def test_takes_the_record_of_another_customer(self) -> None:
        other = cancelled("#W2", "noah")
        bad = spoil(MINE, [cancelled("#W3", "mia"), other])[-1]
        assert (bad.template, bad.call) == ("other_customer", other)

    def test_is_nothing_where_no_money_moves_and_nobody_else_asked(self) -> None:
        bare = Call(args={}, before={"users": {"mia": {"zip": "1"}}}, after={})
        assert spoil(bare, [bare]) == ()

    def test_leaves_the_real_call_as_it_was(self) -> None:
        before = repr(MINE)
        spoil(MINE, [cancelled("#W2", "noah")])
        assert repr(MINE) == before

    @pytest.mark.parametrize(("domain", "count"), [("retail", 1), ("unknown", 0)])
    def test_is_what_the_domain_registered(self, domain: str, count: int) -> None:
        assert len(spoiling.spoiled(domain, MINE, [])) == count
