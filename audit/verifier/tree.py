"""RFC 6962 for verifiers, written apart from `audit.merkle` so that both would have to be wrong.

It works as a counter does: a finished pair of equally high towers is replaced by one tower above
it.
"""

import hashlib
from collections.abc import Iterable

WIDTH = 256  # hashes of one tile, C2SP tlog-tiles


def rebuilt_leaf(uid: bytes, received_us: int, envelope: bytes) -> bytes:
    """Return the leaf hash of stored columns: the frame is `SB`, 0, 1, uid, time, envelope."""
    digest = hashlib.sha256()
    digest.update(b"\x00SB\x00\x01")
    digest.update(uid)
    digest.update(received_us.to_bytes(8, "big", signed=True))
    digest.update(envelope)
    return digest.digest()


def hashed_leaf(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


class Towers:
    """The perfect subtrees of a log, highest first, as (height, hash)."""

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        heights = [height for height in range(size.bit_length() - 1, -1, -1) if size >> height & 1]
        self.stack = list(zip(heights, hashes, strict=True))

    def push(self, leaf_hash: bytes) -> None:
        self.stack.append((0, leaf_hash))
        while len(self.stack) > 1 and self.stack[-1][0] == self.stack[-2][0]:
            (height, right), (_, left) = self.stack.pop(), self.stack.pop()
            self.stack.append((height + 1, hashlib.sha256(b"\x01" + left + right).digest()))
        self.size += 1

    def head(self) -> bytes:
        """Return the root; of an empty log it is the hash of nothing."""
        right = b""
        for _, left in reversed(self.stack):
            right = hashlib.sha256(b"\x01" + left + right).digest() if right else left
        return right or hashlib.sha256(b"").digest()

    def hashes(self) -> list[bytes]:
        return [found for _, found in self.stack]


class TileCounter:
    """Gathers leaf hashes and hands out each tile as it fills: (level, number, 8,192 bytes)."""

    def __init__(self) -> None:
        self.rows: list[list[bytes]] = [[]]
        self.counts: list[int] = [0]

    def push(self, leaf_hash: bytes) -> list[tuple[int, int, bytes]]:
        full: list[tuple[int, int, bytes]] = []
        carried, level = leaf_hash, 0
        while True:
            row = self.rows[level]
            row.append(carried)
            if len(row) < WIDTH:
                return full
            full.append((level, self.counts[level], b"".join(row)))
            carried = folded(row)
            self.rows[level] = []
            self.counts[level] += 1
            level += 1
            if level == len(self.rows):
                self.rows.append([])
                self.counts.append(0)


def folded(row: list[bytes]) -> bytes:
    """Return the root of a full row, whose length is a power of two."""
    while len(row) > 1:
        pairs = zip(row[::2], row[1::2], strict=True)
        row = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in pairs]
    return row[0]
