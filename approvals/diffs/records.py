"""What changed, as data: fields of records, and how sets of changes add up."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from approvals.cards import Image
from console.kernel import canonical

WHOLE: Final = "(value)"  # stands for all of what should have fields and has none

Changes: TypeAlias = Mapping[str, Mapping[str, Mapping[str, Mapping[str, Any]]]]


def record_changes(before: Image, after: Image) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
    """Return {kind: {id: {"before": {...}, "after": {...}}}} of the fields that differ.

    A field that is missing on one side is null there; missing and null are equal.
    """
    found: dict[str, dict[str, dict[str, dict[str, Any]]]] = {}
    for kind, record, old, new in records_of(before, after):
        fields = [name for name in sorted({*old, *new}) if not same(old.get(name), new.get(name))]
        if fields:
            found.setdefault(kind, {})[record] = {
                "before": {name: old.get(name) for name in fields},
                "after": {name: new.get(name) for name in fields},
            }
    return found


def apply(image: Image, changes: Changes) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the image with the after-side of the changes in place; null removes a field."""
    result = {
        kind: {key: dict(fields) for key, fields in records.items()}
        for kind, records in image.items()
    }
    for kind, records in changes.items():
        for key, sides in records.items():
            fields = result.setdefault(kind, {}).setdefault(key, {})
            fields.update(sides["after"])
            result[kind][key] = {name: value for name, value in fields.items() if value is not None}
    return result


def compose(first: Changes, then: Changes) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
    """Return one set of changes that does what `first` and `then` do in turn."""
    pairs: dict[tuple[str, str, str], list[Any]] = {}
    for changes in (first, then):
        for kind, key, name, old, new in _sides(changes):
            pairs.setdefault((kind, key, name), [old, new])[1] = new
    found: dict[str, dict[str, dict[str, dict[str, Any]]]] = {}
    for (kind, key, name), (old, new) in sorted(pairs.items()):
        if not same(old, new):
            sides = found.setdefault(kind, {}).setdefault(key, {"before": {}, "after": {}})
            sides["before"][name] = old
            sides["after"][name] = new
    return found


def _sides(changes: Changes) -> Iterator[tuple[str, str, str, Any, Any]]:
    for kind, records in changes.items():
        for key, sides in records.items():
            for name in sides["after"]:
                yield kind, key, name, sides["before"].get(name), sides["after"][name]


def records_of(
    before: Image, after: Image
) -> Iterator[tuple[str, str, Mapping[str, Any], Mapping[str, Any]]]:
    """Yield (kind, id, fields before, fields after) of every record on either side.

    What was found in a target may have any shape: a record that is no object, or a kind that holds
    no records, is one field of its own, so that the two sides still differ where they do.
    """
    for kind in sorted({*before, *after}):
        old, new = (_object(_bare(side.get(kind))) for side in (before, after))
        for record in sorted({*old, *new}):
            yield kind, record, _object(old.get(record)), _object(new.get(record))


def _object(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    return {} if value is None else {WHOLE: value}


def _bare(value: Any) -> Any:
    """Return the value without the keys that hold null, at any depth."""
    if isinstance(value, Mapping):
        return {key: _bare(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_bare(item) for item in value]
    return value


def same(left: object, right: object) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    # Not `==`, for which 1, 1.0 and True are one.
    return canonical.dumps(left) == canonical.dumps(right)
