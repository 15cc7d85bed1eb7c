"""Events by their entries: an entry names the place of its event in the one index of events."""

from typing import Any, Final
from uuid import UUID

from django.db import connection

from audit.models import AuditEntry, AuditEvent
from console.kernel import canonical

MOST_FRESH: Final = 500

# Read before what is asked with it: values let the planner use the indexes. Looked up in the same
# statement, it takes a third of all events for new and reads every one.
_SO_FAR: Final = """
    SELECT (SELECT max(epoch) FROM audit_epoch), snapshot::text,
           COALESCE((SELECT next_index FROM audit_search_state WHERE tenant_id = %s), 0)
      FROM audit_round ORDER BY round_no DESC LIMIT 1
"""
# Exactly what the sealer would take next, of this tenant only.
_UNSEALED: Final = """
    FROM (
      SELECT * FROM audit_event
       WHERE epoch = %(epoch)s AND tenant_id = %(tenant)s
         AND xid >= pg_snapshot_xmax(%(prev)s::pg_snapshot)
      UNION ALL
      SELECT * FROM audit_event
       WHERE epoch = %(epoch)s AND tenant_id = %(tenant)s
         AND xid = ANY (ARRAY(SELECT pg_snapshot_xip(%(prev)s::pg_snapshot)))
    ) e
"""
_COUNT: Final = f"SELECT count(*) FROM (SELECT 1 {_UNSEALED} LIMIT %(most)s) u"  # noqa: S608

_JOIN: Final = """
    JOIN audit_event e ON (e.epoch, e.xid, e.id) = (n.event_epoch, n.event_xid, n.event_id)
"""
_COLUMNS: Final = "e.id, e.received_at, e.tenant_id, e.event_uid, e.keep, e.envelope"
_OF_ENTRY: Final = f"""
    SELECT {_COLUMNS} FROM audit_entry n {_JOIN} WHERE n.log_id = %s AND n.index = %s
"""  # noqa: S608 - constants of this file
_UIDS: Final = f"""
    SELECT n.index, e.event_uid FROM audit_entry n {_JOIN}
     WHERE n.log_id = %s AND n.index = ANY (%s)
"""  # noqa: S608 - as above
_OF_ENTRIES: Final = f"""
    SELECT {_COLUMNS}, n.index FROM audit_entry n {_JOIN}
     WHERE n.log_id = %s AND n.index = ANY (%s) ORDER BY n.index
"""  # noqa: S608 - as above
# What was sealed since that round is in both halves, and in neither never.
_FRESH: Final = f"""
    SELECT DISTINCT ON (received_at, id) * FROM (
      (SELECT {_COLUMNS}, NULL::bigint AS index {_UNSEALED} ORDER BY e.id DESC LIMIT {MOST_FRESH})
      UNION ALL
      SELECT {_COLUMNS}, n.index FROM (
        SELECT * FROM audit_entry
         WHERE log_id = (SELECT id FROM audit_log WHERE tenant_id = %(tenant)s)
           AND index >= %(next_index)s
         ORDER BY index DESC LIMIT {MOST_FRESH}) n {_JOIN}
    ) fresh WHERE position(%(text)s::bytea IN envelope) > 0
    ORDER BY received_at DESC, id DESC, index NULLS LAST
"""  # noqa: S608 - as above


def event_of(entry: AuditEntry) -> AuditEvent | None:
    return next(iter(AuditEvent.objects.raw(_OF_ENTRY, [entry.log_id, entry.index])), None)


def events_of_entries(log_id: UUID, indexes: list[int]) -> dict[int, AuditEvent]:
    """Return the events of some entries, by index; an entry whose event is gone lacks."""
    found = AuditEvent.objects.raw(_OF_ENTRIES, [log_id, indexes])
    return {int(vars(event)["index"]): event for event in found}


def uids_of(log_id: UUID, indexes: list[int]) -> dict[int, UUID]:
    """Return the uids of the events of some entries, by index."""
    with connection.cursor() as cursor:
        cursor.execute(_UIDS, [log_id, indexes])
        return dict(cursor.fetchall())


def count_unsealed(tenant_id: UUID, *, most: int) -> int:
    values = _so_far(tenant_id)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {**values, "most": most})
        (count,) = cursor.fetchone()
    return int(count)


def not_searchable_yet(tenant_id: UUID, *, naming: str) -> list[tuple[AuditEvent, int | None]]:
    """Return (event, index) of events without a row in the search table, newest first.

    Args:
        naming: only events whose envelope holds this text; hundreds may wait, and few are about it.
    """
    text = canonical.dumps(naming)[1:-1]  # as it stands inside the envelope's quotes
    fresh = AuditEvent.objects.raw(_FRESH, {**_so_far(tenant_id), "text": text})
    return [(event, vars(event)["index"]) for event in fresh]


def _so_far(tenant_id: UUID) -> dict[str, Any]:
    """Return how far sealing and searching have come, to ask for what lies behind that."""
    with connection.cursor() as cursor:
        cursor.execute(_SO_FAR, [tenant_id])
        epoch, prev, next_index = cursor.fetchone()
    return {"tenant": tenant_id, "epoch": epoch, "prev": prev, "next_index": next_index}
