"""Searching in a change: which of its folds hold a text, so that they are opened."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from approvals.views.changes import MOST_SHOWN, Address, Change, path_of

MOST_NAMES: Final = 3_000  # characters of names in an address


def found_in(change: Change, text: str) -> Address:
    """Return the address of a change with the folds open that hold a text.

    What stood open stays so. Folds are opened in their order, as many lines as one answer can hold;
    the others are counted. What is not opened was not shown, and Approve still waits for it.
    """
    sizes = {part.name: part.size for part in change.parts}
    names = dict.fromkeys(name for name in sorted(change.opened) if name)
    room, length, left = MOST_SHOWN, len(",".join(names)), 0
    for name, lines in dict(_holding(change, text.casefold())).items():
        if name in names:
            continue
        room -= sizes.get(name, lines)
        length += len(name) + 1
        if room < 0 or length > MOST_NAMES:
            left += 1
        else:
            names[name] = None
    return replace(change.address, opened=",".join(names), left=left)


def _holding(change: Change, wanted: str) -> Iterator[tuple[str, int]]:
    """Yield name and lines of each fold that holds a text; a name may come twice."""
    for each in change.laid:
        sides = (each.change.before, each.change.after)
        short = [path_of(each.change), *(side.text for side in sides if side is not None)]
        if each.folded and any(wanted in one.casefold() for one in short):
            yield each.part, 1
        for stretch in each.stretches:
            if stretch.folded and any(wanted in line.text.casefold() for line in stretch.lines):
                yield stretch.name, len(stretch.lines)
