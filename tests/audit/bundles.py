"""Evidence bundles of a made-up deployment, and forgers of them: no database, keys of their own."""

import io
import json
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import envelope, evidence, merkle, notes
from audit.verifier import onefile
from console.kernel import canonical

TENANT = UUID("7f3c0000-0000-4000-8000-00000000000a")
DEPLOYMENT = "signalbox.local/0123456789ab"
ORIGIN = f"{DEPLOYMENT}/t/{TENANT.hex}"
META = f"{DEPLOYMENT}/meta"
WITNESS = "witness.example/w1"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34)))
BIG = b'[{"after":"' + b"x" * 5000 + b'","before":null,"path":"/text"}]'
BIG_AT = 5  # the entry that has a part beside it


def vkey(name: str, key: Ed25519PrivateKey = KEY, kind: int = 1) -> str:
    public = bytes([kind]) + key.public_key().public_bytes_raw()
    key_id = sha256(name.encode() + b"\n" + public).digest()[:4]
    return f"{name}+{key_id.hex()}+{merkle.line_of(public)}"


def cosigned(note: str, *, key: Ed25519PrivateKey = WITNESS_KEY, time: int = 1_764_000_000) -> str:
    body = note.rpartition("\n\n")[0] + "\n"
    signature = key.sign(f"cosignature/v1\ntime {time}\n{body}".encode())
    key_id = bytes.fromhex(vkey(WITNESS, key, 4).split("+")[1])
    raw = key_id + time.to_bytes(8, "big") + signature
    return f"{note}\u2014 {WITNESS} {merkle.line_of(raw)}\n"


def checkpoint(origin: str, size: int, root: bytes, key: Ed25519PrivateKey = KEY) -> str:
    body = notes.Checkpoint(origin=origin, size=size, root=root).body()
    return notes.sign(body, key=key, name=origin)


def made_leaf(index: int, tenant: UUID = TENANT, note: str = "") -> bytes:
    uid = UUID(int=(7 << 76) + (2 << 62) + index)
    body = {"action": "test.noted", "n": index, "note": note, "tenant": str(tenant),
            "uid": str(uid), "v": 1}  # fmt: skip
    if index == BIG_AT:
        body["blobs"] = [{"name": "change", "digest": sha256(BIG).hexdigest(), "length": len(BIG)}]
    return envelope.leaf(uid, 1_764_000_000_000_000 + index, canonical.dumps(body))


@dataclass
class MadeLog:
    """A log of so many entries, signed, and known to a meta log that went on from it."""

    size: int
    grown: int = 0  # by how many entries it is larger where the meta log names it
    leaf: Callable[[int], bytes] = made_leaf
    witnessed: bool = False
    key: Ed25519PrivateKey = KEY
    keys: Sequence[str] = field(default_factory=lambda: (vkey(ORIGIN), vkey(META)))

    @cached_property
    def leaves(self) -> list[bytes]:
        return [self.leaf(index) for index in range(self.size + self.grown)]

    @cached_property
    def hashes(self) -> list[bytes]:
        return [merkle.leaf_hash(leaf) for leaf in self.leaves]

    def node_at(self, level: int, number: int) -> bytes:
        first = number << level
        return merkle.root(self.hashes[first : first + (1 << level)])

    def root(self, size: int) -> bytes:
        return merkle.root(self.hashes[:size])

    def entries(self, indexes: Sequence[int]) -> Mapping[int, evidence.Opened]:
        parts = {BIG_AT: (BIG,)}
        return {i: evidence.Opened(leaf=self.leaves[i], parts=parts.get(i, ())) for i in indexes}

    @property
    def head(self) -> evidence.SignedHead:
        whole = self.size + self.grown
        said = {"v": 1, "log": ORIGIN, "size": whole, "root": self.root(whole).hex(),
                "sealed_at": "2026-11-29T00:00:00.000000Z"}  # fmt: skip
        meta_leaf = canonical.dumps(said)
        tree = [sha256(bytes([n])).digest() for n in range(7)]
        tree[3] = merkle.leaf_hash(meta_leaf)
        at = lambda level, number: merkle.root(tree[number << level : (number + 1) << level])  # noqa: E731
        above = checkpoint(META, 7, merkle.root(tree), self.key)
        above = cosigned(above) if self.witnessed else above
        return evidence.SignedHead(
            origin=ORIGIN,
            size=self.size,
            note=checkpoint(ORIGIN, self.size, self.root(self.size), self.key),
            keys=tuple(self.keys),
            meta_leaf=meta_leaf,
            meta_proof=merkle.proof_text(3, merkle.inclusion_proof(3, 7, at), above),
            consistency=tuple(merkle.consistency_proof(self.size, whole, self.node_at)),
        )

    def pack(self, *opened: tuple[int, int]) -> bytes:
        shelf = evidence.Shelf(
            node_at=self.node_at,
            leaf_hashes=lambda begin, end: b"".join(self.hashes[begin:end]),
            entries=self.entries,
        )
        return b"".join(evidence.pack(self.head, what="a test", opened=opened, shelf=shelf))


Files = dict[str, bytes]


def files_of(raw: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(raw)) as found:
        return {info.filename: found.read(info) for info in found.infolist()}


def zipped(files: Mapping[str, bytes], *, more: Iterable[tuple[str, bytes]] = ()) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        warnings.simplefilter("ignore")  # of a name that is there twice, which is what `more` does
        for name, data in [*files.items(), *more]:
            made.writestr(name, data)
    return out.getvalue()


def resealed(files: Files) -> Files:
    """Let the manifest name the files as they are now, as a forger would."""
    manifest = json.loads(files["manifest.json"])
    manifest["files"] = {
        name: sha256(data).hexdigest() for name, data in files.items() if name != "manifest.json"
    }
    return {**files, "manifest.json": json.dumps(manifest).encode()}


@dataclass(frozen=True)
class Verdict:
    """What a run of the verifier said."""

    code: int
    text: str


@cache
def verify_py() -> Path:
    folder = Path(__file__).parents[2] / ".local"
    folder.mkdir(exist_ok=True)
    path = folder / "verify-under-test.py"
    path.write_text(onefile.verify_py(), encoding="utf-8")
    return path


def run(path: Path, *arguments: str) -> Verdict:
    """Run the one file as an auditor does: isolated, so that nothing of ours can be imported."""
    done = subprocess.run(
        [sys.executable, "-I", str(verify_py()), str(path), *arguments],
        capture_output=True, text=True, check=False, timeout=60, cwd="/",
    )  # fmt: skip
    assert done.stderr == "", done.stderr
    return Verdict(done.returncode, done.stdout)
