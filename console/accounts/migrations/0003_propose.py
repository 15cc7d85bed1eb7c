from django.db import migrations, models

SCOPES = [
    "approvals.view",
    "approvals.propose",
    "runs.view",
    "runs.start",
    "costs.view",
    "costs.manage",
    "audit.view",
    "audit.export",
]


class Migration(migrations.Migration):

    dependencies = [("accounts", "0002_proof")]

    operations = [
        migrations.RemoveConstraint("servicekey", "key_scopes_known"),
        migrations.AddConstraint(
            "servicekey",
            models.CheckConstraint(
                condition=models.Q(("scopes__contained_by", SCOPES)), name="key_scopes_known"
            ),
        ),
    ]
