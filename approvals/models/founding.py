"""When a tenant had its first people who could agree to anything."""

from typing import ClassVar

from django.db import models

from console.kernel.models import TenantRow


class Quorum(TenantRow):
    """From this moment on who may decide is changed by the word of two people, and for good."""

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["tenant_id"], name="quorum_once")
        ]
