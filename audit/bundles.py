"""Taking evidence out of the trail: which entries, at which size, and that somebody did it."""

from collections.abc import Iterator
from dataclasses import dataclass

from audit import evidence
from audit.commands import record, record_once
from audit.errors import BadRange
from audit.events import AuditViewed, EvidenceExported
from audit.queries import evidence as queries
from audit.queries import tiles
from console.kernel.actors import Actor
from console.kernel.transactions import command


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody wants to prove: one entry, a range of them, or all that name one thing."""

    entry: int | None = None
    first: int | None = None
    end: int | None = None  # exclusive; None for all there is
    about: str = ""  # a type and an id with a colon between
    size: int | None = None  # of the tree, as in an earlier bundle

    def refusal(self) -> str:
        """Return why this cannot be answered, or "" when it can."""
        wanted = [self.entry is not None, self.first is not None, bool(self.about)]
        if sum(wanted) != 1 or (self.end is not None and self.first is None):
            return "Ask for one entry, for a range from first to end, or for all about one thing."
        if self.first is not None and self.end is not None and self.end <= self.first:
            return "The range is empty: its end lies after its last entry."
        if self.about and not all(self.about.partition(":")):
            return "Name a thing by its type and id, proposal:0192... for instance."
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle that is to be made while it is sent; every step of it reads by itself."""

    actor: Actor
    head: evidence.SignedHead
    what: str
    opened: evidence.Ranges

    @property
    def filename(self) -> str:
        """Return a name that says what is in it, the same for the same bytes."""
        first, last = self.opened[0][0], self.opened[-1][1] - 1
        place = f"{first}" if first == last else f"{first}-{last}"
        return f"evidence-{place}-of-{self.head.size}.zip"

    def parts(self) -> Iterator[bytes]:
        shelf = evidence.Shelf(
            node_at=lambda level, number: queries.node(
                actor=self.actor, level=level, number=number
            ),
            leaf_hashes=lambda begin, end: queries.leaf_hashes(
                actor=self.actor, begin=begin, end=end
            ),
            entries=lambda indexes: queries.opened(actor=self.actor, indexes=indexes),
        )
        return evidence.pack(self.head, what=self.what, opened=self.opened, shelf=shelf)


@command
def export_bundle(*, actor: Actor, asked: Asked) -> Bundle:
    """Return evidence to send; that it left is recorded first, or nothing is sent.

    Raises:
        BadRange: this asks for nothing, or for too much at once.
        NotFound: there is no such entry, or nothing about this thing.
        NotSignedYet: it is too fresh to be proved elsewhere.
    """
    if refusal := asked.refusal():
        raise BadRange(refusal)
    size, opened, what = _chosen(actor, asked)
    bundle = Bundle(
        actor=actor, head=queries.signed_head(actor=actor, size=size), what=what, opened=opened
    )
    event = EvidenceExported(
        log=bundle.head.origin,
        about=what,
        tree_size=size,
        opened=sum(end - first for first, end in opened),
        first_index=opened[0][0],
        last_index=opened[-1][1] - 1,
        repeats=0,
    )
    record(event, actor=actor)
    return bundle


def _chosen(actor: Actor, asked: Asked) -> tuple[int, evidence.Ranges, str]:
    if asked.about:
        return _about(actor, asked)
    if asked.entry is not None:
        queries.require_entry(actor=actor, index=asked.entry)
        first, end = asked.entry, asked.entry + 1
    else:
        first, end = asked.first or 0, asked.end or 0
        queries.require_entry(actor=actor, index=max(first, end - 1))
    size = queries.signed_size(actor=actor, size=asked.size, at_least=max(end, first + 1))
    end = end or size
    what = f"entry {first}" if end == first + 1 else f"entries {first} to {end - 1}"
    return size, [(first, end)], what


def _about(actor: Actor, asked: Asked) -> tuple[int, evidence.Ranges, str]:
    """Choose a size up to which everything can be found, or a later answer would have more."""
    target_type, _, target_id = asked.about.partition(":")
    indexes, searched = queries.indexes_about(
        actor=actor, target_type=target_type, target_id=target_id
    )
    if len(indexes) == queries.MOST_ABOUT:
        raise BadRange(f"More than {queries.MOST_ABOUT} entries name it; ask for a range.")
    size = queries.signed_size(
        actor=actor, size=asked.size, at_least=indexes[0] + 1, at_most=searched
    )
    below = [index for index in indexes if index < size]
    return size, evidence.ranges_of(below), f"all entries that name the {asked.about}"


@command
def read_entries(*, actor: Actor, path: str) -> bytes:
    """Return one entry bundle of the log; that it was taken is recorded, once a minute.

    Raises:
        NotFound: the log has no such bundle.
    """
    place = tiles.Place.parse(path)
    raw = tiles.bundle(actor=actor, place=place)
    event = EvidenceExported(
        log=queries.log_of(actor=actor).origin,
        about=f"entry bundle {path}",
        tree_size=place.end,
        opened=place.width,
        first_index=place.first,
        last_index=place.end - 1,
        repeats=0,
    )
    record_once(event, actor=actor, what=f"entry bundle {path}")
    return raw


@command
def open_receipt(*, actor: Actor, index: int) -> str:
    """Return the receipt of an entry, which holds its content: that it was opened is recorded.

    Raises:
        NotFound: there is no such entry.
        NotSignedYet: it is too fresh.
    """
    text = tiles.receipt(actor=actor, index=index)
    event = AuditViewed(entry_index=index, repeats=0)
    record_once(event, actor=actor, what=f"viewed {index}")
    return text
