"""Several differences as one table: a column for each field, and what stands out in it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from statistics import median
from typing import Final

from approvals.cards import Cell, Column, Diff, FieldChange, Shown

FAR: Final = 3  # times the median
_FEWEST: Final = 3  # of fewer than three nothing stands out
_NUMBERS: Final = frozenset({"number", "decimal"})
_Key = tuple[str, int, str]


def tabled(items: Sequence[Diff]) -> tuple[Column, ...]:
    """Return the fields that the items change, in order of their names.

    Records of different ids are one column: the first of a kind, the second of it, and so on.
    """
    found = [_fields(item.changes) for item in items]
    keys = sorted({key for fields in found for key in fields})
    return tuple(_column(key, [fields.get(key) for fields in found]) for key in keys)


def records_in(item: Diff) -> tuple[str, ...]:
    """Return "kind id" of the records that a difference touches."""
    return tuple(dict.fromkeys(f"{change.kind} {change.record}" for change in item.changes))


def _fields(changes: Iterable[FieldChange]) -> dict[_Key, FieldChange]:
    order: dict[str, list[str]] = {}
    found = {}
    for change in changes:
        records = order.setdefault(change.kind, [])
        if change.record not in records:
            records.append(change.record)
        found[change.kind, records.index(change.record), change.path] = change
    return found


def _column(key: _Key, changes: Sequence[FieldChange | None]) -> Column:
    kind, no, path = key
    sides = [(_text(one.before), _text(one.after)) if one else (None, None) for one in changes]
    far, lone = _far(changes), _lone(sides)
    cells = tuple(
        Cell(before=before, after=after, outlier=far.get(index) or lone.get(index, ""))
        for index, (before, after) in enumerate(sides)
    )
    name = f"{kind} {path}" if no == 0 else f"{kind} {no + 1} {path}"
    return Column(name=name, cells=cells, same=len(set(sides)) == 1)


def _text(side: Shown | None) -> str | None:
    return None if side is None else side.text


def _far(changes: Sequence[FieldChange | None]) -> dict[int, str]:
    numbers = {
        index: number
        for index, change in enumerate(changes)
        if (number := _number(change)) is not None
    }
    if len(numbers) < _FEWEST:
        return {}
    middle = median(numbers.values())
    said = f"more than {FAR} times the median of {middle.normalize():f}"
    return {index: said for index, number in numbers.items() if number > FAR * middle}


def _number(change: FieldChange | None) -> Decimal | None:
    side = (change.after or change.before) if change else None
    return abs(Decimal(side.text)) if side is not None and side.type in _NUMBERS else None


def _lone(sides: Sequence[tuple[str | None, str | None]]) -> dict[int, str]:
    counted = Counter(sides)
    if len(sides) < _FEWEST or len(counted) != 2:  # noqa: PLR2004 - the one and all others
        return {}
    return {
        index: "the only one that differs" for index, side in enumerate(sides) if counted[side] == 1
    }
