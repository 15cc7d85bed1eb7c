"""The shop's tables. Nested lists are JSON as the tools show them, with money as decimal text."""

from typing import ClassVar

from django.db import models
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Upper

from agents.showcase.retail.shapes import STATUSES
from agents.showcase.retail.state import Record
from console.kernel.models import TenantRow


class Product(TenantRow):
    product_id = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    variants = models.JSONField()
    version = models.IntegerField(default=0)

    class Meta:
        db_table = "retail_product"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant_id", "product_id"], name="product_once")
        ]

    @property
    def record(self) -> Record:
        return {"product_id": self.product_id, "name": self.name, "variants": self.variants}

    @classmethod
    def values(cls, record: Record) -> Record:
        return dict(record)


class Customer(TenantRow):
    user_id = models.CharField(max_length=64)
    first_name = models.CharField(max_length=120)
    last_name = models.CharField(max_length=120)
    email = models.CharField(max_length=254)
    address = models.JSONField()
    zip = models.GeneratedField(  # for looking people up; the database keeps it in step
        expression=KeyTextTransform("zip", "address"),
        output_field=models.CharField(max_length=40),
        db_persist=True,
    )
    payment_methods = models.JSONField()
    orders = models.JSONField()
    version = models.IntegerField(default=0)

    class Meta:
        db_table = "retail_customer"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant_id", "user_id"], name="customer_once")
        ]
        indexes: ClassVar = [
            models.Index("tenant_id", Upper("email"), name="customer_by_email"),  # iexact
            models.Index(fields=["tenant_id", "zip"], name="customer_by_zip"),
        ]

    @property
    def record(self) -> Record:
        return {
            "user_id": self.user_id,
            "name": {"first_name": self.first_name, "last_name": self.last_name},
            "address": self.address,
            "email": self.email,
            "payment_methods": self.payment_methods,
            "orders": self.orders,
        }

    @classmethod
    def values(cls, record: Record) -> Record:
        kept = {name: value for name, value in record.items() if name != "name"}
        return {**kept, **record["name"]}


class Order(TenantRow):
    order_id = models.CharField(max_length=64)
    user_id = models.CharField(max_length=64)
    status = models.CharField(max_length=40)
    address = models.JSONField()
    items = models.JSONField()
    fulfillments = models.JSONField()
    payment_history = models.JSONField()
    # What an order has only after a change; null is the same as absent.
    cancel_reason = models.CharField(max_length=40, null=True)  # noqa: DJ001
    exchange_items = models.JSONField(null=True)
    exchange_new_items = models.JSONField(null=True)
    exchange_payment_method_id = models.CharField(max_length=64, null=True)  # noqa: DJ001
    exchange_price_difference = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    return_items = models.JSONField(null=True)
    return_payment_method_id = models.CharField(max_length=64, null=True)  # noqa: DJ001
    version = models.IntegerField(default=0)

    class Meta:
        db_table = "retail_order"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant_id", "order_id"], name="order_once"),
            models.CheckConstraint(
                condition=models.Q(status__in=STATUSES), name="order_status_known"
            ),
            models.CheckConstraint(
                condition=models.Q(status="cancelled") | models.Q(cancel_reason__isnull=True),
                name="order_reason_only_if_cancelled",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["tenant_id", "user_id"], name="order_by_user")]

    @property
    def record(self) -> Record:
        found = {name: getattr(self, name) for name in _ORDER_FIELDS}
        if self.exchange_price_difference is not None:
            found["exchange_price_difference"] = f"{self.exchange_price_difference:.2f}"
        return {name: value for name, value in found.items() if value is not None}

    @classmethod
    def values(cls, record: Record) -> Record:
        return {name: record.get(name) for name in _ORDER_FIELDS}


_ORDER_FIELDS = (
    "order_id",
    "user_id",
    "status",
    "address",
    "items",
    "fulfillments",
    "payment_history",
    "cancel_reason",
    "exchange_items",
    "exchange_new_items",
    "exchange_payment_method_id",
    "exchange_price_difference",
    "return_items",
    "return_payment_method_id",
)
