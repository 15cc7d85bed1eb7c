"""A tenant's log as C2SP tlog-tiles and tlog-proof have it, for tools that are not ours."""

import re
from dataclasses import dataclass
from typing import Final

from audit import merkle
from audit.cards import ConsistencyCard
from audit.errors import BadRange, NotSignedYet
from audit.evidence import entry_bundle
from audit.models import AuditCheckpoint, AuditHead
from audit.queries import evidence
from audit.queries.proofs import StoredNodes
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from console.kernel.transactions import query

MOST_LEVELS: Final = 64
_PLACE: Final = re.compile(r"((?:x\d{3}/)*\d{3})(?:\.p/([1-9]\d{0,2}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which tile, and how many of its hashes."""

    number: int
    width: int

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Read `x001/x234/067` with or without `.p/<width>`.

        Raises:
            NotFound: C2SP writes no tile this way.
        """
        found = _PLACE.fullmatch(text)
        number = int(found[1].replace("/", "").replace("x", "")) if found else 0
        width = int(found[2] or merkle.TILE_WIDTH) if found else 0
        whole = found is not None and merkle.number_path(number) == found[1]
        if not whole or width > merkle.TILE_WIDTH or (found and found[2] == str(merkle.TILE_WIDTH)):
            raise NotFound("There is no such tile; tiles are numbered x001/x234/067.")
        return cls(number=number, width=width)

    @property
    def first(self) -> int:
        return self.number * merkle.TILE_WIDTH

    @property
    def end(self) -> int:
        return self.first + self.width


@query
def checkpoint(*, actor: Actor) -> str:
    """Return the newest signed checkpoint of the tenant's log, as it stands.

    Raises:
        NotSignedYet: nothing is signed yet.
    """
    log = evidence.log_of(actor=actor)
    found = AuditCheckpoint.objects.filter(log_id=log.id).order_by("-size").first()
    if found is None:
        raise NotSignedYet("No checkpoint of this log is signed yet; try again in two seconds.")
    return found.note


@query
def tile(*, actor: Actor, path: str) -> bytes:
    """Return the hashes of a tile named `<level>/<number>`, whole or up to a width.

    Raises:
        NotFound: the log has no such tile, or not so much of it.
    """
    level, _, rest = path.partition("/")
    if not re.fullmatch(r"0|[1-9]\d?", level) or int(level) >= MOST_LEVELS:
        raise NotFound("There is no such level; levels are 0 to 63.")
    place = Place.parse(rest)
    _require(actor, place, int(level))
    nodes = StoredNodes(evidence.log_of(actor=actor))
    above = int(level) * merkle.TILE_HEIGHT
    return b"".join(nodes.node_at(above, number) for number in range(place.first, place.end))


@query
def bundle(*, actor: Actor, place: Place) -> bytes:
    """Return an entry bundle; an entry that is gone has the length 0.

    Raises:
        NotFound: the log has not so many entries.
    """
    _require(actor, place, 0)
    indexes = range(place.first, place.end)
    found = evidence.opened(actor=actor, indexes=indexes)
    return entry_bundle(found[index].leaf if index in found else b"" for index in indexes)


def _require(actor: Actor, place: Place, level: int) -> None:
    size = _sealed(actor) >> level * merkle.TILE_HEIGHT
    if place.end > size:
        raise NotFound(f"Level {level} of this log has {size} hashes; ask for less.")


def _sealed(actor: Actor) -> int:
    log = evidence.log_of(actor=actor)
    head = AuditHead.objects.filter(log_id=log.id).order_by("-size").values_list("size").first()
    return int(head[0]) if head else 0


@query
def consistency(*, actor: Actor, old: int, new: int) -> ConsistencyCard:
    """Return the proof that the log of `new` entries begins with that of `old`.

    Raises:
        BadRange: there is no such proof.
        NotFound: the log has not so many entries.
    """
    if not 0 < old <= new:
        raise BadRange("A proof leads from a size of 1 or more to one that is not smaller.")
    if new > (size := _sealed(actor)):
        raise NotFound(f"This log has {size} entries; ask for a size up to that.")
    nodes = StoredNodes(evidence.log_of(actor=actor))
    roots = [merkle.subtree_root(0, one, nodes.node_at) for one in (old, new)]
    path = merkle.consistency_proof(old, new, nodes.node_at)
    return ConsistencyCard(
        old_size=old,
        old_root=roots[0].hex(),
        new_size=new,
        new_root=roots[1].hex(),
        path=tuple(step.hex() for step in path),
    )


@query
def receipt(*, actor: Actor, index: int) -> str:
    """Return a tlog-proof of an entry; its leaf is the proof's extra data.

    Raises:
        NotFound: there is no such entry.
        NotSignedYet: it is too fresh.
    """
    evidence.require_entry(actor=actor, index=index)
    size = evidence.signed_size(actor=actor, at_least=index + 1)
    head = evidence.signed_head(actor=actor, size=size)
    found = evidence.opened(actor=actor, indexes=[index])
    path = merkle.inclusion_proof(index, size, StoredNodes(evidence.log_of(actor=actor)).node_at)
    extra = found[index].leaf if index in found else b""
    return merkle.proof_text(index, path, head.note, extra=extra)


@query
def meta_receipt(*, actor: Actor, index: int) -> str:
    """Return a tlog-proof that the log which holds an entry stands in the meta log.

    Its extra data is the meta leaf, which names the log, its size and root. Raises as `receipt`.
    """
    evidence.require_entry(actor=actor, index=index)
    size = evidence.signed_size(actor=actor, at_least=index + 1)
    head = evidence.signed_head(actor=actor, size=size)
    first, _, rest = head.meta_proof.partition("\n")
    return f"{first}\nextra {merkle.line_of(head.meta_leaf)}\n{rest}"
