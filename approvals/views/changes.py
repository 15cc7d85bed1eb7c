"""From a difference to what the page shows of it: views, folds, and which parts were shown."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

from approvals import diffs
from approvals.cards import Diff, FieldChange, Laid, Line, Part, Piece, Shown, Stretch

VIEWS: Final[Mapping[str, str]] = {
    "fields": "Fields",
    "unified": "Unified",
    "side": "Side by side",
    "raw": "Raw",
}
ALL: Final = "all"
ON: Final = "+"  # after a name: this part, and those that follow
MOST_SHOWN: Final = 4_000  # lines of folds that one answer opens by itself
_CHANGE: Final[Mapping[str, str]] = {"add": "added", "del": "removed", "change": "changed"}
_SIGN: Final[Mapping[str, str]] = {"add": "+", "del": "\u2212", "same": ""}
_WORD: Final[Mapping[str, str]] = {"add": "added", "del": "removed", "same": ""}

Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """What the address of the page says besides the proposal; every link keeps the rest of it."""

    view: str = "fields"
    opened: str = ""  # names of folds, with commas; "all"
    kept: Mapping[str, str] = field(default_factory=dict)  # list and moment, as they came
    left: int = 0  # folds that hold what was looked for, and stay closed: too long for one answer

    def link(self, *, view: str | None = None, opened: str | None = None, at: str = "") -> str:
        view = self.view if view is None else view
        opened = self.opened if opened is None else opened
        values = {"view": "" if view == "fields" else view, "open": opened, **self.kept}
        query = urlencode({name: value for name, value in values.items() if value}, safe=",+")
        return f"?{query.replace(ON, '%2B')}{f'#{at}' if at else ''}"

    def opening(self, name: str) -> str:
        names = [each for each in self.opened.split(",") if each and each != ALL]
        return self.link(opened=",".join(dict.fromkeys([*names, name])), at=f"p-{name}")


class Change:
    """A difference as one address shows it."""

    def __init__(
        self,
        diff: Diff,
        address: Address,
        *,
        seen: frozenset[str] = frozenset(),
        anchors: bool = True,
    ) -> None:
        self.anchors = anchors
        self.diff = diff
        self.address = address
        self.laid = diffs.laid_out(diff)
        self.parts = diffs.parts_in(self.laid)
        self.seen = seen
        self.opened = _opened(self.laid, self.parts, address.opened)
        self.anchored: set[str] = set()  # names that have their place on the page

    @property
    def shown(self) -> frozenset[str]:
        """Return the parts that this answer shows whole; raw bytes point out no change."""
        raw = self.address.view == "raw"
        return frozenset(
            part.name
            for part in self.parts
            if not part.folded or (part.name in self.opened and not raw)
        )

    def context(self) -> dict[str, Any]:
        """Return what `approvals/change.html` shows."""
        viewed = self.seen | self.shown
        view = self.address.view
        links = [(name, label, self.address.link(view=name)) for name, label in VIEWS.items()]
        names = list(VIEWS)
        following = names[(names.index(view) + 1) % len(names)]
        return {
            "links": links,
            "following": following,
            "fields": [*self._fields()] if view == "fields" else [],
            "blocks": [*self._blocks()] if view != "raw" else [],
            "side": view == "side",
            "parts": len(self.parts),
            "viewed": sum(part.name in viewed for part in self.parts),
            "closed": [part.name for part in self.parts if part.name not in viewed],
            "all": self.address.link(opened=ALL) if self._folds() else "",
            "none": self.address.link(opened="") if self.address.opened else "",
            "open_all": bool(self.address.opened),
            "more": self._more(),
            "left": self.address.left,
            "hidden": self.diff.hidden,
            "mixed": sum(side.mixed for change in self.diff.changes for side in _sides(change)),
        }

    def _folds(self) -> bool:
        folded = [stretch for laid in self.laid for stretch in laid.stretches if stretch.folded]
        return any(laid.folded for laid in self.laid) or bool(folded)

    def _more(self) -> str:
        """Return the way to what "all" left folded, because one answer would be too long."""
        asked = self.address.opened
        if not (asked == ALL or asked.endswith(ON)):
            return ""
        names = [part.name for part in self.parts]
        after = names.index(asked.removesuffix(ON)) if asked.removesuffix(ON) in names else 0
        left = [name for name in names[after:] if name not in self.opened | self.shown]
        return self.address.link(opened=f"{left[0]}{ON}", at=f"p-{left[0]}") if left else ""

    # -- fields ----------------------------------------------------------------------------------

    def _fields(self) -> Iterator[Row]:
        for closed, group in groupby(self.laid, key=self._closed_name):
            members = list(group)
            if closed:
                yield self._fold(closed, f"{len(members)} changed fields", changed=len(members))
                continue
            for laid in members:
                yield {**_field_row(laid), "anchor": self._anchor(laid.part)}

    def _closed_name(self, laid: Laid) -> str:
        return laid.part if laid.folded and laid.part not in self.opened else ""

    def _fold(self, name: str, label: str, *, changed: int) -> Row:
        return {
            "fold": True,
            "anchor": self._anchor(name),
            "label": label,
            "changed": changed,
            "seen": name in self.seen,
            "href": self.address.opening(name),
        }

    # -- lines -----------------------------------------------------------------------------------

    def _blocks(self) -> Iterator[dict[str, Any]]:
        """Yield tables of lines: of long texts, and outside of Fields of all other fields, too."""
        for record, group in groupby(self.laid, key=_block_of):
            members = list(group)
            if members[0].stretches:
                for laid in members:
                    yield self._block_of_text(laid)
            elif self.address.view != "fields":
                rows = [*self._rows_of_fields(members)]
                yield {"id": "", "title": " ".join(record), "note": "", "rows": rows}

    def _block_of_text(self, laid: Laid) -> dict[str, Any]:
        change = laid.change
        return {
            "id": _anchor(laid),
            "title": path_of(change),
            "note": _notes(change),
            "rows": [*self._rows_of_text(laid.stretches)],
        }

    def _rows_of_fields(self, members: Sequence[Laid]) -> Iterator[Row]:
        for closed, group in groupby(members, key=self._closed_name):
            inner = list(group)
            if closed:
                yield self._fold(closed, f"{len(inner)} changed fields", changed=len(inner))
                continue
            for laid in inner:
                yield from self._lined(diffs.lines_of(laid.change), part=laid.part)

    def _rows_of_text(self, stretches: Iterable[Stretch]) -> Iterator[Row]:
        for closed, group in groupby(self._spread(stretches), key=lambda pair: pair[0]):
            inner = [stretch for _, stretch in group]
            if not closed:
                for stretch in inner:
                    yield from self._lined(stretch.lines, part=stretch.name)
                continue
            changed = sum(stretch.changed for stretch in inner)
            kept = sum(len(stretch.lines) for stretch in inner) - changed
            yield self._fold(closed, _said(changed, kept), changed=changed)

    def _spread(self, stretches: Iterable[Stretch]) -> Iterator[tuple[str, Stretch]]:
        """Yield stretches with the fold they are in, if it is closed.

        Lines that stay, between two stretches of one closed part, are closed with them.
        """
        items = list(stretches)
        for index, stretch in enumerate(items):
            around = [items[at].name for at in (index - 1, index + 1) if 0 <= at < len(items)]
            within = len(around) == 2 and around[0] == around[1]  # noqa: PLR2004 - one on each side
            name = around[0] if within and not stretch.changed else stretch.name
            folded = stretch.folded and name not in self.opened
            yield (name if folded else ""), stretch

    def _lined(self, lines: Sequence[Line], *, part: str) -> Iterator[Row]:
        rows = _pairs(lines) if self.address.view == "side" else (_line(line) for line in lines)
        anchor, changes = self._anchor(part), False
        for row in rows:
            yield {**row, "anchor": anchor, "hunk": row["changed"] and not changes}
            anchor, changes = "", row["changed"]

    def _anchor(self, name: str) -> str:
        """Return the name for the first row that bears it, else ""."""
        if name in self.anchored or not self.anchors:
            return ""
        self.anchored.add(name)
        return name


def path_of(change: FieldChange) -> str:
    return f"{change.kind} {change.record} {change.path}"


def field_rows(changes: Iterable[FieldChange]) -> list[Row]:
    """Return short rows for a table of fields, without folds; for few changes."""
    return [_field_row(Laid(change=change)) for change in changes]


def _opened(laid: Sequence[Laid], parts: Sequence[Part], asked: str) -> frozenset[str]:
    """Return the names of all folds that stand open; as many as one answer can hold for "all"."""
    if not (asked == ALL or asked.endswith(ON)):
        return frozenset(asked.split(","))
    names = [part.name for part in parts]
    start = names.index(asked.removesuffix(ON)) if asked.removesuffix(ON) in names else 0
    room = MOST_SHOWN
    found: set[str] = set()
    for part in parts[start:]:
        if not part.folded:
            continue
        room -= part.size
        if room < 0 and found:
            return frozenset(found)
        found.add(part.name)
    same = [s.name for each in laid for s in each.stretches if not s.changed]
    kept = sum(len(s.lines) for each in laid for s in each.stretches if not s.changed)
    return frozenset({*found, *(same if kept <= room else ())})


def _block_of(laid: Laid) -> tuple[str, ...]:
    change = laid.change
    return ("", path_of(change)) if laid.stretches else (change.kind, change.record)


def _anchor(laid: Laid) -> str:
    return f"text-{laid.stretches[0].name}"


def _field_row(laid: Laid) -> Row:
    change = laid.change
    side = change.after or change.before
    return {
        "path": path_of(change),
        "change": _CHANGE[change.mark],
        "before": change.before.text if change.before else None,
        "after": change.after.text if change.after else None,
        "before_pieces": _pieces(change, "del"),
        "after_pieces": _pieces(change, "add"),
        "kind": side.type if side else "",
        "note": _notes(change),
        "part": laid.part,
        "lines": [_measure(side) for side in (change.before, change.after)],
        "href": f"#{_anchor(laid)}" if laid.stretches else "",
    }


def _measure(side: Shown | None) -> str:
    if side is None:
        return "none"
    lines = side.text.count("\n") + 1
    return f"{len(side.text):,} characters" + (f", {lines:,} lines" if lines > 1 else "")


def _notes(change: FieldChange) -> str:
    hidden = sum(side.hidden for side in _sides(change))
    mixed = sum(side.mixed for side in _sides(change))
    notes = [change.note] if change.note else []
    if hidden:
        notes.append(f"{hidden} hidden")
    if mixed:
        notes.append("look-alike letters")
    return ", ".join(notes)


def _sides(change: FieldChange) -> list[Shown]:
    return [side for side in (change.before, change.after) if side is not None]


def _pieces(change: FieldChange, side: str) -> list[tuple[str, bool]]:
    """Return one side word by word, or nothing where no word stays: then all of it is new."""
    if not any(piece.mark == "same" and piece.text.strip() for piece in change.pieces):
        return []
    return _marked(change.pieces, side)


def _marked(pieces: Iterable[Piece], side: str) -> list[tuple[str, bool]]:
    return [(piece.text, piece.mark == side) for piece in pieces if piece.mark in {"same", side}]


def _line(line: Line) -> Row:
    return {
        "mark": line.mark,
        "sign": _SIGN[line.mark],
        "word": _WORD[line.mark],
        "old": line.old,
        "new": line.new,
        "text": line.text,
        "pieces": _marked(line.pieces, line.mark),
        "changed": line.mark != "same",
    }


def _pairs(lines: Sequence[Line]) -> Iterator[Row]:
    for left, right in diffs.paired(lines):
        yield {
            "left": _line(left) if left else None,
            "right": _line(right) if right else None,
            "changed": left is not right,
        }


def _said(changed: int, kept: int) -> str:
    if not changed:
        return f"{kept:,} unchanged line{'' if kept == 1 else 's'}"
    lines = f"{changed:,} changed line{'' if changed == 1 else 's'}"
    return f"{lines} and {kept:,} around them" if kept else lines
