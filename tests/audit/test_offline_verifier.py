"""The verifier that leaves the house: one file, nothing of ours, and no forged bundle gets by."""

import ast
import base64
import contextlib
import io
import sys
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import merkle
from audit.verifier import onefile
from tests.audit.bundles import (
    BIG,
    KEY,
    META,
    ORIGIN,
    OTHER_KEY,
    WITNESS,
    WITNESS_KEY,
    Files,
    MadeLog,
    Verdict,
    checkpoint,
    files_of,
    made_leaf,
    resealed,
    run,
    vkey,
    zipped,
)
from tests.audit.forgeries import ENTRIES, FOREIGN, FORGED, OPENED, TILE, without, without_listing
from tests.audit.test_vectors import SECTIONS, unbase64

MINE = ("--key", vkey(ORIGIN), "--key", vkey(META))
WITNESSED = (*MINE, "--key", vkey(WITNESS, WITNESS_KEY, 4))


@pytest.fixture(scope="module")
def verifier() -> ModuleType:
    """The one file as a module: its source, executed; nothing that it was joined from."""
    module = ModuleType("verify_py")
    sys.modules["verify_py"] = module
    exec(compile(onefile.verify_py(), "verify.py", "exec"), module.__dict__)  # noqa: S102
    return module


@pytest.fixture(scope="module")
def log() -> MadeLog:
    return MadeLog(600, grown=23, witnessed=True)


@pytest.fixture(scope="module")
def files(log: MadeLog) -> Files:
    return files_of(log.pack(*OPENED))


@pytest.fixture
def verify(verifier: ModuleType, tmp_path: Path) -> Callable[..., Verdict]:
    def of(bundle: bytes | Files, *arguments: str) -> Verdict:
        path = tmp_path / f"{uuid4()}.zip"
        path.write_bytes(bundle if isinstance(bundle, bytes) else zipped(bundle))
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            code = verifier.main([str(path), *arguments])
        return Verdict(code, said.getvalue())

    return of


class TestTheOneFile:
    def test_imports_the_standard_library_and_nothing_else(self) -> None:
        tree = ast.parse(onefile.verify_py())
        named = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                named |= {alias.name.partition(".")[0] for alias in node.names}
            if isinstance(node, ast.ImportFrom):
                named.add((node.module or "").partition(".")[0])
        assert named <= sys.stdlib_module_names
        assert not named & {"socket", "urllib", "http", "subprocess", "ctypes"}

    def test_says_everything_once(self) -> None:
        names = [
            node.name
            for node in ast.parse(onefile.verify_py()).body
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
        ]
        assert len(names) == len(set(names))

    def test_runs_isolated_on_a_zip_and_on_a_folder(self, log: MadeLog, tmp_path: Path) -> None:
        bundle = tmp_path / "bundle.zip"
        bundle.write_bytes(log.pack(*OPENED))
        with zipfile.ZipFile(bundle) as found:
            found.extractall(tmp_path / "unpacked")

        assert run(bundle).code == 2
        witnessed = run(tmp_path / "unpacked", *WITNESSED)
        assert (witnessed.code, "witnessed" in witnessed.text) == (0, True)
        (tmp_path / "unpacked" / ENTRIES).write_bytes(b"")
        assert run(tmp_path / "unpacked").code == 1


class TestEd25519:
    def test_agrees_with_the_library(self, verifier: ModuleType) -> None:
        for n in range(8):
            key = Ed25519PrivateKey.from_private_bytes(sha256(bytes([n])).digest())
            public, message = key.public_key().public_bytes_raw(), bytes([n]) * n
            signature = key.sign(message)
            assert verifier.signature_holds(public, signature, message)
            assert not verifier.signature_holds(public, signature, message + b"x")
            assert not verifier.signature_holds(public, signature[:-1], message)

    def test_refuses_what_is_not_in_one_form(self, verifier: ModuleType) -> None:
        public, signature = KEY.public_key().public_bytes_raw(), KEY.sign(b"m")
        s = int.from_bytes(signature[32:], "little") + verifier.ORDER  # the same signature again
        again = signature[:32] + s.to_bytes(32, "little")
        assert not verifier.signature_holds(public, again, b"m")
        for odd in (b"\xff" * 32, b"\x02" + bytes(31), (1).to_bytes(31, "little") + b"\x80"):
            assert not verifier.signature_holds(odd, signature, b"m")
            assert not verifier.signature_holds(public, odd + signature[32:], b"m")

    def test_passes_the_vectors_of_signed_notes(self, verifier: ModuleType) -> None:
        for case in SECTIONS["signed_notes"]["cases"]:
            key = verifier.key_of(case["vkey"])
            line = base64.b64decode(case["signature_line"].split()[-1])
            assert line[:4] == key.id
            assert verifier.signature_holds(key.public, line[4:], case["note_text"].encode())


class TestProofs:
    def test_pass_the_probes_of_transparency_dev(self, verifier: ModuleType) -> None:
        section = SECTIONS["transparency_dev_probes"]
        for probe in section["inclusion"]:
            parts = [unbase64(part) for part in probe["proof"] or []]
            leaf, root = unbase64(probe["leafHash"]), unbase64(probe["root"])
            if any(len(part) != 32 for part in (leaf, root, *parts)):
                continue  # no such hash can stand in a bundle: each is read as 32 bytes
            holds = verifier.includes(probe["leafIdx"], probe["treeSize"], root, leaf, parts)
            assert holds is not probe["wantErr"], probe["file"]
        for probe in section["consistency"]:
            roots = unbase64(probe["root1"]), unbase64(probe["root2"])
            parts = [unbase64(part) for part in probe["proof"] or []]
            old, new = probe["size1"], probe["size2"]
            if old == new == 1 or all(len(part) == 32 for part in (*roots, *parts)):
                holds = verifier.extends(old, roots[0], new, roots[1], parts)
                assert holds is not probe["wantErr"], probe["file"]

    def test_agree_with_the_sealer_s_arithmetic_at_every_small_size(
        self, verifier: ModuleType
    ) -> None:
        leaves = [sha256(bytes([n])).digest() for n in range(40)]
        at = lambda level, n: merkle.root(leaves[n << level : (n + 1) << level])  # noqa: E731
        roots = [merkle.root(leaves[:size]) for size in range(41)]
        for new in range(1, 41):
            for old in range(1, new + 1):
                path = merkle.consistency_proof(old, new, at)
                assert verifier.extends(old, roots[old], new, roots[new], path)
                assert not verifier.extends(old, roots[old], new, roots[new], [*path, roots[1]])
                way = merkle.inclusion_proof(old - 1, new, at)
                assert verifier.includes(old - 1, new, roots[new], leaves[old - 1], way)
                assert not verifier.includes(old, new, roots[new], leaves[old - 1], way)


class TestAnHonestBundle:
    @pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 513])
    def test_passes_at_every_edge(self, verify: Any, size: int) -> None:
        log = MadeLog(size)
        for opened in ((0, size), (size - 1, size), (0, 1)):
            assert verify(log.pack(opened), *MINE).code == 2

    def test_counts_what_is_shown_by_hashes_only(self, verify: Any, files: Files) -> None:
        found = verify(files)
        assert "12 entries opened; 588 beside them" in found.text

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            ((), 2),
            (MINE, 2),
            (WITNESSED, 0),
            ((*WITNESSED, "--witnesses", "2"), 2),
            (WITNESSED[2:], 2),  # not every log's key was given
            (("--key", vkey(ORIGIN, OTHER_KEY)), 1),
            (("--key", vkey(META, OTHER_KEY)), 1),
        ],
    )
    def test_counts_only_keys_that_were_given(
        self, verify: Any, files: Files, arguments: tuple[str, ...], code: int
    ) -> None:
        assert verify(files, *arguments).code == code

    def test_is_held_against_what_was_kept(self, verify: Any, log: MadeLog, tmp_path: Path) -> None:
        def held(size: int, root: bytes, key: Any = KEY) -> Verdict:
            kept = tmp_path / "kept"
            kept.write_text(checkpoint(ORIGIN, size, root, key), encoding="utf-8")
            found: Verdict = verify(log.pack((0, 600)), *MINE, "--known", str(kept))
            return found

        for size in (1, 256, 300, 599, 600):
            assert held(size, log.root(size)).code == 2
            assert "two histories" in held(size, bytes(32)).text
        assert "rewound" in held(601, log.root(601)).text
        assert "no known key" in held(300, log.root(300), OTHER_KEY).text

    def test_says_when_nothing_leads_there(
        self, verify: Any, log: MadeLog, files: Files, tmp_path: Path
    ) -> None:
        kept = tmp_path / "kept"
        kept.write_text(checkpoint(ORIGIN, 513, log.root(513)), encoding="utf-8")
        assert verify(log.pack((5, 6)), "--known", str(kept)).code == 3


class TestOneByte:
    def test_changed_anywhere_is_found(self, verify: Any, files: Files) -> None:
        for name, data in files.items():
            steps = 40 if name == "manifest.json" else 3
            for at in {len(data) - 1, *range(0, len(data), len(data) // steps + 1)}:
                changed = bytearray(data)
                changed[at] ^= 0x20  # another case of a letter, so that no spelling has two forms
                found = verify({**files, name: bytes(changed)})
                assert found.code in {1, 3}, (name, at)
                assert "WRONG" in found.text or "MISSING" in found.text

    def test_is_named_with_its_entry(self, verify: Any, files: Files) -> None:
        changed = bytearray(files[ENTRIES])
        changed[2 * 44 + 2 + 40] ^= 1  # within entry 300: 44 lengths of 0 stand before it
        found = verify({**files, ENTRIES: bytes(changed)})
        assert "WRONG #300 entry: its bytes do not hash to its leaf" in found.text
        assert f"WRONG {ENTRIES}: is not the file that the manifest names" in found.text


class TestAForgedBundle:
    @pytest.mark.parametrize("name", FORGED)
    def test_is_rejected_and_says_what(self, verify: Any, files: Files, name: str) -> None:
        forge, says = FORGED[name]
        found = verify(forge(files))
        assert (found.code, says in found.text) == (1, True), found.text
        assert "FAILED" in found.text

    def test_of_another_organisation_s_entries_is_rejected(self, verify: Any) -> None:
        log = MadeLog(600, leaf=lambda n: FOREIGN if n == 300 else made_leaf(n))
        found = verify(log.pack((300, 301)))
        assert "#300 entry: it is of another organisation" in found.text

    def test_with_a_frame_of_another_event_is_rejected(self, verify: Any) -> None:
        log = MadeLog(3, leaf=lambda n: made_leaf(n)[:4] + bytes(16) + made_leaf(n)[20:])
        assert "name two events" in verify(log.pack((1, 2))).text

    def test_made_anew_with_a_key_of_its_own_is_not_what_you_know(self, verify: Any) -> None:
        """A whole other history, sealed and signed anew: only a key from elsewhere tells."""
        keys = [vkey(ORIGIN, OTHER_KEY), vkey(META, OTHER_KEY)]
        other = MadeLog(20, key=OTHER_KEY, keys=keys).pack((5, 6))
        assert verify(other).code == 2
        assert "another key than the given one" in verify(other, *MINE).text

    def test_with_another_time_of_its_witness_is_rejected(self, verify: Any, files: Files) -> None:
        proof = files["meta/proof.tlog-proof"].decode()
        *rest, name, encoded = proof.split(" ")
        raw = bytearray(base64.b64decode(encoded))
        raw[11] ^= 1  # the last byte of the seconds, after four of the key's id
        forged = " ".join([*rest, name, base64.b64encode(raw).decode() + "\n"])
        found = verify(resealed({**files, "meta/proof.tlog-proof": forged.encode()}), *WITNESSED)
        assert (found.code, "wrong signature of 'witness.example/w1'" in found.text) == (1, True)

    def test_with_a_witness_of_its_own_is_not_witnessed(self, verify: Any) -> None:
        keys = [vkey(ORIGIN), vkey(META), vkey(WITNESS, WITNESS_KEY, 4)]
        assert verify(MadeLog(20, witnessed=True, keys=keys).pack((5, 6)), *MINE).code == 2


class TestAnIncompleteBundle:
    @pytest.mark.parametrize(
        "name",
        [TILE, ENTRIES, "meta/leaf", "meta/consistency", "README.txt",
         f"blobs/{sha256(BIG).hexdigest()}"],
    )  # fmt: skip
    def test_names_what_is_missing(self, verify: Any, files: Files, name: str) -> None:
        for lacking in (without(files, name), without_listing(files, name)):
            found = verify(lacking)
            if name == "README.txt" and lacking == without_listing(files, name):
                continue  # words, and no evidence
            assert (found.code, f"MISSING {name}" in found.text) == (3, True), found.text
