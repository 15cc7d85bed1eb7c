"""What differs between two images."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One side of a changed field."""

    text: str
    type: str  # text, number, boolean, list, record
    hidden: int  # characters that a reader would not see


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of a text: same, removed or added."""

    mark: str  # "same", "del", "add"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One leaf that differs between two images."""

    kind: str
    record: str
    path: str
    mark: str  # "add", "del", "change"
    before: Shown | None
    after: Shown | None
    note: str = ""  # absolute and relative change of a number
    alarm: bool = False  # at least ten times as much, or a tenth
    pieces: tuple[Piece, ...] = ()  # word marks, for two short texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """The difference of two images, leaf by leaf."""

    changes: tuple[FieldChange, ...]
    unchanged: tuple[tuple[str, str], ...]  # (path, value) of the leaves that stay
    hidden: int  # invisible or reordering characters in all of it
    matched: tuple[str, ...] = ()  # how the members of lists were paired, where there were any


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftLine:
    """One leaf of a stale proposal: as proposed upon, as proposed, as found now."""

    path: str
    then: str | None
    proposed: str | None
    now: str | None
    mark: str  # "same", "drifted", "conflict"
