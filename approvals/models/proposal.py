"""A proposal with its contents, its chain, its requirement and the stops that hold it."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from approvals import policies
from approvals.cards import (
    Content,
    Principal,
    ProposalCard,
    ProposalFacts,
    Requirement,
    Subject,
)
from approvals.models.columns import DIGEST_BYTES, LABEL_LENGTH, TITLE_LENGTH, own, words
from approvals.states import (
    DECIDABLE,
    FINAL,
    LIVE,
    PrincipalRole,
    ProposalState,
)
from console.kernel import canonical
from console.kernel.models import TenantRow


class Proposal(TenantRow):
    """A change that waits for people, or has."""

    subject_kind = models.CharField(max_length=40)
    subject_id = models.UUIDField()
    tool = models.CharField(max_length=120)
    tool_id = models.UUIDField(null=True)  # for rights on single tools
    tier = models.SmallIntegerField()
    title = models.CharField(max_length=TITLE_LENGTH)
    agent_id = models.CharField(max_length=80)
    agent_label = models.CharField(max_length=LABEL_LENGTH)
    run_id = models.UUIDField(null=True)
    conversation_id = models.UUIDField(null=True)
    undo = models.TextField()
    why = models.TextField()
    tool_summary = models.TextField()
    state = models.CharField(max_length=12)
    revision_no = models.IntegerField(default=1)
    refresh_count = models.IntegerField(default=0)
    window_opened_at = models.DateTimeField()
    window_s = models.IntegerField()
    decide_by = models.DateTimeField()
    execute_by = models.DateTimeField(null=True)
    moved_at = models.DateTimeField()  # when it came into its state
    close_cause = models.CharField(max_length=200, default="")
    unfillable_since = models.DateTimeField(null=True)
    supersedes = models.UUIDField(null=True)
    observed_before = models.BinaryField(null=True)  # what was found in place of the before-image
    row_version = models.IntegerField(default=1)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=words("state", ProposalState), name="proposal_state_known"
            ),
            models.CheckConstraint(condition=Q(tier__in=[1, 2]), name="proposal_tier_known"),
            models.CheckConstraint(
                condition=(words("state", DECIDABLE) & Q(execute_by__isnull=True))
                | Q(state=ProposalState.APPROVED.value, execute_by__isnull=False)
                | words("state", FINAL),
                name="proposal_clock_for_state",
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "subject_kind", "subject_id"],
                condition=words("state", LIVE),
                name="proposal_one_live_per_subject",
            ),
            models.UniqueConstraint(fields=["tenant_id", "id"], name="proposal_of_tenant"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["tenant_id", "decide_by", "-tier", "id"],
                condition=words("state", DECIDABLE),
                name="proposal_by_deadline",
            ),
            models.Index(
                fields=["tenant_id", "-moved_at", "-id"],
                condition=~words("state", DECIDABLE),
                name="proposal_newest_decided",
            ),
            models.Index(
                fields=["tenant_id", "execute_by"],
                condition=Q(state=ProposalState.APPROVED.value),
                name="proposal_approved",
            ),
            models.Index(
                fields=["tenant_id", "subject_kind", "subject_id"], name="proposal_subject"
            ),
            models.Index(fields=["tenant_id", "run_id"], name="proposal_run"),
        ]

    def card(self, *, revision: "Revision", needs: int, frozen: bool) -> ProposalCard:
        return ProposalCard(
            id=self.id,
            subject=Subject(kind=self.subject_kind, id=self.subject_id),
            state=ProposalState(self.state),
            title=self.title,
            tool=self.tool,
            tier=self.tier,
            agent_id=self.agent_id,
            agent_label=self.agent_label,
            run_id=self.run_id,
            conversation_id=self.conversation_id,
            revision_no=self.revision_no,
            digest=bytes(revision.digest).hex(),
            needs=needs,
            opened_at=self.created_at,
            decide_by=self.decide_by,
            execute_by=self.execute_by,
            moved_at=self.moved_at,
            frozen=frozen,
        )

    def facts(self) -> ProposalFacts:
        return ProposalFacts(
            title=self.title,
            tier=self.tier,
            agent_id=self.agent_id,
            agent_label=self.agent_label,
            run_id=self.run_id,
            conversation_id=self.conversation_id,
            undo=self.undo,
            why=self.why,
            tool_summary=self.tool_summary,
        )


class Revision(TenantRow):
    """One exact content of a proposal; never changed."""

    proposal = own("Proposal", "revisions")
    no = models.IntegerField()
    digest = models.BinaryField(max_length=DIGEST_BYTES)
    contract_hash = models.CharField(max_length=64)
    args = models.BinaryField()  # canonical JSON; the executor's arguments are decoded from it
    before = models.BinaryField()
    before_digest = models.BinaryField(max_length=DIGEST_BYTES)
    after = models.BinaryField()
    author = models.CharField(max_length=LABEL_LENGTH)
    cause = models.CharField(max_length=40)
    changed_paths = ArrayField(models.TextField(), default=list)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["tenant_id", "proposal", "no"], name="revision_no_once"
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "id", "digest"], name="revision_id_digest"
            ),
        ]

    def content(self, tool: str) -> Content:
        return Content(
            tool=tool,
            contract_hash=self.contract_hash,
            args=canonical.loads(bytes(self.args)),
            before=canonical.loads(bytes(self.before)),
            after=canonical.loads(bytes(self.after)),
        )


class PrincipalRow(TenantRow):
    """One member of the principal chain; never changed."""

    proposal = own("Proposal", "principals")
    role = models.CharField(max_length=12)
    actor_kind = models.CharField(max_length=12)
    actor_id = models.CharField(max_length=80)
    label = models.CharField(max_length=LABEL_LENGTH)
    person_id = models.UUIDField(null=True)

    class Meta:
        db_table = "approvals_principal"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=words("role", PrincipalRole), name="principal_role_known"
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "proposal", "role", "actor_kind", "actor_id"],
                name="principal_once",
            ),
        ]

    def card(self) -> Principal:
        return Principal(
            role=PrincipalRole(self.role),
            actor_kind=self.actor_kind,
            actor_id=self.actor_id,
            label=self.label,
            person_id=self.person_id,
        )


class RequirementRow(TenantRow):
    """Who must agree, frozen when the proposal opened; never changed, so never loosened."""

    proposal = own("Proposal", "requirements")
    blocks = models.JSONField()
    people = models.SmallIntegerField()
    asked_groups = ArrayField(models.CharField(max_length=63))
    blind = models.BooleanField()
    decide_s = models.IntegerField()
    execute_s = models.IntegerField()
    on_expiry = models.CharField(max_length=12)
    explanation = models.TextField()

    class Meta:
        db_table = "approvals_requirement"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["tenant_id", "proposal"], name="requirement_once"),
            models.CheckConstraint(condition=Q(people__gte=1), name="requirement_needs_somebody"),
            models.CheckConstraint(condition=Q(on_expiry="refuse"), name="requirement_on_expiry"),
        ]

    def card(self) -> Requirement:
        return Requirement(
            blocks=policies.blocks_from(self.blocks),
            blind=self.blind,
            decide_s=self.decide_s,
            execute_s=self.execute_s,
            on_expiry=self.on_expiry,
            explanation=self.explanation,
        )


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
