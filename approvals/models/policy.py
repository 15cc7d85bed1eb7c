"""Policies as versions that never change, and what they said about each proposal."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from approvals import policies
from approvals.cards import EvaluationCard, PolicyVersionCard
from approvals.models.columns import DIGEST_BYTES, LABEL_LENGTH, own, words
from approvals.states import PolicyState, Purpose, Says
from console.kernel import canonical
from console.kernel.models import TenantRow

NAME_LENGTH = 63


class PolicyVersion(TenantRow):
    """One body of a policy. It only moves through its states; what it says never changes."""

    policy = models.CharField(max_length=NAME_LENGTH)
    no = models.IntegerField()
    body = models.BinaryField()  # canonical JSON
    digest = models.BinaryField(max_length=DIGEST_BYTES)  # SHA-256 of the body
    state = models.CharField(max_length=8)
    note = models.TextField()
    author = models.CharField(max_length=LABEL_LENGTH)
    author_id = models.CharField(max_length=80)
    moved_at = models.DateTimeField()  # when it came into its state
    activated_by = models.UUIDField(null=True)  # the proposal by which people agreed to it

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=words("state", PolicyState), name="policy_state_known"
            ),
            models.UniqueConstraint(fields=["tenant_id", "policy", "no"], name="policy_no_once"),
            models.UniqueConstraint(
                fields=["tenant_id", "policy"],
                condition=Q(state=PolicyState.ACTIVE.value),
                name="policy_one_active",
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "policy"],
                condition=Q(state=PolicyState.SHADOW.value),
                name="policy_one_shadow",
            ),
            models.CheckConstraint(
                condition=~Q(state=PolicyState.ACTIVE.value) | Q(activated_by__isnull=False),
                name="policy_active_was_agreed",
            ),
        ]

    def active(self) -> policies.Active:
        """Return it as the evaluator takes it; the same bytes are parsed once."""
        return policies.Active(version=self.id, policy=policies.parsed(bytes(self.body)))

    def card(self) -> PolicyVersionCard:
        return PolicyVersionCard(
            id=self.id,
            policy=self.policy,
            no=self.no,
            body=canonical.loads(bytes(self.body)),
            digest=bytes(self.digest).hex(),
            state=PolicyState(self.state),
            note=self.note,
            author=self.author,
            author_id=self.author_id,
            created_at=self.created_at,
            moved_at=self.moved_at,
            activated_by=self.activated_by,
        )


class Evaluation(TenantRow):
    """What versions said about one revision, and on what facts; never changed.

    Arguments and images are those of the revision and not repeated here.
    """

    proposal = own("Proposal", "evaluations")
    revision_no = models.IntegerField()
    purpose = models.CharField(max_length=8)
    versions = ArrayField(models.UUIDField())
    facts = models.JSONField()
    outcome = models.CharField(max_length=5)
    rules = ArrayField(models.TextField(), default=list)
    people = models.SmallIntegerField()  # different people that it asks for; 0 for none
    blocks = models.JSONField(default=list)
    trace = models.JSONField()
    flag = models.TextField(default="")  # why it is the floor of the tier, if the rules failed

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=words("purpose", Purpose), name="evaluation_purpose_known"
            ),
            models.CheckConstraint(condition=words("outcome", Says), name="evaluation_says_known"),
            models.UniqueConstraint(
                fields=["tenant_id", "proposal", "revision_no"],
                condition=Q(purpose=Purpose.PROPOSE.value),
                name="evaluation_once_per_revision",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["tenant_id", "proposal", "revision_no"], name="evaluation_of"),
            models.Index(fields=["tenant_id", "purpose", "-created_at"], name="evaluation_newest"),
        ]

    def card(self) -> EvaluationCard:
        return EvaluationCard(
            id=self.id,
            proposal_id=self.proposal_id,
            revision_no=self.revision_no,
            purpose=Purpose(self.purpose),
            versions=tuple(self.versions),
            facts=self.facts,
            says=Says(self.outcome),
            rules=tuple(self.rules),
            people=self.people,
            blocks=policies.blocks_from(self.blocks),
            trace=tuple(self.trace),
            flag=self.flag,
            at=self.created_at,
        )
