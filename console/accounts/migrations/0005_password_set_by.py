"""Who else last set the password of a person: whoever agrees to their say has to know."""

from typing import ClassVar

from django.db import migrations, models

from console.kernel import schema

COLUMNS = "password_set_by, password_set_at"


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0004_challenge_purpose")]

    operations: ClassVar = [
        migrations.AddField(
            "person", "password_set_by", models.CharField(db_default="", max_length=120)
        ),
        migrations.AddField("person", "password_set_at", models.DateTimeField(null=True)),
        schema.Sql(
            f"GRANT UPDATE ({COLUMNS}) ON accounts_person TO signalbox_app;",
            f"REVOKE UPDATE ({COLUMNS}) ON accounts_person FROM signalbox_app;",
        ),
    ]
