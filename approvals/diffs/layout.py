"""How a difference is laid out for a reader: what is folded, and the parts to be looked at.

A part is a stretch of changes with a name. A name holds for one revision only. Whatever is folded
and changed has to be opened before anybody approves; folds of unchanged lines are not counted.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from approvals.cards import Diff, FieldChange, Laid, Line, Part, Stretch
from approvals.diffs.lines import line_marks

MOST_SHORT_CHARS: Final = 280  # longer values are shown line by line
MOST_SHORT_LINES: Final = 4
MOST_OPEN_FIELDS: Final = 50  # short fields before the rest is folded
MOST_OPEN_LINES: Final = 12  # changed lines in one place before they are folded
MOST_OPEN_CHARS: Final = 2_000
MOST_LINES: Final = 400  # of one text, before all that follows is folded
PART_FIELDS: Final = 50
PART_LINES: Final = 200
CONTEXT: Final = 3


def laid_out(diff: Diff) -> tuple[Laid, ...]:
    """Return every change in order: short ones whole, long ones as stretches of lines."""
    found = []
    short = 0
    for no, change in enumerate(diff.changes, 1):
        if is_long(change):
            found.append(Laid(change=change, stretches=tuple(_stretches(str(no), change))))
            continue
        group = short // PART_FIELDS
        folded = short >= MOST_OPEN_FIELDS
        name = f"{group + 1}f" if folded else str(no)
        found.append(Laid(change=change, part=name, folded=folded))
        short += 1
    return tuple(found)


def parts_of(diff: Diff) -> tuple[Part, ...]:
    """Return the parts of a difference, in order; whoever approves was shown every one of them."""
    return parts_in(laid_out(diff))


def parts_in(layout: Iterable[Laid]) -> tuple[Part, ...]:
    """Return the parts of a difference that is laid out already."""
    sizes: dict[str, tuple[bool, int]] = {}
    for laid in layout:
        if laid.part:
            sizes[laid.part] = (laid.folded, sizes.get(laid.part, (False, 0))[1] + 1)
        for stretch in laid.stretches:
            if stretch.changed:
                size = sizes.get(stretch.name, (False, 0))[1] + stretch.changed
                sizes[stretch.name] = (stretch.folded, size)
    return tuple(
        Part(name=name, folded=folded, size=size) for name, (folded, size) in sizes.items()
    )


def is_long(change: FieldChange) -> bool:
    """Say whether a change is shown line by line."""
    sides = [side.text for side in (change.before, change.after) if side is not None]
    return any(
        len(text) > MOST_SHORT_CHARS or text.count("\n") >= MOST_SHORT_LINES for text in sides
    )


def _stretches(no: str, change: FieldChange) -> Iterator[Stretch]:
    """Yield the lines of a long change: what stays, folded where it is long, and what differs."""
    shown = 0  # lines that stand open
    part = 0
    room = 0  # changed lines that the part being filled still takes
    for count, (size, lines) in enumerate(_pieces(_lines_of(change)), 1):
        if not size:
            yield Stretch(name=f"{no}s{count}", lines=lines, changed=0, folded=True)
            continue
        spent = shown >= MOST_LINES
        folded = spent or size > MOST_OPEN_LINES or _chars(lines) > MOST_OPEN_CHARS
        if not spent or room < size:
            part, room = part + 1, PART_LINES
        room -= size
        shown += 0 if folded else len(lines)
        yield Stretch(name=f"{no}-{part}", lines=lines, changed=size, folded=folded)


def _chars(lines: Sequence[Line]) -> int:
    return sum(len(line.text) for line in lines)


def _pieces(lines: Sequence[Line]) -> Iterator[tuple[int, tuple[Line, ...]]]:
    """Yield (changed lines, lines): changes with what stands around them, and what lies between."""
    runs = [tuple(run) for _, run in groupby(lines, key=lambda line: line.mark == "same")]
    held: list[Line] = []
    size = 0
    for place, run in enumerate(runs):
        if run[0].mark != "same":
            for chunk in _chunks(run):
                if size and size + len(chunk) > PART_LINES:
                    yield size, tuple(held)
                    held, size = [], 0
                held.extend(chunk)
                size += len(chunk)
            continue
        head, tail = (CONTEXT if place else 0), (CONTEXT if place < len(runs) - 1 else 0)
        if len(run) <= head + tail + 1:
            held.extend(run)
            continue
        if size:
            yield size, (*held, *run[:head])
        yield 0, run[head : len(run) - tail]
        held, size = list(run[len(run) - tail :]), 0
    if size:
        yield size, tuple(held)


def _chunks(run: Sequence[Line]) -> Iterator[list[Line]]:
    """Yield changed lines in portions, each with what was removed before what took its place."""
    olds = [line for line in run if line.mark == "del"]
    news = [line for line in run if line.mark == "add"]
    half = PART_LINES // 2
    for start in range(0, max(len(olds), len(news)), half):
        yield [*olds[start : start + half], *news[start : start + half]]


def _lines_of(change: FieldChange) -> tuple[Line, ...]:
    if change.before is not None and change.after is not None:
        return line_marks(change.before.text, change.after.text)
    if change.before is not None:
        texts = enumerate(change.before.text.split("\n"), 1)
        return tuple(Line(mark="del", old=no, new=None, text=text) for no, text in texts)
    texts = enumerate(change.after.text.split("\n") if change.after else (), 1)
    return tuple(Line(mark="add", old=None, new=no, text=text) for no, text in texts)
