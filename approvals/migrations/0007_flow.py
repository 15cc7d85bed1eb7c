from django.db import migrations, models
from django.db.models import Q

from console.kernel.schema import Sql

LINK = """
ALTER TABLE approvals_proposal ADD CONSTRAINT proposal_repeats_of_tenant
  FOREIGN KEY (tenant_id, repeats) REFERENCES approvals_proposal (tenant_id, id);
"""
DROP_LINK = "ALTER TABLE approvals_proposal DROP CONSTRAINT proposal_repeats_of_tenant;"


class Migration(migrations.Migration):

    dependencies = [("approvals", "0006_desk")]

    # Both columns are written at birth only: nothing may update them, so no grant is added.
    operations = [
        migrations.AddField("proposal", "repeats", models.UUIDField(null=True)),
        migrations.AddField("revision", "fingerprint", models.BinaryField(max_length=32, null=True)),
        migrations.AddIndex(
            "revision",
            models.Index(
                fields=["tenant_id", "fingerprint"],
                condition=Q(fingerprint__isnull=False),
                name="revision_fingerprint",
            ),
        ),
        migrations.AddConstraint(
            "proposal",
            models.CheckConstraint(
                condition=Q(repeats__isnull=True) | Q(state="blocked"), name="proposal_repeat_is_blocked"
            ),
        ),
        Sql(LINK, DROP_LINK),
    ]
