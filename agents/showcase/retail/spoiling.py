"""Templates of bad changes of the shop: ten times the money, and another customer's record."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from agents.showcase.retail import money
from agents.tools.contracts import Image
from agents.tools.spoiling import Call, Spoiled

_MONEY: Final = re.compile(f"{money.PATTERN}\\Z")
_TIMES: Final = 10


def spoil(call: Call, others: Sequence[Call]) -> Sequence[Spoiled]:
    """Return every bad variant of a call that can be made of it."""
    return (*_ten_times(call), *_somebody_elses(call, others))


def _ten_times(call: Call) -> Iterator[Spoiled]:
    after = _times(call.before, call.after)
    if after != call.after:
        yield Spoiled(
            template="ten_times",
            call=Call(args=call.args, before=call.before, after=after),
            wrong="The money that would move was ten times what the customer had agreed to.",
        )


def _times(before: Any, after: Any) -> Any:
    """Return what comes after with every amount that is new or other than before, ten times."""
    if isinstance(after, dict):
        old = before if isinstance(before, dict) else {}
        return {name: _times(old.get(name), value) for name, value in after.items()}
    if isinstance(after, list):
        olds = before if isinstance(before, list) else []
        return [
            _times(olds[no] if no < len(olds) else None, value) for no, value in enumerate(after)
        ]
    is_money = isinstance(after, str) and _MONEY.match(after) is not None
    if not is_money or before == after or money.cents(after) == 0:
        return after
    return money.dollars(_TIMES * money.cents(after))


def _somebody_elses(call: Call, others: Sequence[Call]) -> Iterator[Spoiled]:
    mine = _records(call.before)
    for other in others:
        if mine.isdisjoint(_records(other.before)) and _customers(call).isdisjoint(
            _customers(other)
        ):
            yield Spoiled(
                template="other_customer",
                call=other,
                wrong="It would have changed a record of another customer than the one who asked.",
            )
            return


def _records(image: Image) -> set[tuple[str, str]]:
    return {(kind, key) for kind, records in image.items() for key in records}


def _customers(call: Call) -> set[str]:
    orders = call.before.get("orders", {}).values()
    return {*call.before.get("users", {}), *(str(order.get("user_id")) for order in orders)}
