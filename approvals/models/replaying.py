"""Versions asked about past calls, as far as that has come."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from approvals.cards import ReplayCard
from approvals.models.columns import LABEL_LENGTH, own, words
from approvals.states import ReplayState
from console.kernel.models import TenantRow


class Replay(TenantRow):
    """One question about the past; nothing follows from its answer."""

    version = own("PolicyVersion", "replays")
    days = models.SmallIntegerField()
    state = models.CharField(max_length=10)
    since = models.DateTimeField()
    until = models.DateTimeField()
    total = models.IntegerField()
    done = models.IntegerField(default=0)
    last_at = models.DateTimeField()  # the last evaluation that was looked at, and its id
    last_id = models.UUIDField()
    counts = models.JSONField(default=dict)
    examples = models.JSONField(default=list)
    held_before = models.IntegerField(default=0)
    held_after = models.IntegerField(default=0)
    started_by = models.CharField(max_length=LABEL_LENGTH)
    moved_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=words("state", ReplayState), name="replay_state_known"
            ),
            models.CheckConstraint(
                condition=Q(days__gte=1, days__lte=366, done__gte=0, done__lte=F("total")),
                name="replay_in_bounds",
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "version"],
                condition=Q(state=ReplayState.RUNNING.value),
                name="replay_one_running",
            ),
        ]

    def card(self) -> ReplayCard:
        return ReplayCard(
            id=self.id,
            version_id=self.version_id,
            days=self.days,
            state=ReplayState(self.state),
            until=self.until,
            total=self.total,
            done=self.done,
            counts=self.counts,
            examples=tuple(self.examples),
            held_before=self.held_before,
            held_after=self.held_after,
            started_by=self.started_by,
            created_at=self.created_at,
            moved_at=self.moved_at,
        )
