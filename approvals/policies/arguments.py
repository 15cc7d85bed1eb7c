"""Where two versions of the same call differ. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from console.kernel import canonical


def changed_arguments(
    old: Mapping[str, Any], new: Mapping[str, Any]
) -> tuple[tuple[str, Any, Any], ...]:
    """Return (JSON pointer, before, after) of every argument that differs, in order.

    Records are opened; a list is one value. A missing value is None.
    """
    return tuple(_changed("", old, new))


def _changed(at: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted({*old, *new}):
            step = str(name).replace("~", "~0").replace("/", "~1")
            yield from _changed(f"{at}/{step}", old.get(name), new.get(name))
    elif canonical.dumps(old) != canonical.dumps(new):
        yield at, old, new
