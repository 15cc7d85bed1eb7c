"""The relay: delivers outbox rows. Facts happen once, tasks and hints at least once."""

from collections.abc import Callable
from uuid import UUID

import structlog
from celery import current_app
from django.db import connection

from console.kernel import clock, live, logs, outbox, tenancy
from console.kernel.actors import Actor
from console.kernel.models import OutboxRow, TopicSeq

log = structlog.get_logger(__name__)

BATCH = 200
PARK_AFTER = 12  # attempts; with the back-off below that is about an hour
BACK_OFF_MOST_S = 600


def relay_once(*, tenant_id: UUID | None = None) -> int:
    """Deliver what is due, at most one batch; return how many rows left the outbox.

    Args:
        tenant_id: deliver for this tenant only; tests use it.
    """
    return sum(_deliver(row_id, tenant) for row_id, tenant in _due(tenant_id))


def relay_all(*, tenant_id: UUID) -> int:
    """Deliver for one tenant until nothing is due; return the number of rows."""
    total = 0
    while handled := relay_once(tenant_id=tenant_id):
        total += handled
    return total


def _due(tenant_id: UUID | None) -> list[tuple[int, UUID]]:
    """Return a batch of what is due, oldest first, with its hints in front.

    Somebody waits for a hint, and it needs nothing from the facts of its transaction. Those before
    it in the batch may take a while; what they change has hints of its own.
    """
    rows = OutboxRow.objects.extra(where=["parked_at IS NULL AND due_at <= clock_timestamp()"])
    if tenant_id is not None:
        rows = rows.filter(tenant_id=tenant_id)
    found = rows.order_by("id").values_list("id", "tenant_id", "kind")[:BATCH]
    return [(row, tenant) for row, tenant, _kind in sorted(found, key=lambda one: one[2] != "hint")]


def _deliver(row_id: int, tenant_id: UUID) -> int:
    """Deliver one row under its lock; 0 when another relay has it or it failed."""
    try:
        with tenancy.scope(tenant_id):
            row = OutboxRow.objects.select_for_update(skip_locked=True).filter(pk=row_id).first()
            if row is None:
                return 0
            _DELIVERY[row.kind](row)
            row.delete()
    except Exception as error:  # noqa: BLE001 - one bad row must not stop the others
        _put_off(row_id, error)
        return 0
    return 1


def _deliver_fact(row: OutboxRow) -> None:
    handler = outbox.handler_named(row.target, row.payload["handler"])
    if handler is None:
        raise LookupError(f"no subscriber {row.payload['handler']}")
    actor = Actor.from_dict(row.payload["actor"])
    logs.bind(tenant=str(row.tenant_id), request=actor.request)
    handler(actor=actor, subject=UUID(row.payload["subject"]), data=row.payload["data"])


def _deliver_task(row: OutboxRow) -> None:
    current_app.send_task(row.target, kwargs=row.payload["kwargs"], retry=False)


def _deliver_hint(row: OutboxRow) -> None:
    # The row lock of the topic orders its numbers; they are given here and not by the writer,
    # because writers commit in another order than they draw numbers.
    seq = _next_seq(row.tenant_id, row.target)
    try:
        live.send_hint(row.tenant_id, row.target, seq, row.payload)
    except Exception as error:  # noqa: BLE001 - without Redis pages poll; the number still grows
        log.warning("relay.hint_not_sent", topic=row.target, error=type(error).__name__)


_DELIVERY: dict[str, Callable[[OutboxRow], None]] = {
    "fact": _deliver_fact,
    "task": _deliver_task,
    "hint": _deliver_hint,
}


def _next_seq(tenant_id: UUID, topic: str) -> int:
    table = TopicSeq._meta.db_table  # noqa: SLF001 - Django's documented way to a table's name
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (tenant_id, topic, seq) VALUES (%s, %s, 1) "  # noqa: S608
            f"ON CONFLICT (tenant_id, topic) DO UPDATE SET seq = {table}.seq + 1 RETURNING seq",
            [tenant_id, topic],
        )
        row: tuple[int] = cursor.fetchone()
    return row[0]


def _put_off(row_id: int, error: Exception) -> None:
    """Try again later, ever more rarely; park a row that keeps failing, for the health page."""
    with tenancy.unscoped():
        row = OutboxRow.objects.select_for_update(skip_locked=True).filter(pk=row_id).first()
        if row is None:
            return
        row.attempts += 1
        row.error = f"{type(error).__name__}: {error}"[:500]
        wait_s = min(0.5 * 2**row.attempts, BACK_OFF_MOST_S)
        now = clock.now()
        row.due_at = clock.later(now, seconds=wait_s)
        if row.attempts >= PARK_AFTER:
            row.parked_at = now
        row.save(update_fields=["attempts", "error", "due_at", "parked_at"])
    log.warning(
        "outbox.delivery_failed",
        kind=row.kind,
        target=row.target,
        attempt=row.attempts,
        error=row.error,
        exc_info=error if row.kind == "fact" else None,
    )
