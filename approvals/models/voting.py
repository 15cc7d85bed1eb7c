"""What people said, what that settled, and the one hand-over to execution."""

from datetime import timedelta
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from approvals.cards import (
    DispatchCard,
    ViewServed,
    VoteCard,
)
from approvals.models.columns import DIGEST_BYTES, LABEL_LENGTH, own, words
from approvals.states import (
    SEEN_S,
    Basis,
    Choice,
    DispatchState,
    Outcome,
    RejectCode,
)
from console.kernel.models import TenantRow


class Vote(TenantRow):
    """One person's word on one digest; nothing of it changes but that it may be voided, once."""

    proposal = own("Proposal", "votes")
    revision = own("Revision", "votes")
    digest = models.BinaryField(max_length=DIGEST_BYTES)
    person = models.ForeignKey("accounts.Person", models.PROTECT, related_name="+")
    person_label = models.CharField(max_length=LABEL_LENGTH)
    choice = models.CharField(max_length=8)
    reason_code = models.CharField(max_length=24)
    note = models.TextField()
    agent_message = models.TextField()
    session = models.CharField(max_length=64)
    stepup_at = models.DateTimeField(null=True)  # when the session last proved who it is
    served_at = models.DateTimeField(null=True)  # since when it had been shown all that it saw
    view_digest = models.BinaryField(max_length=DIGEST_BYTES, null=True)
    expected_s = models.SmallIntegerField(null=True)  # how long reading it usually takes
    taken_ms = models.BigIntegerField(null=True)  # from then to the vote; of a batch, its share
    assertion = models.JSONField(null=True)  # what a passkey signed
    signed_with = models.CharField(max_length=80, db_default="")  # the passkey's name
    delegation = models.ForeignKey(  # by which the place of somebody else was filled
        "Delegation", models.PROTECT, db_constraint=False, related_name="votes", null=True
    )
    in_place_of = models.CharField(max_length=LABEL_LENGTH, db_default="")  # that person's name
    event_uid = models.UUIDField()
    cast_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True)
    void_cause = models.CharField(max_length=40, default="")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=words("choice", Choice), name="vote_choice_known"),
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
                    & words("reason_code", RejectCode)
                    & Q(note__regex=r"\S")
                ),
                name="vote_reject_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(session__regex="^[0-9a-f]{64}$"), name="vote_has_session"
            ),
            models.CheckConstraint(
                condition=Q(choice=Choice.REJECT.value)
                | Q(served_at__isnull=False, view_digest__isnull=False),
                name="vote_approve_was_shown",
            ),
            models.CheckConstraint(
                condition=Q(assertion__isnull=True) | Q(stepup_at__isnull=False),
                name="vote_signed_is_fresh",
            ),
            models.CheckConstraint(
                condition=Q(choice=Choice.REJECT.value)
                # Votes of before 0013 have no time and stay; the row is checked anew when it ends.
                | Q(voided_at__isnull=False)
                | Q(expected_s__isnull=False, taken_ms__isnull=False),
                name="vote_approve_was_timed",
            ),
            models.CheckConstraint(
                condition=Q(expected_s__gte=3, expected_s__lte=120, taken_ms__gte=0)
                | Q(taken_ms__isnull=True),
                name="vote_time_in_bounds",
            ),
            models.CheckConstraint(
                condition=Q(delegation__isnull=True, in_place_of="")
                | (Q(delegation__isnull=False) & ~Q(in_place_of="")),
                name="vote_in_place_whole",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["tenant_id", "person", "proposal"], name="vote_of_person"),
            models.Index(fields=["tenant_id", "person", "cast_at"], name="vote_by_time"),
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
            stepup_at=self.stepup_at,
            served_at=self.served_at,
            signed_with=self.signed_with,
            in_place_of=self.in_place_of,
            expected_s=self.expected_s,
            taken_ms=self.taken_ms,
        )


class Served(TenantRow):
    """Parts of a revision that one session was shown; never changed."""

    proposal = own("Proposal", "served")
    revision = own("Revision", "served")
    person = models.ForeignKey("accounts.Person", models.PROTECT, related_name="+")
    session = models.CharField(max_length=64)
    view = models.CharField(max_length=16)
    parts = ArrayField(models.CharField(max_length=64))
    served_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(session__regex="^[0-9a-f]{64}$"), name="served_has_session"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["tenant_id", "revision", "session"], name="served_to_session"),
            models.Index(fields=["tenant_id", "served_at"], name="served_by_time"),
        ]

    def card(self) -> ViewServed:
        return ViewServed(view=self.view, parts=tuple(self.parts), served_at=self.served_at)


class VoteNonce(TenantRow):
    """What makes a passkey's signature good for one vote, once, for two minutes."""

    proposal = own("Proposal", "nonces")
    revision = own("Revision", "nonces")
    digest = models.BinaryField(max_length=DIGEST_BYTES)
    person = models.ForeignKey("accounts.Person", models.PROTECT, related_name="+")
    session = models.CharField(max_length=64)
    choice = models.CharField(max_length=8)
    nonce = models.CharField(max_length=64)  # base64url
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "approvals_nonce"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=words("choice", Choice), name="nonce_choice_known"),
            models.UniqueConstraint(fields=["tenant_id", "nonce"], name="nonce_once"),
        ]


class Decision(TenantRow):
    """What people settled about one revision."""

    proposal = own("Proposal", "decisions")
    revision = own("Revision", "decisions")
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
                condition=words("outcome", {Outcome.APPROVED, Outcome.REJECTED}),
                name="decision_outcome_known",
            ),
            models.CheckConstraint(condition=words("basis", Basis), name="decision_basis_known"),
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

    proposal = own("Proposal", "dispatches")
    revision = own("Revision", "dispatches")
    decision = own("Decision", "dispatches")
    digest = models.BinaryField(max_length=DIGEST_BYTES)
    observed_digest = models.BinaryField(max_length=DIGEST_BYTES)
    call_key = models.UUIDField()
    seen_at = models.DateTimeField(null=True)  # when a target outside was looked at
    claimed_at = models.DateTimeField()
    execute_by = models.DateTimeField()
    state = models.CharField(max_length=12)
    settled_at = models.DateTimeField(null=True)
    after = models.BinaryField(null=True)
    evidence = models.JSONField(null=True)
    policy_versions = ArrayField(models.UUIDField(), default=list)  # that it was asked of last

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=words("state", DispatchState), name="dispatch_state_known"
            ),
            models.UniqueConstraint(fields=["tenant_id", "proposal"], name="dispatch_once"),
            models.UniqueConstraint(fields=["tenant_id", "call_key"], name="dispatch_call_key"),
            models.CheckConstraint(
                condition=Q(observed_digest=F("digest")), name="dispatch_runs_what_was_seen"
            ),
            models.CheckConstraint(
                condition=Q(claimed_at__lt=F("execute_by")), name="dispatch_in_time"
            ),
            models.CheckConstraint(
                condition=Q(seen_at__isnull=True)
                | Q(claimed_at__lte=F("seen_at") + timedelta(seconds=SEEN_S)),
                name="dispatch_seen_lately",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["tenant_id", "execute_by"],
                condition=Q(state=DispatchState.CLAIMED.value),
                name="dispatch_claimed",
            )
        ]

    def card(self) -> DispatchCard:
        return DispatchCard(
            id=self.id,
            state=DispatchState(self.state),
            claimed_at=self.claimed_at,
            settled_at=self.settled_at,
            seen_at=self.seen_at,
        )
