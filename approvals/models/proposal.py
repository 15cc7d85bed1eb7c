"""A proposal, and the principal chain that may not vote on it."""

from typing import ClassVar, Final
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from typing_extensions import override

from approvals import policies
from approvals.cards import Principal, ProposalCard, ProposalFacts, Subject
from approvals.models.columns import LABEL_LENGTH, TITLE_LENGTH, own, words
from approvals.models.revision import Revision
from approvals.states import (
    CHECK_STATES,
    DECIDABLE,
    FINAL,
    LIVE,
    MOST_STEPS,
    PLAN,
    PrincipalRole,
    ProposalState,
)
from console.kernel.models import TenantRow

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
    # When its target was first found to be another one; the trigger `proposal_staled_at` keeps it.
    staled_at = models.DateTimeField(null=True, editable=False)
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
            # With what else a filter names, as lists do; `proposal_values` estimates it.
            _waiting("proposal_asked", "asked_key", "agent_id", "tool"),
            _waiting("proposal_waiting_tool", "tool"),
            _waiting("proposal_waiting_agent", "agent_id", "agent_label"),
        ]

    def card(self, *, revision: Revision, needs: int, frozen: bool) -> ProposalCard:
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
