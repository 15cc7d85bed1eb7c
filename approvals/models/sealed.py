"""What stands behind the stand-ins of arguments that a contract hides."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from approvals.cards import SealedCard
from approvals.models.columns import DIGEST_BYTES
from console.kernel.models import TenantRow


class Sealed(TenantRow):
    """One hidden argument: salt and value, encrypted. Nothing of it changes but its erasure, once.

    It belongs to the subject of a proposal and is there before the proposal is.
    """

    subject_kind = models.CharField(max_length=32)
    subject_id = models.UUIDField()
    pointer = models.TextField()
    mac = models.BinaryField(max_length=DIGEST_BYTES)  # what stands in
    box = models.BinaryField(null=True)  # None: erased
    erased_at = models.DateTimeField(null=True)
    erased_by = models.UUIDField(null=True)  # the proposal by which people agreed to it

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["tenant_id", "mac"], name="sealed_once"),
            models.CheckConstraint(
                condition=Q(box__isnull=False, erased_at__isnull=True, erased_by__isnull=True)
                | Q(box__isnull=True, erased_at__isnull=False),
                name="sealed_kept_or_erased",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["tenant_id", "subject_kind", "subject_id"], name="sealed_of_subject"
            ),
        ]

    def card(self) -> SealedCard:
        return SealedCard(pointer=self.pointer, sealed_at=self.created_at, erased_at=self.erased_at)
