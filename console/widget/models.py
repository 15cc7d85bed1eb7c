"""The widget's tables: public keys and the visitors who came under them."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from console.kernel.models import TenantRow


class WidgetKey(TenantRow):
    """A public key: it names one agent and the sites that may embed it; it is no secret."""

    public = models.CharField(max_length=80)
    title = models.CharField(max_length=80)
    agent = models.CharField(max_length=80)
    origins = ArrayField(models.CharField(max_length=200))
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "widget_key"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["public"], name="widget_key_public_once"),
            models.CheckConstraint(
                condition=models.Q(origins__len__gt=0), name="widget_key_has_an_origin"
            ),
        ]


class Visitor(TenantRow):
    """An end user of a widget; the conversation is set once, by their first message."""

    key = models.ForeignKey(WidgetKey, on_delete=models.PROTECT, related_name="visitors")
    conversation_id = models.UUIDField(null=True)

    class Meta:
        db_table = "widget_visitor"
