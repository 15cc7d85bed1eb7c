"""What changed, for a reader: every leaf that differs, typed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from approvals.cards import Diff, DriftLine, FieldChange, Image, Shown
from approvals.diffs.glyphs import hidden_count, hidden_in, mixed_words
from approvals.diffs.lines import word_marks
from approvals.diffs.records import records_of, same
from console.kernel import canonical

ALARM_RATIO: Final = 10  # ten times as much, or a tenth, is pointed out

_ID_FIELDS: Final = ("id", "item_id", "key", "name")  # members of lists are paired by the first
_DECIMAL: Final = re.compile(r"-?\d{1,18}\.\d{1,12}")


def between(before: Image, after: Image) -> Diff:
    """Return every leaf that differs, and the leaves that stay."""
    changes: list[FieldChange] = []
    unchanged: list[tuple[str, str]] = []
    matched: list[str] = []
    for kind, record, old, new in records_of(before, after):
        for path, left, right in _members("", old, new, matched):
            if same(left, right):
                if left is not None:
                    unchanged.append((f"{kind} {record} {path}", plain(left)))
            else:
                changes.append(_change(kind, record, path, left, right))
    return Diff(
        changes=tuple(changes),
        unchanged=tuple(unchanged),
        hidden=_hidden_in(changes, unchanged),
        matched=tuple(dict.fromkeys(matched)),
    )


def changed_paths(before: Image, after: Image) -> tuple[str, ...]:
    """Return "kind id field" of every leaf that differs."""
    return tuple(
        f"{change.kind} {change.record} {change.path}" for change in between(before, after).changes
    )


def three_way(then: Image, proposed: Image, now: Image) -> tuple[DriftLine, ...]:
    """Return every leaf that the proposal or the world outside moved."""
    sides = [_flat(image) for image in (then, proposed, now)]
    lines = []
    for path in sorted({*sides[0], *sides[1], *sides[2]}):
        was, wanted, found = (side.get(path) for side in sides)
        if was == wanted == found:
            continue
        drifted = was != found
        mark = "same" if not drifted else "drifted" if was == wanted else "conflict"
        lines.append(DriftLine(path=path, then=was, proposed=wanted, now=found, mark=mark))
    return tuple(lines)


def plain(value: object) -> str:
    """Return a leaf as text; strings bare, all else as canonical JSON."""
    return value if isinstance(value, str) else canonical.dumps(value).decode()


def _hidden_in(changes: list[FieldChange], unchanged: list[tuple[str, str]]) -> int:
    sides = [side.hidden for change in changes for side in (change.before, change.after) if side]
    names = hidden_in(f"{change.record}{change.path}" for change in changes)
    return sum(sides) + names + hidden_in(path + text for path, text in unchanged)


def _flat(image: Image) -> dict[str, str]:
    return {
        f"{kind} {record} {path}": plain(value)
        for kind, record, fields, _ in records_of(image, {})
        for path, value, _ in _members("", fields, {}, [])
        if value is not None
    }


def _leaves(path: str, left: Any, right: Any, matched: list[str]) -> Iterator[tuple[str, Any, Any]]:
    """Yield (path, before, after) of every leaf; a container against nothing is opened, too."""
    if _is_record(left) and _is_record(right):
        yield from _members(path, dict(left or {}), dict(right or {}), matched)
    elif _is_list(left) and _is_list(right):
        yield from _items(path, list(left or ()), list(right or ()), matched)
    elif _opens(left) or _opens(right):
        yield from _leaves(path, left, None, matched)
        yield from _leaves(path, None, right, matched)
    else:
        yield path, left, right


def _is_record(value: object) -> bool:
    return value is None or (isinstance(value, Mapping) and bool(value))


def _is_list(value: object) -> bool:
    # A list with a null is one leaf: by position, that null would look like a missing member.
    return value is None or (isinstance(value, list) and bool(value) and None not in value)


def _opens(value: object) -> bool:
    return value is not None and (_is_record(value) or _is_list(value))


def _members(
    path: str, left: Mapping[str, Any], right: Mapping[str, Any], matched: list[str]
) -> Iterator[tuple[str, Any, Any]]:
    for name in sorted({*left, *right}):
        inner = f"{path}.{name}" if path else name
        yield from _leaves(inner, left.get(name), right.get(name), matched)


def _items(
    path: str, left: Sequence[Any], right: Sequence[Any], matched: list[str]
) -> Iterator[tuple[str, Any, Any]]:
    key = _key_of([*left, *right], left, right)
    if key is None:
        if any(isinstance(item, Mapping | list) for item in (*left, *right)):
            matched.append(f"{path}: by position")
        for index in range(max(len(left), len(right))):
            old = left[index] if index < len(left) else None
            new = right[index] if index < len(right) else None
            yield from _leaves(f"{path}[{index}]", old, new, matched)
        return
    matched.append(f"{path}: by {key}")
    olds, news = ({str(item[key]): item for item in side} for side in (left, right))
    kept = [[name for name in side if name in olds and name in news] for side in (olds, news)]
    if kept[0] != kept[1]:
        yield f"{path} (order)", kept[0], kept[1]
    for name in dict.fromkeys([*olds, *news]):
        yield from _leaves(f"{path}[{name}]", olds.get(name), news.get(name), matched)


def _key_of(members: list[Any], left: Sequence[Any], right: Sequence[Any]) -> str | None:
    """Return the field that tells the members of both lists apart, if there is one."""
    if not all(isinstance(item, Mapping) for item in members):
        return None
    for key in _ID_FIELDS:
        if all(isinstance(item.get(key), str) for item in members) and all(
            len({item[key] for item in side}) == len(side) for side in (left, right)
        ):
            return key
    return None


def _change(kind: str, record: str, path: str, left: object, right: object) -> FieldChange:
    mark = "add" if left is None else "del" if right is None else "change"
    note, alarm = _movement(left, right)
    return FieldChange(
        kind=kind,
        record=record,
        path=path,
        mark=mark,
        before=_shown(left),
        after=_shown(right),
        note=note,
        alarm=alarm,
        pieces=word_marks(left, right) if isinstance(left, str) and isinstance(right, str) else (),
    )


def _shown(value: object) -> Shown | None:
    if value is None:
        return None
    text = plain(value)
    return Shown(
        text=text, type=_type_of(value), hidden=hidden_count(text), mixed=mixed_words(text)
    )


def _type_of(value: object) -> str:
    match value:
        case bool():
            return "boolean"
        case int():
            return "number"
        case str():
            return "decimal" if _DECIMAL.fullmatch(value) else "text"
        case Mapping():
            return "record"
        case _:
            return "list"


def _movement(left: object, right: object) -> tuple[str, bool]:
    """Return how far a number moved, absolutely and relatively, and whether that is alarming."""
    old, new = _number(left), _number(right)
    if old is None or new is None:
        return "", False
    if old == 0:
        return f"{new - old:+}", False
    ratio = new / old
    alarm = new != 0 and not (Decimal(1) / ALARM_RATIO < ratio < ALARM_RATIO)
    if alarm and ratio >= ALARM_RATIO:
        return f"{new - old:+}, {ratio.quantize(Decimal('0.1')).normalize():f} times as much", True
    return f"{new - old:+}, {((ratio - 1) * 100).quantize(Decimal('0.1')):+f} %", alarm


def _number(value: object) -> Decimal | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value)
    return None
