import console.kernel.ids
import console.kernel.models
import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

from console.kernel.schema import AppendOnly, Governed, Sql, TenantTable

KEYS = """
ALTER TABLE approvals_comment ADD CONSTRAINT comment_binds_digest
  FOREIGN KEY (tenant_id, proposal_id, revision_id, digest)
  REFERENCES approvals_revision (tenant_id, proposal_id, id, digest);
ALTER TABLE approvals_comment ADD CONSTRAINT comment_answers_same_proposal
  FOREIGN KEY (tenant_id, proposal_id, answers_id)
  REFERENCES approvals_comment (tenant_id, proposal_id, id);
ALTER TABLE approvals_probe ADD CONSTRAINT probe_of_proposal
  FOREIGN KEY (tenant_id, proposal_id) REFERENCES approvals_proposal (tenant_id, id);
"""
DROP_KEYS = """
ALTER TABLE approvals_probe DROP CONSTRAINT probe_of_proposal;
ALTER TABLE approvals_comment DROP CONSTRAINT comment_answers_same_proposal;
ALTER TABLE approvals_comment DROP CONSTRAINT comment_binds_digest;
"""


class Migration(migrations.Migration):

    dependencies = [("approvals", "0004_clocks")]

    operations = [
        migrations.CreateModel(
            name="Comment",
            fields=[
                ("id", models.UUIDField(default=console.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField(editable=False)),
                ("created_at", models.DateTimeField(db_default=console.kernel.models.DatabaseNow(), editable=False)),
                ("digest", models.BinaryField(max_length=32)),
                ("kind", models.CharField(max_length=16)),
                ("text", models.TextField()),
                ("author_kind", models.CharField(max_length=12)),
                ("author_id", models.CharField(max_length=80)),
                ("author_label", models.CharField(max_length=200)),
                ("said_at", models.DateTimeField()),
                ("event_uid", models.UUIDField()),
                ("proposal", models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name="comments", to="approvals.proposal")),
                ("revision", models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name="comments", to="approvals.revision")),
                ("answers", models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="answered_by", to="approvals.comment")),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=Q(kind__in=["answer", "note", "question", "request_changes"]), name="comment_kind_known"),
                    models.CheckConstraint(condition=Q(text__regex="\\S"), name="comment_says_something"),
                    models.CheckConstraint(condition=Q(kind="answer", answers__isnull=False) | (~Q(kind="answer") & Q(answers__isnull=True)), name="comment_answers_something"),
                    models.UniqueConstraint(fields=("tenant_id", "answers"), condition=Q(answers__isnull=False), name="comment_answered_once"),
                    models.UniqueConstraint(fields=("tenant_id", "proposal", "id"), name="comment_of_proposal_id"),
                ],
                "indexes": [
                    models.Index(fields=["tenant_id", "proposal", "said_at"], name="comment_thread"),
                    models.Index(fields=["tenant_id", "said_at"], condition=Q(kind__in=["question", "request_changes"]), name="comment_asked"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Probe",
            fields=[
                ("id", models.UUIDField(default=console.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField(editable=False)),
                ("created_at", models.DateTimeField(db_default=console.kernel.models.DatabaseNow(), editable=False)),
                ("probed_at", models.DateTimeField()),
                ("proposal", models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name="probes", to="approvals.proposal")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("tenant_id", "proposal"), name="probe_once"),
                ],
            },
        ),
        Sql(KEYS, DROP_KEYS),
        # The title is made from the arguments, and an edit changes those.
        Sql(
            "GRANT UPDATE (title) ON approvals_proposal TO signalbox_app;",
            "REVOKE UPDATE (title) ON approvals_proposal FROM signalbox_app;",
        ),
        TenantTable("approvals_comment", grants="SELECT, INSERT"),
        AppendOnly("approvals_comment"),
        Governed("approvals_comment"),
        # When a target was last looked at, is no fact about the proposal; what was found is an event.
        TenantTable("approvals_probe", grants="SELECT, INSERT, UPDATE (probed_at)"),
    ]
