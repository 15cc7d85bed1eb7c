"""A proposal with its contents, its chain, its requirement and the stops that hold it."""

from decimal import Decimal
from typing import ClassVar, Final
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from typing_extensions import override

from approvals import policies
from approvals.cards import (
    Content,
    Principal,
    ProposalCard,
    ProposalFacts,
    Requirement,
    RevisionCard,
    Subject,
)
from approvals.models.columns import DIGEST_BYTES, LABEL_LENGTH, TITLE_LENGTH, own, words
from approvals.states import (
    CHECK_STATES,
    DECIDABLE,
    FINAL,
    LIVE,
    MOST_STEPS,
    PLAN,
    OnExpiry,
    PrincipalRole,
    ProposalState,
)
from console.kernel import canonical
from console.kernel.models import TenantRow

OPENED: Final = "opened"  # why the first requirement of a proposal is there
NO_KEY: Final = UUID(int=0)


def _waiting(name: str, *fields: str) -> models.Index:
    """Return an index by which `queries/values.py` skips through what waits."""
    return models.Index(
        fields=["tenant_id", *fields], condition=words("state", DECIDABLE), name=name
    )


class Proposals(models.Manager["Proposal"]):
    """Every proposal but planted checks, so that whatever counts or tells never meets one."""

    @override
    def get_queryset(self) -> "models.QuerySet[Proposal]":
        return super().get_queryset().filter(is_check=False)


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
    clock_no = models.SmallIntegerField(default=1, db_default=1)  # counts windows and extensions
    extensions = models.SmallIntegerField(default=0, db_default=0)
    decide_by = models.DateTimeField()
    execute_by = models.DateTimeField(null=True)
    moved_at = models.DateTimeField()  # when it came into its state
    close_cause = models.CharField(max_length=200, default="")
    unfillable_since = models.DateTimeField(null=True)
    supersedes = models.UUIDField(null=True)
    repeats = models.UUIDField(null=True)  # what people rejected a short while before
    observed_before = models.BinaryField(null=True)  # what was found in place of the before-image
    row_version = models.IntegerField(default=1)
    # Of one change of a plan: written at birth, and never anew.
    plan = models.ForeignKey(
        "self", models.PROTECT, db_constraint=False, null=True, related_name="steps"
    )
    plan_pos = models.SmallIntegerField(null=True)
    is_check = models.BooleanField(default=False, db_default=False)  # planted, and never runs
    check_for = models.UUIDField(null=True)  # the one person who can open it
    # Of the newest requirement, for the lists; `proposal_asks` keeps them, the application may not.
    asked_groups = ArrayField(models.CharField(max_length=63), default=list)
    needs = models.SmallIntegerField(default=1)
    # Stands for that set of groups; `proposal_asked_key` writes it.
    asked_key = models.UUIDField(default=NO_KEY, editable=False)

    objects: ClassVar[Proposals] = Proposals()
    with_checks: ClassVar["models.Manager[Proposal]"] = models.Manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=words("state", ProposalState), name="proposal_state_known"
            ),
            models.CheckConstraint(
                condition=Q(is_check=False, check_for__isnull=True)
                | (
                    Q(is_check=True, check_for__isnull=False, execute_by__isnull=True)
                    & words("state", CHECK_STATES)
                ),
                name="proposal_check_never_runs",
            ),
            models.CheckConstraint(condition=Q(tier__in=[1, 2]), name="proposal_tier_known"),
            models.CheckConstraint(
                condition=Q(extensions__gte=0, extensions__lte=policies.MOST_EXTENSIONS),
                name="proposal_extended_twice_at_most",
            ),
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
            models.CheckConstraint(
                condition=Q(repeats__isnull=True) | Q(state=ProposalState.BLOCKED.value),
                name="proposal_repeat_is_blocked",
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "plan", "plan_pos"],
                condition=Q(plan__isnull=False),
                name="proposal_plan_pos_once",
            ),
            models.CheckConstraint(
                condition=Q(plan__isnull=True, plan_pos__isnull=True)
                | (
                    # Said of both: a check that comes to null would hold.
                    Q(plan__isnull=False, plan_pos__isnull=False)
                    & Q(plan_pos__gte=1, plan_pos__lte=MOST_STEPS)
                    & ~Q(subject_kind=PLAN)
                ),
                name="proposal_step_has_place",
            ),
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
            models.Index(fields=["tenant_id", "tool", "created_at"], name="proposal_of_tool"),
            models.Index(fields=["tenant_id", "agent_id", "created_at"], name="proposal_of_agent"),
            models.Index(
                fields=["tenant_id", "-created_at", "-id"],
                condition=words("state", DECIDABLE),
                name="proposal_by_newest",
            ),
            models.Index(
                fields=["tenant_id", "-tier", "decide_by", "id"],
                condition=words("state", DECIDABLE),
                name="proposal_by_tier",
            ),
            models.Index(
                fields=["tenant_id", "-tier", "-moved_at", "-id"],
                condition=~words("state", DECIDABLE),
                name="proposal_decided_by_tier",
            ),
            models.Index(
                fields=["tenant_id", "id"],
                condition=Q(state=ProposalState.STALE.value),
                name="proposal_stale",
            ),
            _waiting("proposal_asked", "asked_key"),
            _waiting("proposal_waiting_tool", "tool"),
            _waiting("proposal_waiting_agent", "agent_id", "agent_label"),
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
            plan_id=self.plan_id,
            plan_pos=self.plan_pos,
            steps=len(revision.children or ()),
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
    # Of tool and arguments, under a key of the tenant: finds repeats, never authorises.
    fingerprint = models.BinaryField(max_length=DIGEST_BYTES, null=True)
    author = models.CharField(max_length=LABEL_LENGTH)
    cause = models.CharField(max_length=40)
    changed_paths = ArrayField(models.TextField(), default=list)
    # Of a plan: the digests of its changes in order, 64 hex characters each.
    children = ArrayField(models.CharField(max_length=64), null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["tenant_id", "proposal", "no"], name="revision_no_once"
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "id", "digest"], name="revision_id_digest"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["tenant_id", "fingerprint"],
                condition=Q(fingerprint__isnull=False),
                name="revision_fingerprint",
            ),
        ]

    def content(self, tool: str) -> Content:
        return Content(
            tool=tool,
            contract_hash=self.contract_hash,
            args=canonical.loads(bytes(self.args)),
            before=canonical.loads(bytes(self.before)),
            after=canonical.loads(bytes(self.after)),
            children=tuple(self.children or ()),
        )

    def card(self, tool: str) -> RevisionCard:
        return RevisionCard(
            no=self.no,
            digest=bytes(self.digest).hex(),
            cause=self.cause,
            author=self.author,
            content=self.content(tool),
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
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["tenant_id", "person_id", "proposal"], name="principal_of_person")
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
    """Who must agree, frozen when the proposal opened; a later row may ask more, never less.

    The newest row counts.
    """

    proposal = own("Proposal", "requirements")
    no = models.IntegerField(default=1)
    cause = models.CharField(max_length=12, default=OPENED)
    blocks = models.JSONField()
    people = models.SmallIntegerField()
    asked_groups = ArrayField(models.CharField(max_length=63))
    blind = models.BooleanField()
    decide_s = models.IntegerField()
    execute_s = models.IntegerField()
    on_expiry = models.CharField(max_length=12)
    explanation = models.TextField()
    stepup_s = models.IntegerField(default=0)
    deny_threshold = models.SmallIntegerField(default=1)
    ladder = models.JSONField(default=list)
    batch_most = models.SmallIntegerField(default=0)
    standing = models.BooleanField(default=False)
    sample = models.DecimalField(max_digits=5, decimal_places=4, default=Decimal)
    policy_version = models.UUIDField(null=True)

    class Meta:
        db_table = "approvals_requirement"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["tenant_id", "proposal", "no"], name="requirement_no_once"
            ),
            models.CheckConstraint(condition=Q(people__gte=1), name="requirement_needs_somebody"),
            models.CheckConstraint(
                condition=words("on_expiry", OnExpiry), name="requirement_on_expiry"
            ),
            models.CheckConstraint(
                condition=Q(
                    decide_s__gt=0,
                    execute_s__gt=0,
                    stepup_s__gte=0,
                    deny_threshold__gte=1,
                    batch_most__gte=0,
                    sample__gte=0,
                    sample__lte=1,
                ),
                name="requirement_in_bounds",
            ),
        ]

    @classmethod
    def of(
        cls, proposal: Proposal, requirement: Requirement, *, no: int = 1, cause: str = OPENED
    ) -> "RequirementRow":
        """Return the row that freezes a requirement."""
        return cls(
            tenant_id=proposal.tenant_id,
            proposal=proposal,
            no=no,
            cause=cause,
            blocks=policies.requirement_as_dict(requirement),
            people=requirement.people,
            asked_groups=sorted(policies.asked_groups(requirement)),
            blind=requirement.blind,
            decide_s=requirement.decide_s,
            execute_s=requirement.execute_s,
            on_expiry=requirement.on_expiry,
            explanation=requirement.explanation,
            stepup_s=requirement.stepup_s,
            deny_threshold=requirement.deny_threshold,
            ladder=policies.ladder_as_list(requirement.ladder),
            batch_most=requirement.batch_most,
            standing=requirement.standing,
            sample=Decimal(requirement.sample),
            policy_version=requirement.policy_version,
        )

    @classmethod
    def newest(cls, proposal: Proposal) -> "RequirementRow":
        """Return the row that counts."""
        return cls.objects.filter(proposal=proposal).latest("no")

    def card(self) -> Requirement:
        return Requirement(
            blocks=policies.blocks_from(self.blocks),
            blind=self.blind,
            decide_s=self.decide_s,
            execute_s=self.execute_s,
            on_expiry=self.on_expiry,
            explanation=self.explanation,
            stepup_s=self.stepup_s,
            deny_threshold=self.deny_threshold,
            ladder=policies.ladder_from(self.ladder),
            batch_most=self.batch_most,
            standing=self.standing,
            sample=f"{self.sample.normalize():f}",
            policy_version=self.policy_version,
        )
