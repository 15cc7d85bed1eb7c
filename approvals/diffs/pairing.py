"""A change as lines, and lines as two columns: what was removed beside what took its place."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from approvals.cards import FieldChange, Line, Piece


def lines_of(change: FieldChange) -> tuple[Line, ...]:
    """Return a short change as lines; a line break in it is kept inside its line."""
    found = []
    for mark, side in (("del", change.before), ("add", change.after)):
        if side is None:
            continue
        pieces = tuple(piece for piece in change.pieces if piece.mark in {"same", mark})
        named = (Piece(mark="same", text=f"{change.path}: "), *pieces) if pieces else ()
        text = f"{change.path}: {side.text}"
        found.append(Line(mark=mark, old=None, new=None, text=text, pieces=named))
    return tuple(found)


def paired(lines: Sequence[Line]) -> Iterator[tuple[Line | None, Line | None]]:
    """Yield rows of two columns; a line that stays stands in both."""
    for same, group in groupby(lines, key=lambda line: line.mark == "same"):
        run = list(group)
        if same:
            yield from ((line, line) for line in run)
            continue
        olds = [line for line in run if line.mark == "del"]
        news = [line for line in run if line.mark == "add"]
        for at in range(max(len(olds), len(news))):
            yield (olds[at] if at < len(olds) else None, news[at] if at < len(news) else None)
