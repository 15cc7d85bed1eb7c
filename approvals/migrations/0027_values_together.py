from django.db import migrations, models
from django.db.models import Q

from console.kernel.schema import Sql

# Which agent uses which tool, and whom that asks, is far from chance. Without these numbers the planner takes
# what fits two of them for a share of a share, expects a page of it soon, and reads all that waits in vain.
TOGETHER = """
CREATE STATISTICS proposal_values (mcv) ON tenant_id, state, asked_key, agent_id, tool FROM approvals_proposal;
ALTER STATISTICS proposal_values SET STATISTICS 400;
"""


class Migration(migrations.Migration):

    dependencies = [("approvals", "0026_gate")]

    operations = [
        migrations.RemoveIndex("proposal", "proposal_asked"),
        migrations.AddIndex(
            "proposal",
            models.Index(
                condition=Q(("state__in", ["open", "stale"])),
                fields=["tenant_id", "asked_key", "agent_id", "tool"],
                name="proposal_asked",
            ),
        ),
        Sql(TOGETHER, "DROP STATISTICS proposal_values;"),
    ]
