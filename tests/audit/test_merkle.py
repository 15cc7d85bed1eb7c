"""Tree arithmetic against the recursive definition of RFC 6962, which shares no code with ours."""

from functools import cache
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import merkle

MOST = 300
LEAVES = [sha256(b"\x00" + n.to_bytes(8, "big")).digest() for n in range(MOST)]


@cache
def head(begin: int, end: int) -> bytes:
    """MTH of RFC 6962, section 2.1, word for word."""
    n = end - begin
    if n == 0:
        return sha256(b"").digest()
    if n == 1:
        return LEAVES[begin]
    k = 1
    while k * 2 < n:
        k *= 2
    return sha256(b"\x01" + head(begin, begin + k) + head(begin + k, end)).digest()


def path(m: int, begin: int, end: int) -> list[bytes]:
    """PATH of RFC 6962, section 2.1.1."""
    n = end - begin
    if n == 1:
        return []
    k = 1
    while k * 2 < n:
        k *= 2
    if m < k:
        return [*path(m, begin, begin + k), head(begin + k, end)]
    return [*path(m - k, begin + k, end), head(begin, begin + k)]


def subproof(m: int, begin: int, end: int, *, known: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962, section 2.1.2."""
    n = end - begin
    if m == n:
        return [] if known else [head(begin, end)]
    k = 1
    while k * 2 < n:
        k *= 2
    if m <= k:
        return [*subproof(m, begin, begin + k, known=known), head(begin + k, end)]
    return [*subproof(m - k, begin + k, end, known=False), head(begin, begin + k)]


def node_at(level: int, number: int) -> bytes:
    return head(number << level, (number + 1) << level)


class TestRoot:
    @pytest.mark.parametrize("size", range(MOST + 1))
    def test_equals_the_definition(self, size: int) -> None:
        assert merkle.root(LEAVES[:size]) == head(0, size)


class TestEdge:
    @given(old=st.integers(0, MOST), more=st.integers(0, MOST))
    def test_goes_on_from_a_stored_edge(self, old: int, more: int) -> None:
        new = min(MOST, old + more)
        edge = merkle.Edge()
        for leaf in LEAVES[:old]:
            edge.append(leaf)

        again = merkle.Edge.unpack(edge.size, edge.pack())
        for leaf in LEAVES[old:new]:
            again.append(leaf)

        assert again.root() == head(0, new)
        assert again.size == new

    def test_names_every_subtree_that_it_completes_once(self) -> None:
        edge = merkle.Edge()
        seen = {}
        for leaf in LEAVES:
            for level, number, found in edge.append(leaf):
                assert (level, number) not in seen
                seen[level, number] = found

        expected = {(k, n) for k in range(9) for n in range(MOST >> k)}
        assert set(seen) == expected
        assert all(found == node_at(*place) for place, found in seen.items())

    def test_refuses_an_edge_of_another_size(self) -> None:
        with pytest.raises(ValueError, match="perfect subtrees"):
            merkle.Edge(3, [LEAVES[0]])


class TestInclusionProof:
    @pytest.mark.parametrize("size", range(1, MOST + 1))
    def test_equals_the_definition_and_verifies(self, size: int) -> None:
        for index in {0, size - 1, size // 2, size // 3, (size * 7919) % size, size & (size - 1)}:
            if index >= size:
                continue
            proof = merkle.inclusion_proof(index, size, node_at)
            assert proof == path(index, 0, size)
            assert merkle.verify_inclusion(
                index=index, size=size, leaf=LEAVES[index], path=proof, root_hash=head(0, size)
            )

    @given(data=st.data(), size=st.integers(1, MOST))
    @settings(max_examples=300)
    def test_proves_nothing_else(self, data: st.DataObject, size: int) -> None:
        index = data.draw(st.integers(0, size - 1))
        other = data.draw(st.integers(0, MOST - 1))
        proof = merkle.inclusion_proof(index, size, node_at)
        cut = data.draw(st.integers(0, len(proof)))
        wrong = [*proof[:cut], LEAVES[other], *proof[cut:]]

        def verifies(at: int, leaf: bytes, steps: list[bytes]) -> bool:
            return merkle.verify_inclusion(
                index=at, size=size, leaf=leaf, path=steps, root_hash=head(0, size)
            )

        assert verifies(index, LEAVES[index], proof)
        assert verifies(other, LEAVES[index], proof) is (other == index)
        assert verifies(index, LEAVES[other], proof) is (other == index)
        assert not verifies(index, LEAVES[index], wrong)
        assert not proof or not verifies(index, LEAVES[index], proof[:-1])

    @pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5)])
    def test_refuses_a_leaf_outside_of_the_tree(self, index: int, size: int) -> None:
        with pytest.raises(ValueError, match="not in a tree"):
            merkle.inclusion_proof(index, size, node_at)


class TestConsistencyProof:
    @pytest.mark.parametrize("new", range(1, MOST + 1))
    def test_equals_the_definition_and_verifies(self, new: int) -> None:
        for old in {1, new, new - 1, new // 2, new // 3, 1 << (new.bit_length() - 1)} - {0}:
            proof = merkle.consistency_proof(old, new, node_at)
            assert proof == subproof(old, 0, new, known=True)
            assert merkle.verify_consistency(
                old=old, new=new, path=proof, old_root=head(0, old), new_root=head(0, new)
            )

    @given(data=st.data(), new=st.integers(2, MOST))
    @settings(max_examples=300)
    def test_proves_nothing_else(self, data: st.DataObject, new: int) -> None:
        old = data.draw(st.integers(1, new - 1))
        other = data.draw(st.integers(1, new - 1))
        proof = merkle.consistency_proof(old, new, node_at)

        def verifies(size: int, root: bytes, steps: list[bytes]) -> bool:
            return merkle.verify_consistency(
                old=size, new=new, path=steps, old_root=root, new_root=head(0, new)
            )

        assert verifies(old, head(0, old), proof)
        assert verifies(old, head(0, other), proof) is (other == old)
        assert not verifies(old, head(0, old), [*proof, LEAVES[0]])
        assert not verifies(0, head(0, 0), proof)

    @pytest.mark.parametrize(("old", "new"), [(0, 5), (0, 0), (6, 5)])
    def test_refuses_what_has_no_proof(self, old: int, new: int) -> None:
        with pytest.raises(ValueError, match="No proof leads"):
            merkle.consistency_proof(old, new, node_at)


class TestRangeNodes:
    @given(begin=st.integers(0, 2**63 - 1), length=st.integers(0, 2**63))
    def test_covers_the_range_without_gap_or_overlap(self, begin: int, length: int) -> None:
        end = min(2**63 - 1, begin + length)
        at = begin
        for level, number in merkle.range_nodes(begin, end):
            assert number << level == at
            at += 1 << level
        assert at == end

    @given(begin=st.integers(0, MOST), length=st.integers(0, MOST))
    def test_never_needs_two_nodes_where_one_would_do(self, begin: int, length: int) -> None:
        nodes = merkle.range_nodes(begin, begin + length)
        for (level, number), following in pairwise(nodes):
            assert not (following == (level, number + 1) and number % 2 == 0)


class TestNodeInTile:
    @given(level=st.integers(0, 40), number=st.integers(0, 2**40))
    def test_points_at_the_hashes_that_cover_the_subtree(self, level: int, number: int) -> None:
        tile_level, tile, first, count = merkle.node_in_tile(level, number)

        assert first + count <= merkle.TILE_WIDTH
        covered = (tile * merkle.TILE_WIDTH + first) << (8 * tile_level)
        assert covered == number << level
        assert count << (8 * tile_level) == 1 << level


class TestNumberPath:
    @pytest.mark.parametrize(
        ("number", "text"),
        [(0, "000"), (999, "999"), (1000, "x001/000"), (1234067, "x001/x234/067")],
    )
    def test_has_three_digits_in_each_element(self, number: int, text: str) -> None:
        assert merkle.number_path(number) == text
