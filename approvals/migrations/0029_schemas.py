"""Tools of outside agents may have a schema, by which reviewers edit their arguments."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("approvals", "0028_asked")]

    operations: ClassVar = [
        migrations.AddField("externaltool", "args_schema", models.JSONField(null=True)),
    ]
