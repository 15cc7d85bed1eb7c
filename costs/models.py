"""Tables of the meter room: dated prices for everybody, and what each model call used."""

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import Q

from console.kernel.models import DatabaseNow, TenantRow
from costs.cards import LineCard
from costs.money import DIGITS, PLACES
from costs.pricing import BASE_TIER, Multiplier, Rate
from costs.states import Basis, Factor, TokenClass

KNOWN = (Basis.LIST, Basis.NO_MODEL)


class PriceImport(models.Model):
    """One list of prices that was taken in; the same list is taken in once."""

    id = models.BigAutoField(primary_key=True)
    checksum = models.CharField(max_length=64, unique=True)  # SHA-256 of the document
    provider = models.CharField(max_length=60)
    source = models.TextField()
    imported_at = models.DateTimeField(db_default=DatabaseNow())

    class Meta:
        db_table = "costs_price_import"


class Price(models.Model):
    """One dated rate. Never changed: a new price is a new row, and booked lines keep theirs."""

    id = models.BigAutoField(primary_key=True)
    batch = models.ForeignKey(PriceImport, on_delete=models.PROTECT)
    provider = models.CharField(max_length=60)
    model = models.CharField(max_length=120)  # "*" stands for every model of the provider
    token_class = models.CharField(max_length=20)
    tier_above = models.IntegerField(default=BASE_TIER)
    rate_usd = models.DecimalField(max_digits=DIGITS, decimal_places=PLACES, null=True)
    per_units = models.IntegerField()
    effective_from = models.DateTimeField()
    source = models.TextField()

    class Meta:
        db_table = "costs_price"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=[
                    "provider",
                    "model",
                    "token_class",
                    "tier_above",
                    "effective_from",
                    "batch",
                ],
                name="price_once_per_import",
            ),
            models.CheckConstraint(
                condition=Q(rate_usd__isnull=True) | Q(rate_usd__gte=0), name="price_not_negative"
            ),
            models.CheckConstraint(condition=Q(per_units__gt=0), name="price_unit_positive"),
            models.CheckConstraint(
                condition=Q(token_class__in=[name.value for name in TokenClass]),
                name="price_class_known",
            ),
        ]

    def value(self) -> Rate:
        return Rate(
            provider=self.provider,
            model=self.model,
            token_class=TokenClass(self.token_class),
            rate=self.rate_usd,
            per=self.per_units,
            tier_above=self.tier_above,
            effective_from=self.effective_from,
            batch_no=self.batch_id,
            source=self.source,
            row_id=self.pk,
        )


class PriceFactor(models.Model):
    """One dated factor for a term of a call, like batch or US-only; never baked into a rate."""

    id = models.BigAutoField(primary_key=True)
    batch = models.ForeignKey(PriceImport, on_delete=models.PROTECT)
    provider = models.CharField(max_length=60)
    model = models.CharField(max_length=120)
    kind = models.CharField(max_length=12)
    factor = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    effective_from = models.DateTimeField()
    source = models.TextField()

    class Meta:
        db_table = "costs_price_factor"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["provider", "model", "kind", "effective_from", "batch"],
                name="price_factor_once_per_import",
            ),
            models.CheckConstraint(
                condition=Q(factor__isnull=True) | Q(factor__gt=0), name="price_factor_positive"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in Factor]),
                name="price_factor_kind_known",
            ),
        ]

    def value(self) -> Multiplier:
        return Multiplier(
            provider=self.provider,
            model=self.model,
            kind=Factor(self.kind),
            factor=self.factor,
            effective_from=self.effective_from,
            batch_no=self.batch_id,
            source=self.source,
        )


class UsageLine(TenantRow):
    """What one class of a model call came to. The run is a plain id: spending outlives runs."""

    call_id = models.UUIDField()
    run_id = models.UUIDField()
    agent = models.CharField(max_length=120)
    provider = models.CharField(max_length=60)
    model = models.CharField(max_length=120)
    token_class = models.CharField(max_length=20)
    units = models.BigIntegerField(null=True)
    price = models.ForeignKey(Price, on_delete=models.PROTECT, null=True)
    rate_usd = models.DecimalField(max_digits=DIGITS, decimal_places=PLACES, null=True)
    per_units = models.IntegerField(null=True)
    multiplier = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    cost_usd = models.DecimalField(max_digits=DIGITS, decimal_places=PLACES, null=True)
    basis = models.CharField(max_length=12)
    admitted_at = models.DateTimeField()

    class Meta:
        db_table = "costs_usage_line"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant_id", "call_id", "token_class"], name="usage_line_once_per_class"
            ),
            models.CheckConstraint(
                condition=Q(units__isnull=True) | Q(units__gte=0), name="usage_units_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(token_class__in=[name.value for name in TokenClass]),
                name="usage_class_known",
            ),
            models.CheckConstraint(
                condition=Q(basis__in=[basis.value for basis in Basis]), name="usage_basis_known"
            ),
            models.CheckConstraint(
                condition=Q(cost_usd__isnull=False, basis__in=[basis.value for basis in KNOWN])
                | (Q(cost_usd__isnull=True) & ~Q(basis__in=[basis.value for basis in KNOWN])),
                name="usage_unknown_is_not_zero",
            ),
            models.CheckConstraint(
                condition=~Q(basis=Basis.NO_MODEL) | Q(cost_usd=Decimal(0)),
                name="usage_without_model_costs_nothing",
            ),
            models.CheckConstraint(
                condition=~Q(basis=Basis.LIST) | Q(rate_usd__isnull=False, price__isnull=False),
                name="usage_list_has_its_price",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant_id", "-admitted_at", "-id"], name="usage_by_time"),
            models.Index(fields=["tenant_id", "run_id"], name="usage_by_run"),
        ]

    def card(self) -> LineCard:
        return LineCard(
            id=self.pk,
            call_id=self.call_id,
            run_id=self.run_id,
            agent=self.agent,
            provider=self.provider,
            model=self.model,
            token_class=TokenClass(self.token_class),
            units=self.units,
            rate_usd=self.rate_usd,
            per_units=self.per_units,
            multiplier=self.multiplier,
            cost_usd=self.cost_usd,
            basis=Basis(self.basis),
            admitted_at=self.admitted_at,
        )
