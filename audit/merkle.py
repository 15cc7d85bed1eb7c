"""Tree arithmetic of RFC 6962: roots, right edges, proofs and tiles. Pure, and used by the sealer.

The verifiers and the signer do not import this file: they have arithmetic of their own, so that a
mistake here is found and not repeated.
"""

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Self

HASH_LENGTH: Final = 32
TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT

# Where the root of the perfect subtree number `n` of height `level` is looked up.
NodeAt = Callable[[int, int], bytes]


def leaf_hash(leaf: bytes) -> bytes:
    """Return the 32-byte hash of one leaf, whose bytes are taken exactly as stored.

    The prefix 0x00 (leaf) or 0x01 (node) keeps a leaf from ever passing for a node.
    Source: RFC 6962, section 2.1.
    """
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the 32-byte hash of an inner node; order matters."""
    return sha256(b"\x01" + left + right).digest()


def empty_root() -> bytes:
    return sha256().digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the tree head over `leaves`: n leaf hashes of 32 bytes, oldest first, n >= 0."""
    edge = Edge()
    for leaf in leaves:
        edge.append(leaf)
    return edge.root()


@dataclass(slots=True)
class Edge:
    """The right edge of a growing tree: the roots of its perfect subtrees, largest first.

    A tree of n leaves has one such root per set bit of n; they are all that appending needs.
    """

    size: int
    hashes: list[bytes]

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.hashes = list(hashes)
        if len(self.hashes) != size.bit_count():
            raise ValueError(f"A tree of {size} leaves has {size.bit_count()} perfect subtrees.")

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add one leaf hash; return (level, number, hash) of each perfect subtree it completed."""
        done = [(0, self.size, leaf)]
        carry, level, rest = leaf, 0, self.size
        while rest & 1:
            carry = node_hash(self.hashes.pop(), carry)
            level += 1
            rest >>= 1
            done.append((level, rest, carry))
        self.hashes.append(carry)
        self.size += 1
        return done

    def root(self) -> bytes:
        if not self.hashes:
            return empty_root()
        folded = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            folded = node_hash(left, folded)
        return folded

    def pack(self) -> bytes:
        return b"".join(self.hashes)

    @classmethod
    def unpack(cls, size: int, packed: bytes) -> Self:
        return cls(size, split(packed))


def split(packed: bytes) -> list[bytes]:
    """Return the 32-byte hashes that stand one after the other in `packed`."""
    return [packed[i : i + HASH_LENGTH] for i in range(0, len(packed), HASH_LENGTH)]


def range_nodes(begin: int, end: int) -> list[tuple[int, int]]:
    """Return (level, number) of the fewest perfect subtrees that cover [begin, end)."""
    nodes: list[tuple[int, int]] = []
    while begin < end:
        # The largest subtree that may start here and does not reach beyond the end.
        fits = (end - begin).bit_length() - 1
        level = min(fits, (begin & -begin).bit_length() - 1) if begin else fits
        nodes.append((level, begin >> level))
        begin += 1 << level
    return nodes


def subtree_root(begin: int, end: int, node_at: NodeAt) -> bytes:
    """Return the root over leaves [begin, end), where `begin` is where a subtree may start."""
    hashes = [node_at(level, number) for level, number in range_nodes(begin, end)]
    return Edge(end - begin, hashes).root()


def inclusion_proof(index: int, size: int, node_at: NodeAt) -> list[bytes]:
    """Return the audit path of leaf `index` in the tree of `size` leaves, leaf side first.

    Source: RFC 6962, section 2.1.1.
    """
    if not 0 <= index < size:
        raise ValueError(f"Leaf {index} is not in a tree of {size} leaves.")
    path: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _left_size(end - begin)
        if index < middle:
            path.append(subtree_root(middle, end, node_at))
            end = middle
        else:
            path.append(subtree_root(begin, middle, node_at))
            begin = middle
    return path[::-1]


def consistency_proof(old: int, new: int, node_at: NodeAt) -> list[bytes]:
    """Return the proof that the tree of `new` leaves starts with the tree of `old` leaves.

    Source: RFC 6962, section 2.1.2.
    """
    if not 0 < old <= new:
        raise ValueError(f"No proof leads from size {old} to size {new}.")
    path: list[bytes] = []
    begin, end, whole = 0, new, True
    while end != old:
        middle = begin + _left_size(end - begin)
        if old <= middle:
            path.append(subtree_root(middle, end, node_at))
            end = middle
        else:
            path.append(subtree_root(begin, middle, node_at))
            begin, whole = middle, False
    if not whole:
        path.append(subtree_root(begin, end, node_at))
    return path[::-1]


def _left_size(count: int) -> int:
    """Return the largest power of two below `count`: once full, it never changes again."""
    return 1 << ((count - 1).bit_length() - 1)


def verify_inclusion(
    *, index: int, size: int, leaf: bytes, path: Sequence[bytes], root_hash: bytes
) -> bool:
    """Tell whether `path` leads from the leaf hash at `index` to the root of `size` leaves.

    Source: RFC 9162, section 2.1.3.2.
    """
    if not 0 <= index < size or any(len(part) != HASH_LENGTH for part in (leaf, *path)):
        return False
    position, last, folded = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if position & 1 or position == last:
            folded = node_hash(sibling, folded)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            folded = node_hash(folded, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and folded == root_hash


def verify_consistency(
    *, old: int, new: int, path: Sequence[bytes], old_root: bytes, new_root: bytes
) -> bool:
    """Tell whether the tree of `new` leaves extends the tree of `old` leaves.

    From size 0 no proof is accepted: first contact is another question.
    Source: RFC 9162, section 2.1.4.2.
    """
    if not 0 < old <= new:
        return False
    if old == new:
        return not path and old_root == new_root
    if any(len(part) != HASH_LENGTH for part in (old_root, new_root, *path)):
        return False
    steps = list(path)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    return _folds_to_both(steps, old - 1, new - 1, old_root, new_root)


def _folds_to_both(
    steps: Sequence[bytes], position: int, last: int, old_root: bytes, new_root: bytes
) -> bool:
    while position & 1:
        position, last = position >> 1, last >> 1
    old_fold = new_fold = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old_fold = node_hash(sibling, old_fold)
            new_fold = node_hash(sibling, new_fold)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new_fold = node_hash(new_fold, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and old_fold == old_root and new_fold == new_root


@dataclass(frozen=True, slots=True)
class TileShape:
    """How many hashes of one tile level are in full tiles, and how many in the partial one."""

    full: int
    partial_width: int


def tile_shapes(size: int) -> list[TileShape]:
    """Return the shape of every tile level of a tree, level 0 first.

    Source: C2SP tlog-tiles, Merkle tree.
    """
    shapes: list[TileShape] = []
    while size:
        shapes.append(TileShape(full=size >> TILE_HEIGHT, partial_width=size & (TILE_WIDTH - 1)))
        size >>= TILE_HEIGHT
    return shapes


def tile_path(level: int, number: int, width: int = TILE_WIDTH) -> str:
    """Return the tile's path of C2SP tlog-tiles; a width below 256 names a partial tile."""
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{level}/{number_path(number)}{partial}"


def entries_path(number: int, width: int = TILE_WIDTH) -> str:
    """Return the path of an entry bundle of C2SP tlog-tiles."""
    return tile_path(0, number, width).replace("tile/0/", "tile/entries/", 1)


def line_of(node: bytes) -> str:
    """Return a hash as a line of a proof: base64."""
    return base64.b64encode(node).decode()


def proof_text(index: int, path: Sequence[bytes], note: str, extra: bytes = b"") -> str:
    """Return an offline-verifiable proof in the format of C2SP tlog-proof.

    Args:
        note: the signed checkpoint that the path leads to, as it stands.
        extra: what is needed to hash the leaf; the proof itself does not vouch for it.
    """
    more = [f"extra {line_of(extra)}"] if extra else []
    lines = ["c2sp.org/tlog-proof@v1", *more, f"index {index}", *(line_of(step) for step in path)]
    return "\n".join([*lines, "", note])


def number_path(number: int) -> str:
    """Return a tile's number in three-digit elements, all but the last with an x: x001/x234/067."""
    elements = [f"{number % 1000:03}"]
    while number := number // 1000:
        elements.append(f"x{number % 1000:03}")
    return "/".join(reversed(elements))


def node_in_tile(level: int, number: int) -> tuple[int, int, int, int]:
    """Return (tile level, tile number, first, count) of the hashes that make up a subtree."""
    tile_level, rest = divmod(level, TILE_HEIGHT)
    first = number << rest
    return tile_level, first >> TILE_HEIGHT, first & (TILE_WIDTH - 1), 1 << rest
