"""When a proposal has to be looked at again, and when its clock stands still."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from approvals import policies
from approvals.models.columns import own, words
from approvals.states import TimerKind
from console.kernel.models import TenantRow


class Timer(TenantRow):
    """One moment of a proposal's clock.

    Nothing is decided by it: every command settles the clock of its proposal by itself. It tells
    pulse where to look. Without `due_at` it sleeps: a stop holds the clock, or the proposal is in
    another state.
    """

    proposal = own("Proposal", "timers")
    kind = models.CharField(max_length=8)
    step = models.SmallIntegerField()  # of a rung, its share in 1/10000; else 0
    clock_no = models.SmallIntegerField()  # Proposal.clock_no for which it was laid
    due_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=words("kind", TimerKind), name="timer_kind_known"),
            models.UniqueConstraint(
                fields=["tenant_id", "proposal", "kind", "step", "clock_no"], name="timer_once"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # Without the tenant: pulse asks one question for all of them.
            models.Index(
                fields=["due_at"],
                condition=Q(done_at__isnull=True, due_at__isnull=False),
                name="timer_due",
            ),
        ]


class Freeze(TenantRow):
    """A time in which a proposal's decide clock stands still."""

    proposal = own("Proposal", "freezes")
    cause = models.CharField(max_length=120)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["tenant_id", "proposal", "cause"],
                condition=Q(until__isnull=True),
                name="freeze_once_open",
            ),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=F("since")),
                name="freeze_ends_after_it_began",
            ),
        ]

    def card(self) -> policies.Freeze:
        return policies.Freeze(cause=self.cause, since=self.since, until=self.until)
