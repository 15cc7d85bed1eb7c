"""The exact contents that a proposal had, one after the other."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from approvals.cards import Content, Image, RevisionCard
from approvals.models.columns import DIGEST_BYTES, LABEL_LENGTH, own
from console.kernel import canonical
from console.kernel.models import TenantRow


class Revision(TenantRow):
    """One exact content of a proposal; never changed."""

    proposal = own("Proposal", "revisions")
    no = models.IntegerField()
    digest = models.BinaryField(max_length=DIGEST_BYTES)
    contract_hash = models.CharField(max_length=64)
    args = models.BinaryField()  # canonical JSON; the executor's arguments are decoded from it
    before = models.BinaryField()
    before_digest = models.BinaryField(max_length=DIGEST_BYTES)
    after = models.BinaryField()
    # Of tool and arguments, under a key of the tenant: finds repeats, never authorises.
    fingerprint = models.BinaryField(max_length=DIGEST_BYTES, null=True)
    author = models.CharField(max_length=LABEL_LENGTH)
    cause = models.CharField(max_length=40)
    changed_paths = ArrayField(models.TextField(), default=list)
    # Of a plan: the digests of its changes in order, 64 hex characters each.
    children = ArrayField(models.CharField(max_length=64), null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["tenant_id", "proposal", "no"], name="revision_no_once"
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "id", "digest"], name="revision_id_digest"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["tenant_id", "fingerprint"],
                condition=Q(fingerprint__isnull=False),
                name="revision_fingerprint",
            ),
        ]

    def content(self, tool: str) -> Content:
        before, after = self.images()
        return Content(
            tool=tool,
            contract_hash=self.contract_hash,
            args=canonical.loads(bytes(self.args)),
            before=before,
            after=after,
            children=tuple(self.children or ()),
        )

    def images(self) -> tuple[Image, Image]:
        """Return the target before and after it."""
        return canonical.loads(bytes(self.before)), canonical.loads(bytes(self.after))

    def card(self, tool: str) -> RevisionCard:
        return RevisionCard(
            no=self.no,
            digest=bytes(self.digest).hex(),
            cause=self.cause,
            author=self.author,
            content=self.content(tool),
        )
