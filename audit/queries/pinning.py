"""The tree that an answer is pinned to, so that a link gives the same rows years later."""

from typing import Final

from audit import merkle
from audit.cards import Completeness, Pin
from audit.models import AuditHead, AuditLog
from audit.queries.proofs import StoredNodes
from audit.search import Search

CLOCK_ROOM_US: Final = 3_600_000_000
ROOT_SHOWN: Final = 16  # hex digits of a root that a link holds


def pinned(log: AuditLog | None, known: Completeness, search: Search) -> Pin:
    """Return the tree that a link names, or the newest one that can be searched whole."""
    if log is None:
        return Pin(size=0, root="")
    heads = AuditHead.objects.filter(log_id=log.id)
    if search.at is None:
        newest = heads.filter(size__lte=known.searched).order_by("-size").first()
        return Pin(size=newest.size, root=newest.root.hex()) if newest else Pin(size=0, root="")
    if search.at > known.sealed:
        return Pin(
            size=known.searched,
            root="",
            warning=f"This link is pinned to {search.at} entries and the trail has {known.sealed}: "
            "it is of another trail, or entries are missing.",
        )
    root = root_at(log, search.at)
    return Pin(size=search.at, root=root, warning=_warning(root, known, search))


def _warning(root: str, known: Completeness, search: Search) -> str:
    if search.root and not root.startswith(search.root):
        return (
            f"The root over {search.at} entries is not the one of this link: it began with "
            f"{search.root} and now begins with {root[: len(search.root)] or 'nothing'}. What is "
            "listed here is not what the link was made for."
        )
    if known.searched < (search.at or 0):
        return f"Only {known.searched} of the {search.at} entries can be searched at the moment."
    return ""


def root_at(log: AuditLog, size: int) -> str:
    """Return the root over the first entries as hex, from stored tiles; "" if some are gone."""
    if size == 0:
        return merkle.empty_root().hex()
    try:
        return merkle.subtree_root(0, size, StoredNodes(log).node_at).hex()
    except (ValueError, IndexError):
        return ""


def sealed_by(log: AuditLog, size: int) -> int | None:
    """Return by when all entries below a size had been received, with room for a clock set back.

    An old link need not pass all that came since. A newer entry is left out by its index alone.
    """
    head = AuditHead.objects.filter(log_id=log.id, size__gte=size).order_by("size").first()
    return head.sealed_us + CLOCK_ROOM_US if head else None
