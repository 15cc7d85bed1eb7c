"""The trail's tables, all insert-only; what only SQL can state is in `migrations/*.sql`.

The application may insert events and nothing else; entries, tiles and heads are the sealer's,
checkpoints the signer's. Columns that only the database fills (`epoch`, `xid`) are left out of the
models on purpose.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from audit.envelope import microseconds_of


class AuditEvent(models.Model):
    """A fact as it was recorded. `id` has holes: it is a handle and never shown as a sequence."""

    id = models.BigIntegerField(primary_key=True)
    received_at = models.DateTimeField()
    tenant_id = models.UUIDField()
    event_uid = models.UUIDField()
    keep = models.TextField()
    envelope = models.BinaryField()

    class Meta:
        db_table = "audit_event"

    @property
    def received_us(self) -> int:
        """Return the receive time as it stands in the leaf."""
        return microseconds_of(self.received_at)


class AuditBlob(models.Model):
    """A part of an event that is too large for its leaf, which holds the digest instead.

    Keyed by event, not by digest: two transactions with equal content must not wait for each other.
    """

    pk = models.CompositePrimaryKey("tenant_id", "event_uid", "name")
    tenant_id = models.UUIDField()
    event_uid = models.UUIDField()
    name = models.TextField()
    media_type = models.TextField()
    body = models.BinaryField()

    class Meta:
        db_table = "audit_blob"


class AuditLog(models.Model):
    """One RFC 6962 log: of a tenant, or the meta log above all of them."""

    id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField(null=True)
    kind = models.TextField()
    origin = models.TextField()

    class Meta:
        db_table = "audit_log"


class AuditRound(models.Model):
    """One pass of the sealer and the snapshot that it took."""

    round_no = models.BigIntegerField(primary_key=True)
    epoch = models.IntegerField()
    sealed_us = models.BigIntegerField()

    class Meta:
        db_table = "audit_round"


class AuditEntry(models.Model):
    """An event with its place in the log."""

    pk = models.CompositePrimaryKey("log_id", "index")
    log_id = models.UUIDField()
    index = models.BigIntegerField()
    event_id = models.BigIntegerField()
    tenant_id = models.UUIDField()
    leaf_hash = models.BinaryField()
    round_no = models.BigIntegerField()
    received_us = models.BigIntegerField()

    class Meta:
        db_table = "audit_entry"


class AuditTile(models.Model):
    """256 neighbouring hashes of one level; only full tiles are stored."""

    pk = models.CompositePrimaryKey("log_id", "level", "number")
    log_id = models.UUIDField()
    level = models.SmallIntegerField()
    number = models.BigIntegerField()
    tenant_id = models.UUIDField(null=True)
    hashes = models.BinaryField()

    class Meta:
        db_table = "audit_tile"


class AuditHead(models.Model):
    """Size and root of a log after a round."""

    pk = models.CompositePrimaryKey("log_id", "size")
    log_id = models.UUIDField()
    size = models.BigIntegerField()
    round_no = models.BigIntegerField()
    tenant_id = models.UUIDField(null=True)
    root = models.BinaryField()
    edge = models.BinaryField()
    sealed_us = models.BigIntegerField()

    class Meta:
        db_table = "audit_head"


class AuditCheckpoint(models.Model):
    """A head with the signer's name under it, as a C2SP signed note."""

    pk = models.CompositePrimaryKey("log_id", "size")
    log_id = models.UUIDField()
    size = models.BigIntegerField()
    tenant_id = models.UUIDField(null=True)
    root = models.BinaryField()
    note = models.TextField()
    vkey = models.TextField()
    signed_us = models.BigIntegerField()

    class Meta:
        db_table = "audit_checkpoint"


class _Searchable(models.Model):
    """The columns of the search table. Empty text: the entry has no such thing."""

    pk = models.CompositePrimaryKey("log_id", "index")
    log_id = models.UUIDField()
    index = models.BigIntegerField()
    event_id = models.BigIntegerField()
    tenant_id = models.UUIDField()
    received_us = models.BigIntegerField()
    action = models.TextField()
    kind = models.TextField()
    actor_kind = models.TextField()
    actor_id = models.TextField()
    actor_label = models.TextField()
    target_type = models.TextField()
    target_id = models.TextField()
    agent = models.TextField()  # slug
    agent_label = models.TextField()  # title at that time
    run = models.TextField()
    version = models.TextField()  # of the agent
    tool = models.TextField()
    trace = models.TextField()  # or the request, where no trace was recorded
    proposal = models.TextField()
    digest = models.TextField()  # of the content that it is about
    outcome = models.TextField()
    claimed_us = models.BigIntegerField(null=True)
    ids = ArrayField(models.TextField())
    tokens = ArrayField(models.TextField())  # "field:value" of fields with several values
    words = SearchVectorField()

    class Meta:
        abstract = True


class AuditSearch(_Searchable):
    """Sealed entries in columns to search by. Disposable: it proves nothing and can be rebuilt."""

    class Meta:
        db_table = "audit_search"


class AuditSearchWindow(_Searchable):
    """The same rows through a view that names the tenant itself.

    Row-level security lets no index be used for an operator that might tell of rows it looks at,
    and those of lists and words are such. The view applies the same condition as the policy does.
    """

    class Meta:
        managed = False
        db_table = "audit_search_window"


class AuditFacetDay(models.Model):
    """How many entries of a day have a value; kept in the projector's transaction."""

    pk = models.CompositePrimaryKey("tenant_id", "facet", "day", "kind", "value")
    tenant_id = models.UUIDField()
    facet = models.TextField()
    day = models.DateField()
    kind = models.TextField()
    value = models.TextField()
    label = models.TextField()
    count = models.BigIntegerField()

    class Meta:
        db_table = "audit_facet_day"


class AuditSearchName(models.Model):
    """A name in lower case that an id went by, so that people are found by name."""

    pk = models.CompositePrimaryKey("tenant_id", "field", "name", "value")
    tenant_id = models.UUIDField()
    field = models.TextField()
    name = models.TextField()
    value = models.TextField()

    class Meta:
        db_table = "audit_search_name"


class AuditSearchState(models.Model):
    """How far the search table has come."""

    log_id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    next_index = models.BigIntegerField()
    parity_next = models.BigIntegerField(default=0)  # where the comparison with the entries goes on
    repairs = models.IntegerField(default=0)  # since it last began

    class Meta:
        db_table = "audit_search_state"


class AuditRepeat(models.Model):
    """Equal reads and refusals of one actor within a minute, counted and not recorded singly."""

    pk = models.CompositePrimaryKey("tenant_id", "actor", "what")
    tenant_id = models.UUIDField()
    actor = models.TextField()
    what = models.BinaryField()
    recorded_us = models.BigIntegerField()
    repeats = models.IntegerField(default=0)
    act = models.TextField(default="")  # JSON: what to record of those that nobody repeats

    class Meta:
        db_table = "audit_repeat"
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(repeats__gte=0), name="repeats_not_negative")
        ]


class AuditAlarm(models.Model):
    """What is wrong with a tenant's trail, until somebody put it right; events tell of both."""

    pk = models.CompositePrimaryKey("tenant_id", "code")
    tenant_id = models.UUIDField()
    code = models.TextField()
    sentences = models.JSONField()
    raised_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "audit_alarm"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(code__in=["guards", "log", "meta", "search", "signer"]),
                name="alarm_code_known",
            )
        ]


class AuditWatch(models.Model):
    """What a duty of the trail saw when it last looked; for pages, decides nothing."""

    name = models.TextField(primary_key=True)
    at = models.DateTimeField()
    body = models.JSONField()

    class Meta:
        db_table = "audit_watch"


class AuditPatrol(models.Model):
    """How far continuous verification has come in a log; `scope` is its whole or its newest day."""

    pk = models.CompositePrimaryKey("log_id", "scope")
    log_id = models.UUIDField()
    scope = models.TextField()
    tenant_id = models.UUIDField(null=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    next_index = models.BigIntegerField()
    edge = models.BinaryField()
    found = models.IntegerField()

    class Meta:
        db_table = "audit_patrol"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(scope__in=["newest", "whole"]), name="patrol_scope_known"
            )
        ]
