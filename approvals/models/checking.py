"""Planted checks: bad proposals that nobody meant, to see whether people still read."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from approvals.cards import CheckCard
from approvals.models.columns import DIGEST_BYTES, LABEL_LENGTH, REASON_LENGTH, own, words
from approvals.states import CheckAnswer, CheckOutcome
from console.kernel.models import TenantRow


class Check(TenantRow):
    """One bad proposal and the one person for whom it was planted; it is answered once, or lapses.

    Beside its answer nothing of it ever changes.
    """

    proposal = own("Proposal", "checks")
    person = models.ForeignKey("accounts.Person", models.PROTECT, related_name="+")
    source_id = models.UUIDField()  # the real proposal of which it was made
    because_id = models.UUIDField()  # the proposal that the person opened, which drew the lot
    template = models.CharField(max_length=40)
    wrong = models.CharField(max_length=REASON_LENGTH)  # what is wrong with it, as a sentence
    planted_at = models.DateTimeField()
    window_no = models.BigIntegerField()  # which four hours since 1970
    nonce = models.CharField(max_length=64)
    commitment = models.BinaryField(max_length=DIGEST_BYTES)
    outcome = models.CharField(max_length=8, default=CheckOutcome.WAITING.value)
    answer = models.CharField(max_length=16, default="")
    ended_at = models.DateTimeField(null=True)
    expected_s = models.SmallIntegerField(null=True)
    taken_ms = models.BigIntegerField(null=True)
    event_uid = models.UUIDField(null=True)  # of the event that revealed it

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["tenant_id", "proposal"], name="check_of_one_proposal"),
            models.UniqueConstraint(
                fields=["tenant_id", "person", "window_no"], name="check_one_in_a_window"
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "person", "because_id"], name="check_one_for_a_lot"
            ),
            # Two reviewers never meet the same one, not even made anew of the same proposal.
            models.UniqueConstraint(fields=["tenant_id", "source_id"], name="check_source_once"),
            models.CheckConstraint(
                condition=words("outcome", CheckOutcome), name="check_outcome_known"
            ),
            models.CheckConstraint(
                condition=Q(outcome=CheckOutcome.WAITING.value, ended_at__isnull=True, answer="")
                | Q(outcome=CheckOutcome.LAPSED.value, ended_at__isnull=False, answer="")
                | Q(
                    outcome=CheckOutcome.MISSED.value,
                    ended_at__isnull=False,
                    answer=CheckAnswer.APPROVE.value,
                )
                | (
                    Q(outcome=CheckOutcome.CAUGHT.value, ended_at__isnull=False)
                    & words("answer", set(CheckAnswer) - {CheckAnswer.APPROVE})
                ),
                name="check_outcome_follows",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["tenant_id", "person", "-ended_at"], name="check_of_person")
        ]

    def card(self) -> CheckCard:
        return CheckCard(
            id=self.id,
            outcome=CheckOutcome(self.outcome),
            answer=CheckAnswer(self.answer) if self.answer else None,
            wrong=self.wrong,
            ended_at=self.ended_at,
            event_uid=self.event_uid,
        )


class CheckSetting(TenantRow):
    """Whether checks are planted in a tenant; without a row they are not."""

    is_on = models.BooleanField()
    set_by = models.CharField(max_length=LABEL_LENGTH)
    set_at = models.DateTimeField()
    agreed_by = models.UUIDField(null=True)  # the proposal by which they were switched off

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["tenant_id"], name="check_setting_once")
        ]
