"""The evidence bundle: a zip that proves some entries of a log to people without access. Pure.

Every tile that holds an opened entry is in it with the leaf hash of *each* of its 256 indexes, so
what is withheld shows; what lies between the tiles is covered by a few hashes. Members are stored
and not compressed, with one date: the same entries at the same tree size give the same bytes, with
whatever version of a compressor. Nothing is held but one member at a time.
"""

import io
import zipfile
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from typing_extensions import override

from audit import merkle
from audit.verifier import onefile
from audit.verifier.check import FORMAT
from console.kernel import canonical

DATE: Final = (1980, 1, 1, 0, 0, 0)  # the first that a zip knows
README: Final = """\
EVIDENCE FROM A SIGNALBOX AUDIT TRAIL

What this is. Entries of the log {origin}, as they were recorded, and what proves that they stand in
it: {what}. The log had {size} entries.

How to check it, without asking whoever sent it:
  in a browser   open verify.html from disk and choose this zip; it needs no network
  with Python    python3 verify.py NAME-OF-THIS.zip   (3.10 or newer; nothing to install)
Both files came in this zip. For a check that does not rely on its sender at all, take them from a
copy of Signalbox that you trust, and get the keys from somebody else: --key name+id+key. The keys
in the file "keys" prove only that the bundle agrees with itself.

What it proves: these entries were recorded, in this order, before the checkpoint was signed, and
nothing in them was changed since. It does not prove that what they say is right. Without a witness
it does not prove that the log showed everybody the same history: that is called self-attested.

What is in it:
  checkpoint           size and root of the log, signed
  tile/entries/...     the entries; one that is left out has the length 0
  tile/0/...           the leaf hash of every entry there, opened or not
  meta/...             that the log stands in the log of all logs, signed as well
  blobs/...            parts that were too large for an entry, by their SHA-256
  manifest.json        which entries are opened, and the SHA-256 of every file
The formats are those of C2SP (tlog-tiles, tlog-checkpoint, tlog-proof) and RFC 6962.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedHead:
    """A signed tree head of a log with all that vouches for it."""

    origin: str
    size: int
    note: str  # the signed checkpoint
    keys: tuple[str, ...]  # verifier keys of those who signed
    meta_leaf: bytes
    meta_proof: str  # C2SP tlog-proof of that leaf, with the signed checkpoint of the meta log
    consistency: tuple[bytes, ...]  # from this size to the one in the leaf


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """One entry that is shown: the bytes of its leaf, and parts that were kept beside it."""

    leaf: bytes
    parts: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Where a bundle takes hashes and entries from."""

    node_at: merkle.NodeAt
    leaf_hashes: Callable[[int, int], bytes]  # of [begin, end), 32 bytes each
    entries: Callable[[Sequence[int]], Mapping[int, Opened]]  # by index, within one tile


Ranges = Sequence[tuple[int, int]]


def ranges_of(indexes: Iterable[int]) -> list[tuple[int, int]]:
    """Return [first, end) of each unbroken run of ascending indexes."""
    found: list[tuple[int, int]] = []
    _lengthen(found, indexes)
    return found


def _lengthen(ranges: list[tuple[int, int]], indexes: Iterable[int]) -> None:
    for index in indexes:
        if ranges and ranges[-1][1] == index:
            ranges[-1] = (ranges[-1][0], index + 1)
        else:
            ranges.append((index, index + 1))


def pack(head: SignedHead, *, what: str, opened: Ranges, shelf: Shelf) -> Iterator[bytes]:
    """Yield the zip, member by member; `opened` are ascending ranges below the head's size."""
    out = _Zip()
    readme = README.format(origin=head.origin, what=what, size=head.size)
    yield out.add("README.txt", readme.encode())
    yield out.add("verify.py", onefile.verify_py().encode())
    yield out.add("verify.html", onefile.verify_html().encode())
    yield out.add("checkpoint", head.note.encode())
    yield out.add("keys", "".join(f"{key}\n" for key in head.keys).encode())
    yield out.add("meta/leaf", head.meta_leaf)
    yield out.add("meta/proof.tlog-proof", head.meta_proof.encode())
    lines = (f"{merkle.line_of(one)}\n" for one in head.consistency)
    yield out.add("meta/consistency", "".join(lines).encode())
    shown: list[tuple[int, int]] = []
    lacking: list[tuple[int, int]] = []
    for begin, end in tile_runs(opened, head.size):
        for first in range(begin, end, merkle.TILE_WIDTH):
            last = min(first + merkle.TILE_WIDTH, end)
            asked = _within(opened, first, last)
            found = shelf.entries(asked)
            _lengthen(shown, [index for index in asked if index in found])
            _lengthen(lacking, [index for index in asked if index not in found])
            yield from _tile(out, first, last, found, shelf)
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "origin": head.origin,
        "size": head.size,
        "entries": [list(one) for one in shown],
        "withheld": [list(one) for one in lacking],
        "tree": list(_tree(opened, head.size, shelf.node_at)),
        "files": out.digests,
    }
    yield out.add("manifest.json", canonical.dumps(manifest))
    yield out.close()


def _tile(
    out: "_Zip", first: int, last: int, found: Mapping[int, Opened], shelf: Shelf
) -> Iterator[bytes]:
    number, width = first // merkle.TILE_WIDTH, last - first
    yield out.add(merkle.tile_path(0, number, width), shelf.leaf_hashes(first, last))
    leaves = [found[index].leaf if index in found else b"" for index in range(first, last)]
    yield out.add(merkle.entries_path(number, width), entry_bundle(leaves))
    for entry in found.values():
        for part in entry.parts:
            name = f"blobs/{sha256(part).hexdigest()}"
            if name not in out.digests:
                yield out.add(name, part)


def entry_bundle(leaves: Iterable[bytes]) -> bytes:
    """Return leaves as an entry bundle of C2SP tlog-tiles; b"" stands for one that is withheld."""
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)


def tile_runs(opened: Ranges, size: int) -> list[tuple[int, int]]:
    """Return [begin, end) of the runs of tiles that hold opened entries."""
    width = merkle.TILE_WIDTH
    runs: list[tuple[int, int]] = []
    for first, last in opened:
        begin, end = first // width * width, min(-(-last // width) * width, size)
        if runs and begin <= runs[-1][1]:
            runs[-1] = (runs[-1][0], max(end, runs[-1][1]))
        else:
            runs.append((begin, end))
    return runs


def _tree(opened: Ranges, size: int, node_at: merkle.NodeAt) -> Iterator[dict[str, Any]]:
    """Yield what covers the log from its first entry to its last: gaps by hashes, and tiles."""
    at = 0
    for begin, end in [*tile_runs(opened, size), (size, size)]:
        if at < begin:
            hashes = [node_at(*node).hex() for node in merkle.range_nodes(at, begin)]
            yield {"from": at, "to": begin, "hashes": hashes}
        if begin < end:
            yield {"from": begin, "to": end}
        at = end


def _within(opened: Ranges, begin: int, end: int) -> list[int]:
    """Return the opened indexes of [begin, end); there may be many ranges, so none is passed by."""
    found: list[int] = []
    at = max(bisect_right(opened, begin, key=lambda one: one[0]) - 1, 0)
    while at < len(opened) and opened[at][0] < end:
        found.extend(range(max(opened[at][0], begin), min(opened[at][1], end)))
        at += 1
    return found


class _Drain(io.RawIOBase):
    """Takes what `zipfile` writes; it may go back within the member that was not taken yet.

    So sizes stand before the data, and readers that cannot seek can read it as well.
    """

    def __init__(self) -> None:
        self.taken, self.buffer = 0, io.BytesIO()

    @override
    def seekable(self) -> bool:
        return True

    @override
    def tell(self) -> int:
        return self.taken + self.buffer.tell()

    @override
    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self.taken + self.buffer.seek(offset - self.taken, whence)

    @override
    def write(self, data: Any) -> int:
        return self.buffer.write(data)

    def take(self) -> bytes:
        data = self.buffer.getvalue()
        self.taken, self.buffer = self.taken + len(data), io.BytesIO()
        return data


@dataclass(slots=True)
class _Zip:
    digests: dict[str, str] = field(default_factory=dict)
    drain: _Drain = field(default_factory=_Drain)
    zip: zipfile.ZipFile = field(init=False)

    def __post_init__(self) -> None:
        self.zip = zipfile.ZipFile(self.drain, "w")

    def add(self, name: str, data: bytes) -> bytes:
        info = zipfile.ZipInfo(name, DATE)
        info.create_system, info.external_attr = 3, 0o644 << 16
        self.zip.writestr(info, data)
        self.digests[name] = sha256(data).hexdigest()
        return self.drain.take()

    def close(self) -> bytes:
        self.zip.close()
        return self.drain.take()
