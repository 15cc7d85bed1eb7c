"""The floor's tables: outbox rows, topic numbers, leases and idempotency keys."""

from typing import Any, ClassVar

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.functions import Now
from django.db.models.sql.compiler import SQLCompiler
from typing_extensions import override

from console.kernel.ids import uuid7


class DatabaseNow(Now):
    """The database's clock at this moment; `Now` would give the start of the transaction."""

    @override
    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any
    ) -> tuple[str, Any]:
        return self.as_sql(compiler, connection, template="CLOCK_TIMESTAMP()", **extra)


class TenantRow(models.Model):
    """A row that belongs to one tenant; its migration adds `schema.TenantTable`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant_id = models.UUIDField(editable=False)
    created_at = models.DateTimeField(db_default=DatabaseNow(), editable=False)

    class Meta:
        abstract = True


class OutboxRow(models.Model):
    """Something that leaves with a commit: a fact for a subscriber, a task, or a hint."""

    id = models.BigAutoField(primary_key=True)
    tenant_id = models.UUIDField()
    kind = models.CharField(max_length=12)
    target = models.CharField(max_length=200)
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=DatabaseNow())
    due_at = models.DateTimeField(db_default=DatabaseNow())
    attempts = models.IntegerField(default=0)
    parked_at = models.DateTimeField(null=True)
    error = models.TextField(default="")

    class Meta:
        db_table = "kernel_outbox"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["fact", "task", "hint"]), name="outbox_kind_known"
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at", "id"],
                name="outbox_due",
                condition=models.Q(parked_at__isnull=True),
            )
        ]


class TopicSeq(models.Model):
    """The newest number of a topic; the relay counts it up, so a client sees what it missed."""

    pk = models.CompositePrimaryKey("tenant_id", "topic")
    tenant_id = models.UUIDField()
    topic = models.CharField(max_length=120)
    seq = models.BigIntegerField(default=0)

    class Meta:
        db_table = "kernel_topic"


class Lease(models.Model):
    """Who may do a duty, until when, on the database's clock."""

    name = models.CharField(max_length=120, primary_key=True)
    holder = models.CharField(max_length=120)
    until = models.DateTimeField()
    last_run_at = models.DateTimeField(null=True)
    last_error = models.TextField(default="")

    class Meta:
        db_table = "kernel_lease"


class IdempotencyKey(TenantRow):
    """An answer given once; the same key with the same body gets the same answer again."""

    actor = models.CharField(max_length=80)
    key = models.CharField(max_length=120)
    route = models.CharField(max_length=200)
    body_digest = models.BinaryField(max_length=32)
    status = models.IntegerField(null=True)
    body = models.JSONField(null=True)

    class Meta:
        db_table = "kernel_idempotency"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant_id", "actor", "key"], name="idempotency_key_once"
            )
        ]
