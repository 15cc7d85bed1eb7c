"""The check of an evidence bundle, from its manifest to the witnesses of its meta log."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import partial
from hashlib import sha256
from typing import Any

from audit.verifier.contents import Contents
from audit.verifier.files import FILE_MOST, Bundle, Missing
from audit.verifier.findings import Findings
from audit.verifier.paths import extends, includes
from audit.verifier.signed import (
    COSIGNS,
    SIGNS,
    Checkpoint,
    Key,
    Wrong,
    bytes_of,
    checkpoint_of,
    key_of,
)

FORMAT = "signalbox-evidence/1"
PROOF = "c2sp.org/tlog-proof@v1"
WITNESSED, FAILED, SELF_ATTESTED, INCOMPLETE = 0, 1, 2, 3
NAME = re.compile(
    r"README\.txt|checkpoint|keys|verify\.(py|html)|meta/(leaf|proof\.tlog-proof|consistency)"
    r"|blobs/[0-9a-f]{64}|tile/(0|entries)/(x\d{3}/)*\d{3}(\.p/\d{1,3})?"
)


class Check:
    """One look at a bundle. `given` are keys that did not come with it, `known` old checkpoints."""

    def __init__(self, bundle: Bundle, given: list[Key], known: list[str], need: int = 1) -> None:
        self.bundle, self.given, self.known, self.need = bundle, given, known, need
        self.found = Findings()
        self.keys = list(given)
        self.files: dict[str, str] = {}  # name, SHA-256
        self.contents = Contents(self.found, self.read, [])
        self.heads: list[Checkpoint] = []  # of the log and of the meta log
        self.witnesses: set[bytes] = set()
        self.trusted = True

    def run(self) -> int:
        self.found.step("manifest.json", self._look)
        if self.found.problems:
            return FAILED
        if self.found.missing:
            return INCOMPLETE
        seen = self.trusted and len(self.witnesses) >= self.need
        return WITNESSED if seen else SELF_ATTESTED

    def read(self, name: str, most: int = FILE_MOST) -> bytes:
        raw = self.bundle.read(name, most)
        if self.files.get(name) != sha256(raw).hexdigest():
            self.found.wrong(name, "is not the file that the manifest names")
        return raw

    def _look(self) -> None:
        manifest = json.loads(self.bundle.read("manifest.json"))
        if manifest["format"] != FORMAT:
            raise Wrong(f"has another format than {FORMAT}")
        self.files = dict(manifest["files"])
        self._look_at_names()
        for line in self.read("keys").decode().splitlines():
            self.found.step("keys", partial(self._take_key, line))
        self.found.step("checkpoint", partial(self._look_at_head, manifest))
        if not self.heads:
            return
        self.contents = Contents(self.found, self.read, manifest["entries"])
        self.found.step("tree", partial(self._look_at_tree, manifest["tree"]))
        self.found.step("meta", self._look_at_meta)
        for first, end in manifest["withheld"]:
            self.found.missing.append(f"entries {first:d} to {end - 1:d}, which are withheld")
        for note in self.known:
            self.found.step("earlier checkpoint", partial(self._compare, note))

    def _look_at_names(self) -> None:
        for name, count in Counter(self.bundle.listed).items():
            if count > 1:
                self.found.wrong(ascii(name), "is in the bundle twice")
            if name not in self.files and name != "manifest.json":
                self.found.wrong(ascii(name), "is in the bundle and not in its manifest")
        for name in self.files:
            if not NAME.fullmatch(name):
                raise Wrong(f"names {name!a}, which belongs in no bundle")
            if name not in self.bundle.names:
                self.found.missing.append(name)
            elif not name.startswith(("tile/", "blobs/")):
                self.found.step(name, partial(self._look_at_file, name))

    def _look_at_file(self, name: str) -> None:
        self.read(name)

    def _take_key(self, line: str) -> None:
        self.keys.append(key_of(line))

    def _look_at_head(self, manifest: dict[str, Any]) -> None:
        head = self._signed(self.read("checkpoint").decode())
        if (head.origin, head.size) != (manifest["origin"], manifest["size"]):
            raise Wrong("is of another log or size than the manifest says")
        self.heads.append(head)

    def _signed(self, note: str) -> Checkpoint:
        """Read a checkpoint of a log; its own key must have signed it, a given one if there is."""
        head = checkpoint_of(note, self.keys)
        signers = [key for key in head.signers if (key.name, key.kind) == (head.origin, SIGNS)]
        if not signers:
            raise Wrong(f"no known key of {head.origin!a} signed it")
        mine = [key for key in signers if key in self.given]
        if not mine and any(key.name == head.origin for key in self.given):
            raise Wrong(f"another key than the given one signed for {head.origin!a}")
        self.trusted = self.trusted and bool(mine)
        whose = "that you gave" if mine else "that came with the bundle"
        self.found.facts.append(
            f"{ascii(head.origin)[1:-1]} at size {head.size}: signed by key "
            f"{(mine or signers)[0].id.hex()} {whose}"
        )
        return head

    def _look_at_tree(self, parts: list[dict[str, Any]]) -> None:
        head = self.heads[0]
        wanted = {int(note.split("\n")[1]) for note in self.known}
        tenant = head.origin.rpartition("/t/")[2]
        if self.contents.walk(parts, head.size, tenant, wanted) != head.root:
            raise Wrong("its hashes lead to another root than the one that was signed")

    def _look_at_meta(self) -> None:
        """The meta log must know this log, at this size or one that goes on from it."""
        head, leaf = self.heads[0], self.read("meta/leaf")
        proof, _, note = self.read("meta/proof.tlog-proof").decode().partition("\n\n")
        above = self._signed(note)
        said = json.loads(leaf)
        if above.origin != head.origin.rpartition("/t/")[0] + "/meta":
            raise Wrong("the checkpoint is of another deployment than the log")
        if said["log"] != head.origin:
            raise Wrong("the leaf is of another log")
        first, place, *path = [line for line in proof.split("\n") if line[:6] != "extra "]
        hashed, steps = sha256(b"\x00" + leaf).digest(), [bytes_of(line) for line in path]
        if first != PROOF or not re.fullmatch(r"index (0|[1-9][0-9]*)", place):
            raise Wrong("the proof is no C2SP tlog-proof")
        if not includes(int(place[6:]), above.size, above.root, hashed, steps):
            raise Wrong("the leaf is not in the tree that was signed")
        size, root = said["size"], bytes.fromhex(said["root"])
        steps = [bytes_of(line) for line in self.read("meta/consistency").decode().splitlines()]
        if not extends(head.size, head.root, size, root, steps):
            raise Wrong(f"the log that it knows at size {size} does not begin with this one")
        self.heads.append(above)
        for key in above.signers:
            if key.kind == COSIGNS and key in self.given:
                self.witnesses.add(key.public)
                when = f"{above.times[key.name]} seconds after 1970"
                self.found.facts.append(f"witness {ascii(key.name)[1:-1]} saw it {when}")

    def _compare(self, note: str) -> None:
        """Hold a checkpoint that somebody kept against this bundle: is it the same history."""
        kept = checkpoint_of(note, self.keys)
        now = next((head for head in self.heads if head.origin == kept.origin), None)
        if now is None or not kept.signers:
            raise Wrong("is of another log, or no known key signed it")
        if kept.size > now.size:
            raise Wrong(f"had {kept.size} entries and the log has {now.size} now: rewound")
        roots = self.contents.roots if now is self.heads[0] else {}
        root = now.root if kept.size == now.size else roots.get(kept.size)
        if root is None:
            raise Missing(f"what leads from size {kept.size} to size {now.size}")
        if root != kept.root:
            raise Wrong(f"has another root at size {kept.size}: there are two histories")
