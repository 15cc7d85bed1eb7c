"""What an evidence bundle is made of: a signed head with what vouches for it, hashes and entries.

Everything here is fixed once it exists, so the same tree size leads to the same bytes for ever.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from django.db import connection
from typing_extensions import override

from audit import envelope, merkle
from audit.errors import NotSignedYet
from audit.evidence import Opened, SignedHead
from audit.models import (
    AuditBlob,
    AuditCheckpoint,
    AuditEntry,
    AuditEvent,
    AuditHead,
    AuditLog,
    AuditSearchState,
    AuditSearchWindow,
)
from audit.queries import places
from audit.queries.proofs import StoredNodes
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from console.kernel.transactions import query

MOST_ABOUT: Final = 100_000  # entries that name one thing
# Of the newest rounds on, or of the first one from a round on; the index is by log and round.
_COVERED: Final = """
    SELECT leaf FROM audit_meta_leaf
     WHERE log_id = %s AND index < audit_meta_signed() ORDER BY round_no DESC LIMIT 1
"""
_COVERING: Final = """
    SELECT index, leaf FROM audit_meta_leaf
     WHERE log_id = %s AND round_no >= %s ORDER BY round_no LIMIT 1
"""


@query
def log_of(*, actor: Actor) -> AuditLog:
    """Return the actor's log.

    Raises:
        NotFound: nothing was sealed for this tenant yet.
    """
    log = AuditLog.objects.filter(tenant_id=actor.tenant_id).first()
    if log is None:
        raise NotFound("Nothing is sealed in this trail yet; try again in a second.")
    return log


@query
def signed_size(
    *, actor: Actor, size: int | None = None, at_least: int = 1, at_most: int = 2**62
) -> int:
    """Return the tree size that a bundle stands on: the newest that everything vouches for.

    Args:
        size: the wanted one, of an earlier bundle for instance.
        at_least: how large the tree has to be to hold what is asked for.
        at_most: how large it may be, when not more was looked at.

    Raises:
        NotSignedYet: what was sealed last is not under a signed meta checkpoint yet.
        NotFound: no checkpoint was signed at this size.
    """
    log = log_of(actor=actor)
    with connection.cursor() as cursor:
        cursor.execute(_COVERED, [log.id])
        row = cursor.fetchone()
    covered = min(json.loads(bytes(row[0]))["size"] if row else 0, at_most)
    signed = AuditCheckpoint.objects.filter(log_id=log.id, size__lte=covered)
    if size is not None:
        signed = signed.filter(size=size)
    found = signed.order_by("-size").values_list("size").first()
    if found is None and size is not None and size <= covered:
        raise NotFound(f"No checkpoint was signed at size {size}; leave the size out.")
    if found is None or found[0] < at_least:
        raise NotSignedYet(
            f"Entry {at_least - 1} is not under a signed checkpoint yet; try again in two seconds."
        )
    return int(found[0])


@query
def require_entry(*, actor: Actor, index: int) -> None:
    """Raise NotFound when this tenant's log has no such entry."""
    log = AuditLog.objects.filter(tenant_id=actor.tenant_id).first()
    if log is None or not AuditEntry.objects.filter(log_id=log.id, index=index).exists():
        raise NotFound(f"There is no entry {index} in this trail; go back to the list.")


@query
def signed_head(*, actor: Actor, size: int) -> SignedHead:
    """Return the head of a size from `signed_size`, with its proof in the meta log."""
    log = log_of(actor=actor)
    stored = AuditCheckpoint.objects.get(log_id=log.id, size=size)
    head = AuditHead.objects.get(log_id=log.id, size=size)
    with connection.cursor() as cursor:
        cursor.execute(_COVERING, [log.id, head.round_no])
        index, leaf = cursor.fetchone()
        cursor.execute("SELECT * FROM audit_meta_checkpoint(%s)", [index])
        meta_size, meta_note, meta_key = cursor.fetchone()
    later = json.loads(bytes(leaf))["size"]
    path = merkle.inclusion_proof(index, meta_size, MetaNodes(log).node_at)
    return SignedHead(
        origin=log.origin,
        size=size,
        note=stored.note,
        keys=(stored.vkey, meta_key),
        meta_leaf=bytes(leaf),
        meta_proof=merkle.proof_text(index, path, meta_note),
        consistency=tuple(merkle.consistency_proof(size, later, StoredNodes(log).node_at)),
    )


@query
def indexes_about(*, actor: Actor, target_type: str, target_id: str) -> tuple[list[int], int]:
    """Return which entries name a thing, reads left out, and how many entries were looked at."""
    rows = AuditSearchWindow.objects.filter(tenant_id=actor.tenant_id, ids__contains=[target_id])
    own = rows.filter(target_type=target_type, target_id=target_id).exclude(kind="read")
    if not own.exists():
        raise NotFound(f"No entry of this trail is about {target_type} {target_id[:80]}.")
    state = AuditSearchState.objects.filter(tenant_id=actor.tenant_id).first()
    found = rows.exclude(kind="read").order_by("index").values_list("index", flat=True)
    return list(found[:MOST_ABOUT]), state.next_index if state else 0


@query
def leaf_hashes(*, actor: Actor, begin: int, end: int) -> bytes:
    """Return the leaf hashes of one tile, or of its beginning."""
    nodes = StoredNodes(log_of(actor=actor))
    return b"".join(nodes.node_at(0, index) for index in range(begin, end))


@query
def node(*, actor: Actor, level: int, number: int) -> bytes:
    return StoredNodes(log_of(actor=actor)).node_at(level, number)


@query
def opened(*, actor: Actor, indexes: Sequence[int]) -> Mapping[int, Opened]:
    """Return entries by index, with the parts that are kept beside them; one that is gone lacks."""
    events = places.events_of_entries(log_of(actor=actor).id, list(indexes))
    parts = _parts_of([event.event_uid for event in events.values()])
    return {
        index: Opened(leaf=leaf_of(event), parts=tuple(parts.get(event.event_uid, ())))
        for index, event in events.items()
    }


def leaf_of(event: AuditEvent) -> bytes:
    return envelope.leaf(event.event_uid, event.received_us, bytes(event.envelope))


def _parts_of(uids: list[UUID]) -> dict[UUID, list[bytes]]:
    found: dict[UUID, list[bytes]] = {}
    for blob in AuditBlob.objects.filter(event_uid__in=uids).order_by("event_uid", "name"):
        found.setdefault(blob.event_uid, []).append(bytes(blob.body))
    return found


class MetaNodes(StoredNodes):
    """Perfect subtrees of the meta log, by functions that give hashes only."""

    @override
    def _full_tiles(self, level: int, first: int, end: int) -> list[bytes]:
        return self._column("SELECT audit_meta_tiles(%s::smallint, %s, %s)", [level, first, end])

    @override
    def _leaf_hashes(self, first: int, end: int) -> list[bytes]:
        return self._column("SELECT audit_meta_leaves(%s, %s)", [first, end])

    def _column(self, sql: str, values: list[int]) -> list[bytes]:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return [bytes(row) for (row,) in cursor.fetchall()]
