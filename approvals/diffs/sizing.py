"""How much of a difference there is to read."""

from collections.abc import Iterable, Iterator

from approvals.cards import Diff, FieldChange, Piece, Stretch
from approvals.diffs.layout import laid_out


def changed_chars(diff: Diff) -> int:
    """Return how many characters differ, of both sides; what stays of a text is not counted."""
    return sum(
        sum(_of_lines(laid.stretches)) if laid.stretches else _of_short(laid.change)
        for laid in laid_out(diff)
    )


def _of_lines(stretches: Iterable[Stretch]) -> Iterator[int]:
    for stretch in stretches:
        for line in stretch.lines:
            if line.mark != "same":
                yield _of_pieces(line.pieces) if line.pieces else len(line.text)


def _of_short(change: FieldChange) -> int:
    if change.pieces:
        return _of_pieces(change.pieces)
    return sum(len(side.text) for side in (change.before, change.after) if side is not None)


def _of_pieces(pieces: Iterable[Piece]) -> int:
    return sum(len(piece.text) for piece in pieces if piece.mark != "same")
