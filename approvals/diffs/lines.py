"""Two sequences side by side: pure, and bounded, as the text may be hostile.

Equal ends are cut off; lines that occur once on both sides are anchors (patience); what is left
between anchors is compared closely only where that is cheap, and is otherwise all new.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final, TypeAlias

from approvals.cards import Line, Piece

# Word marks cost time quadratic in the number of words: 3,000 repetitive characters took 1.6 s.
MOST_MARKED_CHARS: Final = 500
MOST_MARKED_WORDS: Final = 200
MOST_MARKED_LINES: Final = 200  # pairs of lines whose words are compared, in one text
_MOST_COMPARED: Final = 10_000  # pairs of lines that are compared closely between two anchors
_MOST_DEPTH: Final = 20

# (old from, old to, new from, new to): equal when both lengths are the same and not zero.
_Match: TypeAlias = tuple[int, int, int]


def line_marks(left: str, right: str) -> tuple[Line, ...]:
    """Return both texts line by line, numbered from 1; removed lines before those added."""
    olds, news = left.split("\n"), right.split("\n")
    found: list[Line] = []
    marked = 0
    i = j = 0
    for old, new, length in [*matches(olds, news), (len(olds), len(news), 0)]:
        pairs = max(0, min(old - i, new - j))
        words = marked + pairs <= MOST_MARKED_LINES and (old - i) == (new - j)
        marked += pairs if words else 0
        found.extend(_changed(olds, news, (i, old, j, new), words=words))
        found.extend(
            Line(mark="same", old=old + k + 1, new=new + k + 1, text=olds[old + k])
            for k in range(length)
        )
        i, j = old + length, new + length
    return tuple(found)


def _changed(
    olds: list[str], news: list[str], place: tuple[int, int, int, int], *, words: bool
) -> Iterator[Line]:
    i1, i2, j1, j2 = place
    marks = [word_marks(olds[i1 + k], news[j1 + k]) for k in range(i2 - i1)] if words else []
    for k in range(i1, i2):
        pieces = _side(marks[k - i1], "del") if marks else ()
        yield Line(mark="del", old=k + 1, new=None, text=olds[k], pieces=pieces)
    for k in range(j1, j2):
        pieces = _side(marks[k - j1], "add") if marks else ()
        yield Line(mark="add", old=None, new=k + 1, text=news[k], pieces=pieces)


def _side(pieces: tuple[Piece, ...], mark: str) -> tuple[Piece, ...]:
    """Return one side of word marks, or nothing where no word stays: then all of it is new."""
    if not any(piece.mark == "same" and piece.text.strip() for piece in pieces):
        return ()
    return tuple(piece for piece in pieces if piece.mark in {"same", mark})


def word_marks(left: str, right: str) -> tuple[Piece, ...]:
    """Return both texts in one, word by word, or nothing where that would cost too much."""
    if max(len(left), len(right)) > MOST_MARKED_CHARS:
        return ()
    olds, news = (re.findall(r"\s+|\w+|[^\w\s]", text) for text in (left, right))
    if max(len(olds), len(news)) > MOST_MARKED_WORDS:
        return ()
    pieces: list[Piece] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, olds, news, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces.append(Piece(mark="same", text="".join(olds[i1:i2])))
            continue
        if i2 > i1:
            pieces.append(Piece(mark="del", text="".join(olds[i1:i2])))
        if j2 > j1:
            pieces.append(Piece(mark="add", text="".join(news[j1:j2])))
    return tuple(pieces)


# --- matching -----------------------------------------------------------------------------------


def matches(olds: Sequence[str], news: Sequence[str]) -> list[_Match]:
    """Return (old, new, length) of runs that are equal, in order and without overlaps."""
    known: dict[str, int] = {}
    left, right = ([known.setdefault(text, len(known)) for text in side] for side in (olds, news))
    joined: list[_Match] = []
    for old, new, length in _matched(left, right, (0, len(left), 0, len(right)), 0):
        if joined and (joined[-1][0] + joined[-1][2], joined[-1][1] + joined[-1][2]) == (old, new):
            joined[-1] = (*joined[-1][:2], joined[-1][2] + length)
        else:
            joined.append((old, new, length))
    return joined


def _matched(
    left: list[int], right: list[int], place: tuple[int, int, int, int], depth: int
) -> Iterator[_Match]:
    i1, i2, j1, j2 = place
    start = i1
    while i1 < i2 and j1 < j2 and left[i1] == right[j1]:
        i1, j1 = i1 + 1, j1 + 1
    if i1 > start:
        yield start, j1 - (i1 - start), i1 - start
    end = i2
    while i1 < i2 and j1 < j2 and left[i2 - 1] == right[j2 - 1]:
        i2, j2 = i2 - 1, j2 - 1
    if i1 < i2 and j1 < j2:
        yield from _between(left, right, (i1, i2, j1, j2), depth)
    if end > i2:
        yield i2, j2, end - i2


def _between(
    left: list[int], right: list[int], place: tuple[int, int, int, int], depth: int
) -> Iterator[_Match]:
    i1, i2, j1, j2 = place
    anchors = _anchors(left, right, place) if depth < _MOST_DEPTH else []
    if not anchors:
        yield from _closely(left, right, place)
        return
    i, j = i1, j1
    for old, new in anchors:
        if old < i or new < j:
            continue  # the run of the anchor before reached past this one
        length = _run(left, right, (old, new), (i2, j2))
        yield from _matched(left, right, (i, old, j, new), depth + 1)
        yield old, new, length
        i, j = old + length, new + length
    yield from _matched(left, right, (i, i2, j, j2), depth + 1)


def _run(left: list[int], right: list[int], start: tuple[int, int], end: tuple[int, int]) -> int:
    (i, j), length = start, 0
    while i + length < end[0] and j + length < end[1] and left[i + length] == right[j + length]:
        length += 1
    return length


def _anchors(
    left: list[int], right: list[int], place: tuple[int, int, int, int]
) -> list[tuple[int, int]]:
    """Return the longest rising chain of lines that occur once on each side."""
    i1, i2, j1, j2 = place
    olds, news = Counter(left[i1:i2]), Counter(right[j1:j2])
    at = {right[j]: j for j in range(j1, j2) if news[right[j]] == 1}
    pairs = [(i, at[left[i]]) for i in range(i1, i2) if olds[left[i]] == 1 and left[i] in at]
    tails: list[int] = []  # the smallest end of a chain of each length
    chain: list[int] = []  # the pair at each of those ends
    before: list[int] = []
    for index, (_, j) in enumerate(pairs):
        place_in = bisect_left(tails, j)
        before.append(chain[place_in - 1] if place_in else -1)
        if place_in == len(tails):
            tails.append(j)
            chain.append(index)
        else:
            tails[place_in], chain[place_in] = j, index
    found: list[tuple[int, int]] = []
    index = chain[-1] if chain else -1
    while index >= 0:
        found.append(pairs[index])
        index = before[index]
    return found[::-1]


def _closely(
    left: list[int], right: list[int], place: tuple[int, int, int, int]
) -> Iterator[_Match]:
    i1, i2, j1, j2 = place
    if (i2 - i1) * (j2 - j1) > _MOST_COMPARED:
        return
    matcher = SequenceMatcher(None, left[i1:i2], right[j1:j2], autojunk=False)
    for old, new, length in matcher.get_matching_blocks():
        if length:
            yield i1 + old, j1 + new, length
