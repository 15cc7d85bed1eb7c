"""The proof of one entry: looked up in stored tiles, and verified from stored bytes at once."""

from typing import Final

from audit import merkle, notes
from audit.cards import CheckCard, ProofCard
from audit.envelope import moment_of
from audit.models import AuditCheckpoint, AuditEntry, AuditEvent, AuditHead, AuditLog, AuditTile
from audit.queries.places import event_of
from audit.verifier import tree
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from console.kernel.transactions import query

SELF_ATTESTED: Final = (
    "No witness has seen this checkpoint: it is self-attested. It proves that the trail agrees "
    "with what this deployment signed, and not that the deployment signed only one history."
)


@query
def proof(*, actor: Actor, index: int) -> ProofCard:
    """Return the inclusion proof of an entry.

    Raises:
        NotFound: this tenant's log has no such entry.
    """
    log = AuditLog.objects.filter(tenant_id=actor.tenant_id).first()
    row = AuditEntry.objects.filter(log_id=log.id, index=index).first() if log else None
    event = event_of(row) if row else None
    if log is None or row is None or event is None:
        raise NotFound(f"There is no entry {index} in this trail; go back to the list.")
    return proof_of(log, row, event)


def proof_of(log: AuditLog, row: AuditEntry, event: AuditEvent) -> ProofCard:
    """Prove an entry in the newest signed tree that holds it, or in the newest head until then."""
    checkpoint = (
        AuditCheckpoint.objects.filter(log_id=log.id, size__gt=row.index).order_by("-size").first()
    )
    head = AuditHead.objects.filter(log_id=log.id).order_by("-size").first()
    if head is None:
        raise NotFound("This trail has no sealed head yet; try again in a second.")
    size = checkpoint.size if checkpoint else head.size
    root = bytes(checkpoint.root if checkpoint else head.root)
    leaf = tree.rebuilt_leaf(event.event_uid.bytes, event.received_us, bytes(event.envelope))
    path = merkle.inclusion_proof(row.index, size, StoredNodes(log).node_at)
    fits = merkle.verify_inclusion(index=row.index, size=size, leaf=leaf, path=path, root_hash=root)
    key = notes.VerifierKey.parse(checkpoint.vkey) if checkpoint else None
    return ProofCard(
        origin=log.origin,
        index=row.index,
        leaf_hash=leaf.hex(),
        path=tuple(step.hex() for step in path),
        size=size,
        root=root.hex(),
        note=checkpoint.note if checkpoint else "",
        key=str(key) if key else "",
        key_id=key.key_id.hex() if key else "",
        signed_at=moment_of(checkpoint.signed_us) if checkpoint else None,
        checks=(
            _leaf_check(leaf, row),
            _path_check(fits=fits, row=row, steps=len(path), size=size),
            _note_check(log, checkpoint, key),
        ),
    )


def _leaf_check(leaf: bytes, row: AuditEntry) -> CheckCard:
    if leaf == bytes(row.leaf_hash):
        return CheckCard(passed=True, sentence="The stored bytes hash to the leaf of this entry.")
    return CheckCard(
        passed=False,
        sentence=f"Mismatch at #{row.index}: the stored bytes do not hash to the sealed leaf.",
    )


def _path_check(*, fits: bool, row: AuditEntry, steps: int, size: int) -> CheckCard:
    if fits:
        sentence = f"A path of {steps} hashes leads from the leaf to the root over {size} entries."
        return CheckCard(passed=True, sentence=sentence)
    return CheckCard(
        passed=False,
        sentence=f"Mismatch at #{row.index}: the path leads to another root than that of {size}.",
    )


def _note_check(
    log: AuditLog, stored: AuditCheckpoint | None, key: notes.VerifierKey | None
) -> CheckCard:
    if stored is None or key is None:
        return CheckCard(
            passed=None, sentence="Sealed, and not signed yet: the signer comes round every second."
        )
    try:
        body, _key = notes.opened(stored.note, keys=[key])
        signed = notes.Checkpoint.parse(body)
    except notes.BadNote as problem:
        return CheckCard(passed=False, sentence=f"The checkpoint does not hold: {problem}")
    if (signed.origin, signed.size, signed.root) != (log.origin, stored.size, bytes(stored.root)):
        return CheckCard(passed=False, sentence="The checkpoint was signed over another tree.")
    sentence = f"Key {key.key_id.hex()} signed this root over {stored.size} entries."
    return CheckCard(passed=True, sentence=sentence)


class StoredNodes:
    """Looks perfect subtrees up in full tiles, and in entries where no tile is full yet."""

    def __init__(self, log: AuditLog) -> None:
        self.log_id = log.id
        self._tiles: dict[tuple[int, int], list[bytes]] = {}

    def node_at(self, level: int, number: int) -> bytes:
        tile_level, tile, first, count = merkle.node_in_tile(level, number)
        return merkle.root(self._hashes(tile_level, tile, first, count))

    def _hashes(self, level: int, number: int, first: int, count: int) -> list[bytes]:
        place = (level, number)
        if place not in self._tiles:
            self._tiles[place] = self._full(level, number) or self._partial(level, number)
        return self._tiles[place][first : first + count]

    def _full(self, level: int, number: int) -> list[bytes]:
        found = self._full_tiles(level, number, number + 1)
        return merkle.split(found[0]) if found else []

    def _partial(self, level: int, number: int) -> list[bytes]:
        """Compute the last tile of a level, which is never stored."""
        first = number * merkle.TILE_WIDTH
        end = first + merkle.TILE_WIDTH
        if level == 0:
            return self._leaf_hashes(first, end)
        return [merkle.root(merkle.split(tile)) for tile in self._full_tiles(level - 1, first, end)]

    def _full_tiles(self, level: int, first: int, end: int) -> list[bytes]:
        tiles = AuditTile.objects.filter(
            log_id=self.log_id, level=level, number__gte=first, number__lt=end
        )
        hashes = tiles.order_by("number").values_list("hashes", flat=True)
        return [bytes(row) for row in hashes]

    def _leaf_hashes(self, first: int, end: int) -> list[bytes]:
        rows = AuditEntry.objects.filter(log_id=self.log_id, index__gte=first, index__lt=end)
        return [bytes(row) for row in rows.order_by("index").values_list("leaf_hash", flat=True)]
