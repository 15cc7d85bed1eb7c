"""The agent's slug is what is searched, its title what is shown; the search table is filled anew."""

from django.db import migrations, models

from console.kernel.schema import Sql


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_lighter_append")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                Sql(
                    "TRUNCATE audit_search, audit_search_state;"
                    "ALTER TABLE audit_search ADD COLUMN agent_label text NOT NULL;",
                    "TRUNCATE audit_search, audit_search_state;"
                    "ALTER TABLE audit_search DROP COLUMN agent_label;",
                )
            ],
            state_operations=[
                migrations.AddField(
                    "auditsearch", "agent_label", models.TextField(), preserve_default=False
                )
            ],
        )
    ]
