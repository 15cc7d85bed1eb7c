"""What a forger makes of an honest bundle, and what the verifiers have to say to each."""

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any
from uuid import uuid4

from audit import merkle
from tests.audit.bundles import (
    BIG,
    META,
    ORIGIN,
    OTHER_KEY,
    Files,
    MadeLog,
    checkpoint,
    made_leaf,
    resealed,
    zipped,
)

OPENED = ((5, 6), (300, 301), (590, 600))
ENTRIES, TILE = "tile/entries/001", "tile/0/001"


def manifest(files: Files, **values: Any) -> Files:
    return {**files, "manifest.json": json.dumps(
        {**json.loads(files["manifest.json"]), **values}).encode()}  # fmt: skip


def put(files: Files, name: str, data: bytes) -> Files:
    return resealed({**files, name: data})


def bundle(*leaves: tuple[int, bytes]) -> bytes:
    """Return the second entry bundle with these entries opened."""
    found = dict(leaves)
    return b"".join(
        len(found.get(i, b"")).to_bytes(2, "big") + found.get(i, b"") for i in range(256, 512)
    )


def swapped(files: Files, name: str, old: bytes, new: bytes) -> Files:
    assert old in files[name], (name, old)
    return put(files, name, files[name].replace(old, new))


def without(files: Files, *names: str) -> Files:
    return {name: data for name, data in files.items() if name not in names}


def without_listing(files: Files, name: str) -> Files:
    return resealed(without(files, name))


def tile_with(log: MadeLog, index: int, leaf: bytes) -> bytes:
    hashes = [*log.hashes[256:512]]
    hashes[index - 256] = merkle.leaf_hash(leaf)
    return b"".join(hashes)


LOG = MadeLog(600, grown=23, witnessed=True)
LIE = made_leaf(300, note="somebody else approved it")
FOREIGN = made_leaf(300, tenant=uuid4())
Forger = Callable[[Files], "Files | bytes"]
FORGED: dict[str, tuple[Forger, str]] = {
    "an altered entry": (
        lambda f: put(f, ENTRIES, bundle((300, LIE))),
        "#300 entry: its bytes do not hash to its leaf",
    ),
    "an altered entry with its hash": (
        lambda f: put(put(f, ENTRIES, bundle((300, LIE))), TILE, tile_with(LOG, 300, LIE)),
        "tree: its hashes lead to another root",
    ),
    "an omitted entry": (
        lambda f: put(f, ENTRIES, bundle()),
        "#300 entry: is left out, against the manifest",
    ),
    "an entry that nobody named": (
        lambda f: put(f, ENTRIES, bundle((300, LOG.leaves[300]), (301, LOG.leaves[301]))),
        "#301 entry: is here, unnamed by the manifest",
    ),
    "an entry in the place of another": (
        lambda f: put(f, ENTRIES, bundle((300, LOG.leaves[301]))),
        "#300 entry: its bytes do not hash",
    ),
    "an extra entry at the end": (
        lambda f: put(f, ENTRIES, f[ENTRIES] + b"\x00\x01x"),
        f"{ENTRIES}: goes on after its last entry",
    ),
    "a cut entry bundle": (
        lambda f: put(f, ENTRIES, f[ENTRIES][:-1]),
        f"{ENTRIES}: ends within entry 511",
    ),
    "an altered hash of a neighbour": (
        lambda f: put(f, TILE, f[TILE][:-1] + bytes([f[TILE][-1] ^ 1])),
        "tree: its hashes lead to another root",
    ),
    "a short tile": (lambda f: put(f, TILE, f[TILE][:-32]), "does not hold 256 hashes"),
    "an entry named twice": (
        lambda f: manifest(f, entries=[[5, 6], [5, 6], [300, 301], [590, 600]]),
        "WRONG",
    ),
    "an entry named out of its place": (
        lambda f: manifest(f, entries=[[300, 301], [5, 6], [590, 600]]),
        "does not list entry 5 in its place",
    ),
    "an entry named beyond the log": (
        lambda f: manifest(f, entries=[[5, 6], [300, 301], [590, 600], [700, 701]]),
        "#700 entry: is named in the manifest and stands in no tile",
    ),
    "a tree that ends too soon": (
        lambda f: manifest(f, tree=[{"from": 0, "to": 256}]), "WRONG",
    ),
    "a gap with one hash too few": (
        lambda f: manifest(f, tree=[{"from": 0, "to": 600, "hashes": ["0" * 64]}]),
        "the gap from 0 to 600 has other hashes than it needs",
    ),
    "a rewound head": (
        lambda f: manifest(
            put(f, "checkpoint", checkpoint(ORIGIN, 590, LOG.root(590)).encode()), size=590),
        "WRONG tree",
    ),
    "a head that its own key did not sign": (
        lambda f: put(f, "checkpoint", checkpoint(ORIGIN, 600, LOG.root(600), OTHER_KEY).encode()),
        "no known key",
    ),
    "a head with another root": (
        lambda f: put(f, "checkpoint", checkpoint(ORIGIN, 600, bytes(32)).encode()),
        "tree: its hashes lead to another root",
    ),
    "a head of another log": (
        lambda f: put(f, "checkpoint", checkpoint(META, 600, LOG.root(600)).encode()),
        "checkpoint: is of another log or size",
    ),
    "a wrong signature": (
        lambda f: swapped(f, "checkpoint", b"\n600\n", b"\n599\n"),
        "carries a wrong signature",
    ),
    "a meta leaf with another root": (
        lambda f: put(f, "meta/leaf", f["meta/leaf"].replace(b'"size":623', b'"size":624')),
        "meta: the leaf is not in the tree that was signed",
    ),
    "a meta log that has forgotten": (
        lambda f: put(f, "meta/consistency", b""), "does not begin with this one",
    ),
    "a meta proof of another place": (
        lambda f: swapped(f, "meta/proof.tlog-proof", b"index 3", b"index 2"),
        "meta: the leaf is not in the tree",
    ),
    "an altered part": (
        lambda f: put(f, f"blobs/{sha256(BIG).hexdigest()}", BIG + b" "),
        "#5 entry: a part that is kept beside it is not what was recorded",
    ),
    "a file beside the others": (
        lambda f: {**f, "tile/0/009": b""}, "is in the bundle and not in its manifest",
    ),
    "a name that leads away": (
        lambda f: put(f, "../../etc/passwd", b"x"), "which belongs in no bundle",
    ),
    "two files of one name": (
        lambda f: zipped(f, more=[("checkpoint", f["checkpoint"])]), "is in the bundle twice",
    ),
    "a tile that swells": (
        lambda f: put(f, TILE, bytes(30_000_000)), "is larger than 8192 bytes",
    ),
    "no manifest but junk": (
        lambda f: {**f, "manifest.json": b"[" * 100_000}, "has a shape that cannot be read",
    ),
    "a manifest of other types": (
        lambda f: manifest(f, entries=7, tree="x", size=None), "WRONG",
    ),
    "a manifest of another format": (
        lambda f: manifest(f, format="evidence/9"), "has another format",
    ),
    "keys that are none": (lambda f: put(f, "keys", b"\xff\x00"), "WRONG"),
    "no zip": (lambda _: b"PK\x03\x04 nothing", "cannot be read"),
    "half a zip": (lambda f: zipped(f)[:-30], "cannot be read"),
}  # fmt: skip
