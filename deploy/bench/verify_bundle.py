"""Check an evidence bundle of a million entries: `python deploy/bench/verify_bundle.py`.

The log is made up here, as large entries as an approval writes, and packed as the product packs it;
then the one file `verify.py` checks it in a process of its own, on one core and without a network.
Beside it stands what reading and hashing the same file once takes. Numbers are printed, never
asserted.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rows import Row, say, script

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from audit import envelope, evidence, merkle, notes
from audit.verifier import onefile
from console.kernel import canonical

ENTRIES, QUICK = 1_000_000, 100_000
TARGET_S = 15.0  # for a million
TENANT = UUID(int=0x7F3C << 112)
ORIGIN, META = f"bench.example/1/t/{TENANT.hex}", "bench.example/1/meta"
ENVELOPE = (
    '{{"action":"vote.cast","actor":{{"id":"{uid}","kind":"person","label":"Ruth","session":'
    '"0f3a9c","strength":"passkey"}},"bind":{{"choice":"approve","digest":"{digest}","number":{n},'
    '"revision":2}},"claimed_at":"2026-11-20T14:07:31.123456Z","keep":"standard","kind":"fact",'
    '"reason":"matches the invoice, the customer and the amount","target":{{"id":"{uid}","type":'
    '"proposal"}},"tenant":"{tenant}","uid":"{uid}","v":1}}'
)


class Made:
    """A log that is made as it is asked for; only its leaf hashes are kept."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.hashes: list[bytes] = []
        edge = merkle.Edge()
        for index in range(size):
            self.hashes.append(merkle.leaf_hash(self.leaf(index)))
            edge.append(self.hashes[-1])
        self.root = edge.root()

    def leaf(self, index: int) -> bytes:
        uid = UUID(int=(7 << 76) + (2 << 62) + index)
        body = ENVELOPE.format(uid=uid, tenant=TENANT, n=index, digest=f"{index:064x}")
        return envelope.leaf(uid, 1_764_000_000_000_000 + index, body.encode())

    def entries(self, indexes: Sequence[int]) -> Mapping[int, evidence.Opened]:
        return {index: evidence.Opened(leaf=self.leaf(index)) for index in indexes}

    def pack(self) -> Iterator[bytes]:
        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes_raw()
        said = {"log": ORIGIN, "root": self.root.hex(), "size": self.size}
        leaf = canonical.dumps(said)
        above = notes.Checkpoint(origin=META, size=1, root=merkle.leaf_hash(leaf)).body()
        body = notes.Checkpoint(origin=ORIGIN, size=self.size, root=self.root).body()
        head = evidence.SignedHead(
            origin=ORIGIN,
            size=self.size,
            note=notes.sign(body, key=key, name=ORIGIN),
            keys=tuple(str(notes.VerifierKey(name=name, public=public)) for name in (ORIGIN, META)),
            meta_leaf=leaf,
            meta_proof=merkle.proof_text(0, [], notes.sign(above, key=key, name=META)),
            consistency=(),
        )
        shelf = evidence.Shelf(
            node_at=lambda _level, _number: b"",  # the whole log leaves no gap
            leaf_hashes=lambda begin, end: b"".join(self.hashes[begin:end]),
            entries=self.entries,
        )
        return evidence.pack(head, what="everything", opened=[(0, self.size)], shelf=shelf)


def measure(asked: argparse.Namespace) -> list[Row]:
    size = QUICK if asked.quick else ENTRIES
    with tempfile.TemporaryDirectory() as folder:
        bundle, program = Path(folder, "bundle.zip"), Path(folder, "verify.py")
        program.write_text(onefile.verify_py(), encoding="utf-8")
        say(f"verify: making {size:,} entries")
        with bundle.open("wb") as file:
            for part in Made(size).pack():
                file.write(part)
        say(f"verify: {bundle.stat().st_size / 1e6:.0f} MB; checking")
        plain_s = _read_and_hash(bundle)
        took_s, figures, said = _checked(program, bundle)
        say(said)
    target_s = TARGET_S * size / ENTRIES
    return [
        Row(
            measurement=f"verify.py, {size:,} entries",
            ours=figures,
            plain=f"{plain_s:.1f} s, SHA-256 of the file",
            target=f"<= {target_s:g} s",
            met=took_s <= target_s,
        )
    ]


def _read_and_hash(path: Path) -> float:
    began, digest = time.perf_counter(), sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    digest.hexdigest()
    return time.perf_counter() - began


def _checked(program: Path, bundle: Path) -> tuple[float, str, str]:
    """Return the seconds of a check on one core, all figures, and what it said of entries."""
    command = [sys.executable, "-I", str(program), str(bundle)]
    cores = os.sched_getaffinity(0)
    began = time.perf_counter()
    os.sched_setaffinity(0, {min(cores)})  # the child inherits it
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    finally:
        os.sched_setaffinity(0, cores)
    said = process.communicate()[0].strip()
    took_s = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    figures = f"{took_s:.1f} s ({used.ru_utime + used.ru_stime:.1f} s of processor), "
    figures += f"{used.ru_maxrss / 1024:.0f} MB"
    if process.returncode != 2:
        raise SystemExit(f"The bundle does not verify: {said}")
    return took_s, figures, said.splitlines()[-2]


if __name__ == "__main__":
    script(measure)
