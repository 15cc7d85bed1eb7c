"""Before- and after-images: what differs between them, and what a change makes of the records."""

from collections.abc import Iterable
from typing import Any, TypeAlias

from agents.showcase.retail.state import in_cents
from agents.tools.contracts import Image

Changes: TypeAlias = dict[str, dict[str, dict[str, dict[str, Any]]]]


def changes(before: Image, after: Image) -> Changes:
    """Return `{kind: {id: {"before": {field: value}, "after": {...}}}}` of the fields that differ.

    Money is in cents and an absent field is null, which is the form of the data set's outcomes.
    """
    found: Changes = {}
    for kind, records in before.items():
        for key, old in records.items():
            new = after[kind][key]
            names = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
            if names:
                found.setdefault(kind, {})[key] = {
                    "before": {name: _cents(name, old) for name in names},
                    "after": {name: _cents(name, new) for name in names},
                }
    return found


def composed(steps: Iterable[Changes]) -> Changes:
    """Return one change for several in a row: the first before, the last after, no-ops dropped."""
    whole: Changes = {}
    for step in steps:
        for kind, records in step.items():
            for key, change in records.items():
                entry = whole.setdefault(kind, {}).setdefault(key, {"before": {}, "after": {}})
                for name, value in change["before"].items():
                    entry["before"].setdefault(name, value)
                entry["after"].update(change["after"])
    return _without_repeats(whole)


def _without_repeats(whole: Changes) -> Changes:
    kept: Changes = {}
    for kind, records in whole.items():
        for key, change in records.items():
            names = [name for name, old in change["before"].items() if change["after"][name] != old]
            if names:
                kept.setdefault(kind, {})[key] = {
                    side: {name: change[side][name] for name in names}
                    for side in ("before", "after")
                }
    return kept


def _cents(name: str, record: dict[str, Any]) -> Any:
    return in_cents({name: record.get(name)}).get(name)
