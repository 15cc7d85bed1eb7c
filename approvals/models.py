"""Tables of approvals, with their conversion to cards.

Foreign keys hold the tenant as well, so that no row can point into another one; the ORM cannot say
that, hence `db_constraint=False` here and the SQL in the migration, beside the triggers.
"""

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from approvals import policies
from approvals.cards import (
    Content,
    DispatchCard,
    Principal,
    ProposalCard,
    ProposalFacts,
    Requirement,
    Subject,
    VoteCard,
)
from approvals.states import (
    DECIDABLE,
    FINAL,
    LIVE,
    Basis,
    Choice,
    DispatchState,
    Outcome,
    PrincipalRole,
    ProposalState,
    RejectCode,
)
from console.kernel import canonical
from console.kernel.models import TenantRow

TITLE_LENGTH = 300
LABEL_LENGTH = 200
NOTE_LENGTH = 2000
MESSAGE_LENGTH = 500
DIGEST_BYTES = 32


def _words(field: str, values: Any) -> Q:
    return Q(**{f"{field}__in": sorted(value.value for value in values)})


def _own(to: str, name: str) -> Any:
    """Return a foreign key whose constraint, with the tenant in it, is made in SQL."""
    return models.ForeignKey(to, models.PROTECT, db_constraint=False, related_name=name)


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
                condition=_words("state", ProposalState), name="proposal_state_known"
            ),
            models.CheckConstraint(condition=Q(tier__in=[1, 2]), name="proposal_tier_known"),
            models.CheckConstraint(
                condition=(_words("state", DECIDABLE) & Q(execute_by__isnull=True))
                | Q(state=ProposalState.APPROVED.value, execute_by__isnull=False)
                | _words("state", FINAL),
                name="proposal_clock_for_state",
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "subject_kind", "subject_id"],
                condition=_words("state", LIVE),
                name="proposal_one_live_per_subject",
            ),
            models.UniqueConstraint(fields=["tenant_id", "id"], name="proposal_of_tenant"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["tenant_id", "decide_by", "-tier", "id"],
                condition=_words("state", DECIDABLE),
                name="proposal_by_deadline",
            ),
            models.Index(
                fields=["tenant_id", "-moved_at", "-id"],
                condition=~_words("state", DECIDABLE),
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

    proposal = _own("Proposal", "revisions")
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

    proposal = _own("Proposal", "principals")
    role = models.CharField(max_length=12)
    actor_kind = models.CharField(max_length=12)
    actor_id = models.CharField(max_length=80)
    label = models.CharField(max_length=LABEL_LENGTH)
    person_id = models.UUIDField(null=True)

    class Meta:
        db_table = "approvals_principal"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=_words("role", PrincipalRole), name="principal_role_known"
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

    proposal = _own("Proposal", "requirements")
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


class Vote(TenantRow):
    """One person's word on one digest; nothing of it changes but that it may be voided, once."""

    proposal = _own("Proposal", "votes")
    revision = _own("Revision", "votes")
    digest = models.BinaryField(max_length=DIGEST_BYTES)
    person = models.ForeignKey("accounts.Person", models.PROTECT, related_name="+")
    person_label = models.CharField(max_length=LABEL_LENGTH)
    choice = models.CharField(max_length=8)
    reason_code = models.CharField(max_length=24)
    note = models.TextField()
    agent_message = models.TextField()
    session = models.CharField(max_length=64)
    event_uid = models.UUIDField()
    cast_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True)
    void_cause = models.CharField(max_length=40, default="")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=_words("choice", Choice), name="vote_choice_known"),
            models.UniqueConstraint(
                fields=["tenant_id", "revision", "person"],
                condition=Q(voided_at__isnull=True),
                name="vote_one_active_per_person",
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "revision", "session"],
                condition=Q(voided_at__isnull=True),
                name="vote_one_active_per_session",
            ),
            models.CheckConstraint(
                condition=Q(choice=Choice.APPROVE.value, reason_code="")
                | (
                    Q(choice=Choice.REJECT.value)
                    & _words("reason_code", RejectCode)
                    & Q(note__regex=r"\S")
                ),
                name="vote_reject_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(session__regex="^[0-9a-f]{64}$"), name="vote_has_session"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["tenant_id", "person", "proposal"], name="vote_of_person")
        ]

    def card(self, revision_no: int) -> VoteCard:
        return VoteCard(
            person_id=self.person_id,
            person=self.person_label,
            choice=Choice(self.choice),
            reason_code=RejectCode(self.reason_code) if self.reason_code else None,
            note=self.note,
            agent_message=self.agent_message,
            revision_no=revision_no,
            cast_at=self.cast_at,
            event_uid=self.event_uid,
            voided_at=self.voided_at,
            void_cause=self.void_cause,
        )


class Decision(TenantRow):
    """What people settled about one revision."""

    proposal = _own("Proposal", "decisions")
    revision = _own("Revision", "decisions")
    digest = models.BinaryField(max_length=DIGEST_BYTES)
    outcome = models.CharField(max_length=12)
    basis = models.CharField(max_length=16)
    assignment = models.JSONField()
    decided_at = models.DateTimeField()
    decide_by = models.DateTimeField()
    voided_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=_words("outcome", {Outcome.APPROVED, Outcome.REJECTED}),
                name="decision_outcome_known",
            ),
            models.CheckConstraint(condition=_words("basis", Basis), name="decision_basis_known"),
            models.CheckConstraint(
                condition=Q(basis=Basis.TIMEOUT_RULE.value) | Q(decided_at__lt=F("decide_by")),
                name="decision_in_time",
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "revision"],
                condition=Q(voided_at__isnull=True),
                name="decision_one_active",
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "id", "digest"], name="decision_id_digest"
            ),
        ]


class Dispatch(TenantRow):
    """The single hand-over of a proposal to execution."""

    proposal = _own("Proposal", "dispatches")
    revision = _own("Revision", "dispatches")
    decision = _own("Decision", "dispatches")
    digest = models.BinaryField(max_length=DIGEST_BYTES)
    observed_digest = models.BinaryField(max_length=DIGEST_BYTES)
    call_key = models.UUIDField()
    claimed_at = models.DateTimeField()
    execute_by = models.DateTimeField()
    state = models.CharField(max_length=12)
    settled_at = models.DateTimeField(null=True)
    after = models.BinaryField(null=True)
    evidence = models.JSONField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=_words("state", DispatchState), name="dispatch_state_known"
            ),
            models.UniqueConstraint(fields=["tenant_id", "proposal"], name="dispatch_once"),
            models.UniqueConstraint(fields=["tenant_id", "call_key"], name="dispatch_call_key"),
            models.CheckConstraint(
                condition=Q(observed_digest=F("digest")), name="dispatch_runs_what_was_seen"
            ),
            models.CheckConstraint(
                condition=Q(claimed_at__lt=F("execute_by")), name="dispatch_in_time"
            ),
        ]

    def card(self) -> DispatchCard:
        return DispatchCard(
            id=self.id,
            state=DispatchState(self.state),
            claimed_at=self.claimed_at,
            settled_at=self.settled_at,
        )


class Freeze(TenantRow):
    """A time in which a proposal's decide clock stands still."""

    proposal = _own("Proposal", "freezes")
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
