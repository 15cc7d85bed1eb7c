"""Every section of the public test vectors; a section without a test fails."""

import base64
import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from audit import merkle, notes
from console.kernel import canonical

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "audit-vectors.json").read_text())
SECTIONS: dict[str, Any] = VECTORS["sections"]


def unhex(texts: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


def unbase64(text: str | None) -> bytes:
    return base64.b64decode(text or "")


class TestEverySection:
    def test_has_a_test_in_this_file(self) -> None:
        tested = {
            name.removeprefix("test_") for name in vars(TestVectors) if name.startswith("test_")
        }

        assert tested == set(SECTIONS)


class TestVectors:
    def test_rfc6962_hasher(self) -> None:
        cases = SECTIONS["rfc6962_hasher"]["cases"]
        assert len(cases) == 4
        for case in cases:
            match case["kind"]:
                case "empty_root":
                    found = merkle.root([])
                case "leaf":
                    found = merkle.leaf_hash(bytes.fromhex(case["leaf_hex"]))
                case "node":
                    found = merkle.node_hash(*unhex([case["left_hex"], case["right_hex"]]))
                case other:
                    pytest.fail(f"unknown kind {other}")
            assert found.hex() == case["expect_hex"]

    def test_ct_tree_hasher(self) -> None:
        section = SECTIONS["ct_tree_hasher"]
        assert len(section["leaves"]) + len(section["nodes"]) == 2
        for case in section["leaves"]:
            assert merkle.leaf_hash(bytes.fromhex(case["leaf_hex"])).hex() == case["expect_hex"]
        for case in section["nodes"]:
            found = merkle.node_hash(*unhex([case["left_hex"], case["right_hex"]]))
            assert found.hex() == case["expect_hex"]

    def test_ct_reference_tree(self) -> None:
        section = SECTIONS["ct_reference_tree"]
        leaves = [merkle.leaf_hash(leaf) for leaf in unhex(section["leaf_inputs_hex"])]
        assert len(section["roots_by_tree_size"]) == 8
        for case in section["roots_by_tree_size"]:
            assert merkle.root(leaves[: case["tree_size"]]).hex() == case["root_hex"]
        paths = section["inclusion_paths"]["cases"]
        assert len(paths) == 5
        for case in paths:
            self.check_path(leaves, case)
        for size, levels in enumerate(section["level_counts_by_tree_size"], start=1):
            assert (size - 1).bit_length() + 1 == levels
        self.check_consistency(leaves, section)

    def check_path(self, leaves: list[bytes], case: dict[str, Any]) -> None:
        index, size = case["leaf_1based"] - 1, case["tree_size"]
        path = unhex(case["path_hex"])
        assert merkle.inclusion_proof(index, size, node_in(leaves)) == path
        assert merkle.verify_inclusion(
            index=index,
            size=size,
            leaf=leaves[index],
            path=path,
            root_hash=merkle.root(leaves[:size]),
        )

    def check_consistency(self, leaves: list[bytes], section: dict[str, Any]) -> None:
        assert len(section["consistency_proofs"]) == 4
        for case in section["consistency_proofs"]:
            old, new = case["size1"], case["size2"]
            proof = unhex(case["proof_hex"])
            assert merkle.verify_consistency(
                old=old,
                new=new,
                path=proof,
                old_root=merkle.root(leaves[:old]),
                new_root=merkle.root(leaves[:new]),
            )
            assert merkle.consistency_proof(old, new, node_in(leaves)) == proof

    def test_ct_real_world_inclusion(self) -> None:
        case = SECTIONS["ct_real_world_inclusion"]
        leaf = merkle.leaf_hash(bytes.fromhex(case["leaf_hex"]))
        path = unhex(case["proof_hex"])
        assert len(path) == 22
        assert leaf.hex() == case["leaf_hash_hex"]

        assert merkle.verify_inclusion(
            index=case["leaf_index_0based"],
            size=case["tree_size"],
            leaf=leaf,
            path=path,
            root_hash=bytes.fromhex(case["root_hex"]),
        )

    def test_transparency_dev_probes(self) -> None:
        section = SECTIONS["transparency_dev_probes"]
        accepted = {"inclusion": 0, "consistency": 0}
        assert len(section["inclusion"]) == len(section["consistency"]) == 98
        for probe in section["inclusion"]:
            found = merkle.verify_inclusion(
                index=probe["leafIdx"],
                size=probe["treeSize"],
                leaf=unbase64(probe["leafHash"]),
                path=[unbase64(part) for part in probe["proof"] or []],
                root_hash=unbase64(probe["root"]),
            )
            assert found is not probe["wantErr"], probe["file"]
            accepted["inclusion"] += found
        for probe in section["consistency"]:
            found = merkle.verify_consistency(
                old=probe["size1"],
                new=probe["size2"],
                path=[unbase64(part) for part in probe["proof"] or []],
                old_root=unbase64(probe["root1"]),
                new_root=unbase64(probe["root2"]),
            )
            assert found is not probe["wantErr"], probe["file"]
            accepted["consistency"] += found
        assert accepted == {"inclusion": 6, "consistency": 6}

    def test_compact_range_note(self) -> None:
        """The property itself, at sizes that no list of leaves could reach."""
        edges = [0, 1, 2, 3, 7, 8, 255, 256, 257, 2**20 - 1, 2**40 + 5, 2**62, 2**63 - 1]
        for begin in edges:
            for end in [edge for edge in edges if edge >= begin]:
                at = begin
                for level, number in merkle.range_nodes(begin, end):
                    assert number << level == at
                    at += 1 << level
                assert at == end

    def test_tlog_tiles(self) -> None:
        section = SECTIONS["tlog_tiles"]
        large, small = merkle.tile_shapes(70_000), merkle.tile_shapes(256)
        expected = section["tree_size_70000"]
        assert large[0].full == expected["full_level0"]
        assert large[0].partial_width == expected["partial_level0_width"]
        assert large[1].full == expected["full_level1"]
        assert large[1].partial_width == expected["partial_level1_width"]
        assert large[2].partial_width == expected["partial_level2_width"]
        assert small[0].full == section["tree_size_256"]["full_level0"]
        assert small[1].partial_width == section["tree_size_256"]["partial_level1_width"]
        for number, path in section["index_path"].items():
            assert merkle.number_path(int(number)) == path
        assert section["tile_width"] == merkle.TILE_WIDTH
        assert section["full_tile_bytes"] == merkle.TILE_WIDTH * merkle.HASH_LENGTH
        assert merkle.tile_path(0, 1234067) == "tile/0/x001/x234/067"
        assert merkle.tile_path(1, 5, 17) == "tile/1/005.p/17"

    def test_signed_notes(self) -> None:
        cases = SECTIONS["signed_notes"]["cases"]
        assert len(cases) == 2
        for case in cases:
            key = notes.VerifierKey.parse(case["vkey"])
            note = f"{case['note_text']}\n{case['signature_line']}\n"
            assert str(key) == case["vkey"]
            assert notes.opened(note, keys=[key]) == (case["note_text"], key)
            forged = f"{case['note_text'].replace('example', 'other').replace('the', 'a')}\n"
            with pytest.raises(notes.BadNote, match="is wrong"):
                notes.opened(f"{forged}{case['signature_line']}\n", keys=[key])

    def test_rfc8785_jcs(self) -> None:
        section = SECTIONS["rfc8785_jcs"]
        ours = {"arrays", "french", "unicode", "weird"}
        assert {case["name"] for case in section["cases"]} == ours | {"values", "structures"}
        for case in section["cases"]:
            raw = base64.b64decode(case["input_base64"])
            if case["name"] in ours:
                expected = base64.b64decode(case["canonical_base64"])
                assert canonical.dumps(canonical.loads(raw)) == expected
            else:
                with pytest.raises(canonical.NotCanonical):
                    canonical.loads(raw)
        self.check_numbers(section)

    def check_numbers(self, section: dict[str, Any]) -> None:
        """The number samples are for a general encoder; ours writes none of these, being floats."""
        assert len(section["number_samples"]) == 7
        for bits, text in section["number_samples"]:
            (number,) = struct.unpack(">d", bytes.fromhex(bits.rjust(16, "0")))
            assert number == float(text)
            with pytest.raises(canonical.NotCanonical):
                canonical.dumps(number)


def node_in(leaves: list[bytes]) -> merkle.NodeAt:
    """Look perfect subtrees up by hashing them anew."""

    def node_at(level: int, number: int) -> bytes:
        first = number << level
        return merkle.root(leaves[first : first + (1 << level)])

    return node_at
