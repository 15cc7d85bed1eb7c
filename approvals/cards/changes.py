"""What differs between two images."""

from dataclasses import dataclass

from approvals.cards.content import Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One side of a changed field."""

    text: str
    type: str  # text, number, boolean, list, record
    hidden: int  # characters that a reader would not see
    mixed: int = 0  # words of letters from several scripts that look alike


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
class Line:
    """One line of a long text, with its numbers before and after."""

    mark: str  # "same", "del", "add"
    old: int | None
    new: int | None
    text: str
    pieces: tuple[Piece, ...] = ()  # word marks: same and the line's own mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Lines that follow one another; folded ones are opened by their name."""

    name: str
    lines: tuple[Line, ...]
    changed: int  # changed lines among them; 0 where all stays
    folded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """A change as it is laid out: as one part, or as stretches of lines."""

    change: FieldChange
    part: str = ""
    folded: bool = False
    stretches: tuple[Stretch, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A named portion of the changes; whoever approves was shown every one of them."""

    name: str
    folded: bool  # not shown before it is asked for
    size: int  # changed fields or lines


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftLine:
    """One leaf of a stale proposal: as proposed upon, as proposed, as found now."""

    path: str
    then: str | None
    proposed: str | None
    now: str | None
    mark: str  # "same", "drifted", "conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What one revision of a proposal changes."""

    revision_no: int
    digest: str  # 64 hex characters
    content: Content
    diff: Diff


@dataclass(frozen=True, slots=True, kw_only=True)
class Interdiff:
    """What the current revision says otherwise than an older one that somebody saw."""

    seen_no: int
    revision_no: int
    digest: str  # of the current one
    diff: Diff


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreeWay:
    """What a stale proposal was based on, proposes, and what is there now; else no lines."""

    state: str
    revision_no: int
    digest: str
    lines: tuple[DriftLine, ...]
