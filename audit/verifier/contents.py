"""The log inside a bundle: tiles and gaps up to the root, and the entries that are opened."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Any

from audit.verifier.findings import Findings
from audit.verifier.paths import WIDTH, Towers, levels_between, number_path
from audit.verifier.signed import Wrong

TILE_MOST, BUNDLE_MOST, PART_MOST = WIDTH * 32, WIDTH * 65537, 1 << 28  # bytes
FRAME = b"SB\x00\x01"  # then 16 bytes of uid and 8 of receive time; then the envelope
ENVELOPE_AT = 28
READ = json.JSONDecoder().decode
HASH = re.compile("[0-9a-f]{64}")


class Contents:
    """Walks over the tree of one log from its first entry to its last."""

    def __init__(
        self, found: Findings, read: Callable[[str, int], bytes], ranges: list[list[int]]
    ) -> None:
        self.found, self.read = found, read
        self.ranges = ranges[::-1]  # of opened entries, [first, end); the next one last
        self.towers = Towers()
        self.roots: dict[int, bytes] = {}  # by size, as far as a caller asked for them
        self.named_to = 0  # the end of the range before
        self.opened = self.hidden = 0

    def walk(self, parts: list[dict[str, Any]], size: int, tenant: str, wanted: set[int]) -> bytes:
        """Return the root that the parts lead to.

        Args:
            parts: gaps, each with the hashes over it, and runs of tiles, in order.
            tenant: whose log this is, 32 hex characters.
            wanted: sizes at which the root is to be remembered.
        """
        for part in parts:
            begin, end = part["from"], part["to"]
            if begin != self.towers.size or not begin < end <= size:
                raise Wrong(f"its parts do not join at {self.towers.size}")
            if "hashes" in part:
                self._gap(begin, end, part["hashes"], wanted)
            else:
                for first in range(begin, end, WIDTH):
                    self._tile(first, min(WIDTH, end - first), tenant, wanted)
        if self.ranges:
            why = "is named in the manifest and stands in no tile"
            self.found.wrong("entry", why, self.ranges[-1][0])
        if self.towers.size != size:
            raise Wrong(f"its parts end at {self.towers.size} and not at {size}")
        return self.towers.root()

    def _gap(self, begin: int, end: int, texts: list[str], wanted: set[int]) -> None:
        levels = levels_between(begin, end)
        if len(levels) != len(texts) or not all(map(HASH.fullmatch, texts)):
            raise Wrong(f"the gap from {begin} to {end} has other hashes than it needs")
        for level, text in zip(levels, texts, strict=True):
            self.towers.push(level, bytes.fromhex(text))
            self._remember(wanted)

    def _tile(self, first: int, width: int, tenant: str, wanted: set[int]) -> None:
        place = number_path(first // WIDTH) + ("" if width == WIDTH else f".p/{width}")
        raw = self.read(f"tile/0/{place}", TILE_MOST)
        if first % WIDTH or len(raw) != width * 32:
            raise Wrong(f"tile/0/{place} does not hold {width} hashes")
        hashes = [raw[at : at + 32] for at in range(0, len(raw), 32)]
        if any(first < size < first + width for size in wanted):
            for leaf in hashes:
                self.towers.push(0, leaf)
                self._remember(wanted)
        else:
            self.towers.push_leaves(hashes)
            self._remember(wanted)
        asked = self._asked(first, first + width)
        self.hidden += width - len(asked)
        if asked:
            act = partial(self._entries, place, first, hashes, asked, tenant)
            self.found.step(f"tile/entries/{place}", act)

    def _remember(self, wanted: set[int]) -> None:
        if self.towers.size in wanted:
            self.roots[self.towers.size] = self.towers.root()

    def _asked(self, begin: int, end: int) -> set[int]:
        """Return the indexes of this tile that the manifest says are opened."""
        found: set[int] = set()
        while self.ranges and self.ranges[-1][0] < end:
            first, last = self.ranges.pop()
            if not max(begin, self.named_to) <= first < last:
                raise Wrong(f"the manifest does not list entry {first} in its place")
            self.named_to = last
            found.update(range(first, min(last, end)))
            if last > end:
                self.ranges.append([end, last])
                self.named_to = end
        return found

    def _entries(
        self, place: str, first: int, hashes: list[bytes], asked: set[int], tenant: str
    ) -> None:
        """Check one entry bundle: a length of two bytes before each entry, 0 for a withheld one."""
        raw, at = self.read(f"tile/entries/{place}", BUNDLE_MOST), 0
        for index, leaf_hash in enumerate(hashes, start=first):
            length = int.from_bytes(raw[at : at + 2], "big")
            leaf, at = raw[at + 2 : at + 2 + length], at + 2 + length
            if at > len(raw):
                raise Wrong(f"ends within entry {index}")
            if bool(length) != (index in asked):
                why = "is here, unnamed by" if length else "is left out, against"
                self.found.wrong("entry", f"{why} the manifest", index)
            elif length:
                act = partial(self._entry, leaf, leaf_hash, tenant)
                self.found.step("entry", act, index)
        if at != len(raw):
            raise Wrong("goes on after its last entry")

    def _entry(self, leaf: bytes, leaf_hash: bytes, tenant: str) -> None:
        if sha256(b"\x00" + leaf).digest() != leaf_hash:
            raise Wrong("its bytes do not hash to its leaf in the tree")
        body = READ(leaf[ENVELOPE_AT:].decode())
        if leaf[:4] != FRAME or body["uid"].replace("-", "") != leaf[4:20].hex():
            raise Wrong("its frame and its envelope name two events")
        if body["tenant"].replace("-", "") != tenant:
            raise Wrong("it is of another organisation than the log")
        for part in body.get("blobs", ()):
            raw = self.read("blobs/" + part["digest"], PART_MOST)
            if sha256(raw).hexdigest() != part["digest"]:
                raise Wrong("a part that is kept beside it is not what was recorded")
        self.opened += 1
