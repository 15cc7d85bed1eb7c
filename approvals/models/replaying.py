"""Versions asked about past calls: how far that has come, and which calls would differ."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from approvals.cards import ReplayCard, ReplayedCall
from approvals.models.columns import LABEL_LENGTH, own, words
from approvals.states import ReplaySays, ReplayState, Says
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
            held_before=self.held_before,
            held_after=self.held_after,
            started_by=self.started_by,
            created_at=self.created_at,
            moved_at=self.moved_at,
        )


class ReplayCall(TenantRow):
    """One past call that would have gone another way."""

    replay = own("Replay", "calls")
    no = models.IntegerField()  # its place among all that were looked at, the oldest is 1
    proposal_id = models.UUIDField()
    tool = models.CharField(max_length=120)
    difference = models.CharField(max_length=14)
    was = models.CharField(max_length=5)
    was_people = models.SmallIntegerField()
    says = models.CharField(max_length=5)  # empty: not replayable
    people = models.SmallIntegerField()
    rules = ArrayField(models.TextField(), default=list)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=words("difference", ReplaySays), name="replay_call_difference_known"
            ),
            models.UniqueConstraint(fields=["tenant_id", "replay", "no"], name="replay_call_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["tenant_id", "replay", "difference", "no"], name="replay_call_by_difference"
            )
        ]

    def card(self) -> ReplayedCall:
        return ReplayedCall(
            no=self.no,
            proposal_id=self.proposal_id,
            tool=self.tool,
            difference=ReplaySays(self.difference),
            was=Says(self.was),
            was_people=self.was_people,
            says=Says(self.says) if self.says else None,
            people=self.people,
            rules=tuple(self.rules),
        )
