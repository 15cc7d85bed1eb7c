"""The proposals of an agent by time, for the evidence on the page of another one."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("approvals", "0009_doors")]

    operations: ClassVar = [
        migrations.AddIndex(
            "proposal",
            models.Index(fields=["tenant_id", "agent_id", "created_at"], name="proposal_of_agent"),
        ),
    ]
