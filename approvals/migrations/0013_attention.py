"""How long each vote took, and how long reading what it is about usually takes."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("approvals", "0012_replay_calls"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    # Both columns are written with the vote: no grant is added, and `vote_only_voided` keeps them.
    operations: ClassVar = [
        migrations.AddField("vote", "expected_s", models.SmallIntegerField(null=True)),
        migrations.AddField("vote", "taken_ms", models.BigIntegerField(null=True)),
        # Votes of before this release know nothing of it, and stay as they are.
        AddConstraintNotValid(
            "vote",
            models.CheckConstraint(
                condition=Q(("choice", "reject"))
                # PostgreSQL checks an old row as well when it changes: when its vote is voided.
                | Q(("voided_at__isnull", False))
                | Q(("expected_s__isnull", False), ("taken_ms__isnull", False)),
                name="vote_approve_was_timed",
            ),
        ),
        migrations.AddConstraint(
            "vote",
            models.CheckConstraint(
                condition=Q(("expected_s__gte", 3), ("expected_s__lte", 120), ("taken_ms__gte", 0))
                | Q(("taken_ms__isnull", True)),
                name="vote_time_in_bounds",
            ),
        ),
        migrations.AddIndex(
            "vote",
            models.Index(fields=["tenant_id", "person", "cast_at"], name="vote_by_time"),
        ),
    ]
