"""RFC 6962 for a bundle: roots over tiles and gaps, paths, and trees that extend trees."""

from __future__ import annotations

from hashlib import sha256

WIDTH = 256  # hashes of a tile, C2SP tlog-tiles


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class Towers:
    """The perfect subtrees of a growing tree, highest first."""

    def __init__(self) -> None:
        self.size = 0
        self.stack: list[tuple[int, bytes]] = []

    def push(self, level: int, right: bytes) -> None:
        self.size += 1 << level
        while self.stack and self.stack[-1][0] == level:
            level, right = level + 1, node(self.stack.pop()[1], right)
        self.stack.append((level, right))

    def push_leaves(self, leaves: list[bytes]) -> None:
        if len(leaves) != WIDTH:
            for leaf in leaves:
                self.push(0, leaf)
            return
        while len(leaves) > 1:
            leaves = [node(leaves[i], leaves[i + 1]) for i in range(0, len(leaves), 2)]
        self.push(8, leaves[0])

    def root(self) -> bytes:
        rest = [one for _, one in self.stack]
        root = rest.pop() if rest else sha256().digest()
        while rest:
            root = node(rest.pop(), root)
        return root


def levels_between(begin: int, end: int) -> list[int]:
    """Return the levels of the fewest perfect subtrees that cover [begin, end)."""
    levels = []
    while begin < end:
        fits = (end - begin).bit_length() - 1
        levels.append(min(fits, (begin & -begin).bit_length() - 1) if begin else fits)
        begin += 1 << levels[-1]
    return levels


def climbed(at: int, last: int, start: bytes, path: list[bytes]) -> tuple[bytes, bytes] | None:
    """Climb by a path, as RFC 9162 says; return the roots of the older and of the whole tree."""
    old = new = start
    for step in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            old, new = node(step, old), node(step, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node(new, step)
        at, last = at >> 1, last >> 1
    return (old, new) if last == 0 else None


def includes(index: int, size: int, root: bytes, leaf: bytes, path: list[bytes]) -> bool:
    found = climbed(index, size - 1, leaf, path) if 0 <= index < size else None
    return found is not None and found[1] == root


def extends(old: int, old_root: bytes, new: int, new_root: bytes, path: list[bytes]) -> bool:
    """Tell whether the tree of `new` leaves begins with the tree of `old` leaves."""
    if old == new:
        return not path and old_root == new_root
    steps = path if old & (old - 1) else [old_root, *path]
    if not 0 < old < new or not steps:
        return False
    done = (old ^ (old - 1)).bit_length() - 1  # levels at which the old tree's edge is complete
    return climbed((old - 1) >> done, (new - 1) >> done, steps[0], steps[1:]) == (
        old_root,
        new_root,
    )


def number_path(number: int) -> str:
    """Return a tile's number as C2SP writes it: three digits each, all but the last with an x."""
    elements = [f"{number % 1000:03}"]
    while number := number // 1000:
        elements.append(f"x{number % 1000:03}")
    return "/".join(reversed(elements))
