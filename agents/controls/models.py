"""Tables of the switches: the epoch, the switches, and what each process has acknowledged."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from agents.controls.cards import Confirmation, Engaged, Scope, SwitchCard
from agents.controls.states import (
    EPOCH_ROW,
    REASON_LENGTH,
    VALUE_LENGTH,
    Category,
    RunsThen,
    ScopeKind,
)
from console.kernel.models import DatabaseNow, TenantRow


class Epoch(models.Model):
    """One row: a number that grows with every stop and release of the installation."""

    id = models.SmallIntegerField(primary_key=True, default=EPOCH_ROW)
    epoch = models.BigIntegerField()

    class Meta:
        db_table = "controls_epoch"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=EPOCH_ROW), name="controls_epoch_one_row")
        ]


class Switch(TenantRow):
    """A stop with its scope and reason; a released one stays as history."""

    epoch = models.BigIntegerField()
    scope_kind = models.CharField(max_length=10)
    scope_value = models.CharField(max_length=VALUE_LENGTH, default="")
    category = models.CharField(max_length=12)
    runs = models.CharField(max_length=6)
    reason = models.CharField(max_length=REASON_LENGTH)
    engaged_by_id = models.CharField(max_length=80)
    engaged_by = models.CharField(max_length=200)
    engaged_at = models.DateTimeField()
    barrier_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    unconfirmed_at = models.DateTimeField(null=True)
    asked_by_id = models.CharField(max_length=80, default="")
    asked_by = models.CharField(max_length=200, default="")
    asked_at = models.DateTimeField(null=True)
    release_reason = models.CharField(max_length=REASON_LENGTH, default="")
    released_by_id = models.CharField(max_length=80, default="")
    released_by = models.CharField(max_length=200, default="")
    released_at = models.DateTimeField(null=True)
    release_epoch = models.BigIntegerField(null=True)

    class Meta:
        db_table = "controls_switch"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(scope_kind__in=[kind.value for kind in ScopeKind]),
                name="switch_scope_known",
            ),
            models.CheckConstraint(
                condition=Q(category__in=[category.value for category in Category]),
                name="switch_category_known",
            ),
            models.CheckConstraint(
                condition=Q(runs__in=[then.value for then in RunsThen]), name="switch_runs_known"
            ),
            models.CheckConstraint(
                condition=Q(scope_kind=ScopeKind.TENANT, scope_value="")
                | (~Q(scope_kind=ScopeKind.TENANT) & ~Q(scope_value="")),
                name="switch_scope_has_target",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="switch_has_reason"),
            models.CheckConstraint(
                condition=Q(released_at__isnull=True, release_epoch__isnull=True, released_by_id="")
                | (
                    Q(released_at__isnull=False, release_epoch__isnull=False)
                    & ~Q(released_by_id="")
                    & ~Q(release_reason="")
                ),
                name="switch_release_complete",
            ),
            models.CheckConstraint(
                condition=Q(released_at__isnull=True)
                | ~Q(scope_kind=ScopeKind.TENANT)
                | (
                    ~Q(asked_by_id="")
                    & ~Q(released_by_id=models.F("asked_by_id"))
                    & ~Q(released_by_id=models.F("engaged_by_id"))
                ),
                name="switch_tenant_release_by_second_person",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_at__isnull=True) | Q(barrier_at__isnull=False),
                name="switch_confirmed_after_barrier",
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "scope_kind", "scope_value"],
                condition=Q(released_at__isnull=True),
                name="switch_one_per_scope",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant_id", "-engaged_at", "-id"], name="switch_history")
        ]

    @property
    def scope(self) -> Scope:
        return Scope(kind=ScopeKind(self.scope_kind), value=self.scope_value)

    def card(self, confirmation: Confirmation) -> SwitchCard:
        return SwitchCard(
            id=self.pk,
            scope=self.scope,
            category=Category(self.category),
            runs=RunsThen(self.runs),
            reason=self.reason,
            epoch=self.epoch,
            engaged_by=self.engaged_by,
            engaged_by_id=self.engaged_by_id,
            engaged_at=self.engaged_at,
            barrier_at=self.barrier_at,
            confirmed_at=self.confirmed_at,
            asked_by=self.asked_by,
            asked_by_id=self.asked_by_id,
            asked_at=self.asked_at,
            release_reason=self.release_reason,
            released_by=self.released_by,
            released_at=self.released_at,
            confirmation=confirmation,
        )

    def standing(self, *, age_s: int) -> Engaged:
        return Engaged(
            id=self.pk,
            scope=self.scope,
            category=Category(self.category),
            reason=self.reason,
            epoch=self.epoch,
            age_s=age_s,
        )


class Worker(models.Model):
    """One process of the installation, and the newest switch epoch that it acted on."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=20)
    host = models.CharField(max_length=120)
    pid = models.IntegerField()
    applied_epoch = models.BigIntegerField()
    started_at = models.DateTimeField(db_default=DatabaseNow())
    seen_at = models.DateTimeField(db_default=DatabaseNow())

    class Meta:
        db_table = "controls_worker"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "host", "pid"], name="controls_worker_once")
        ]
