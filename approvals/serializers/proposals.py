"""Shapes of one proposal."""

from rest_framework import serializers

from approvals.serializers.standing import StandingWordOut
from approvals.serializers.votes import VoteOut
from approvals.states import Basis, DispatchState, Outcome, PrincipalRole, ProposalState
from console.kernel.rest import Out


class SubjectOut(Out):
    kind = serializers.CharField()
    id = serializers.UUIDField()


class ProposalOut(Out):
    id = serializers.UUIDField()
    subject = SubjectOut()
    state = serializers.ChoiceField([state.value for state in ProposalState])
    title = serializers.CharField()
    tool = serializers.CharField()
    tier = serializers.IntegerField()
    agent_id = serializers.CharField()
    agent_label = serializers.CharField()
    run_id = serializers.UUIDField(allow_null=True)
    conversation_id = serializers.UUIDField(allow_null=True)
    revision_no = serializers.IntegerField()
    digest = serializers.CharField(help_text="SHA-256 of the revision, 64 hex characters.")
    needs = serializers.IntegerField(help_text="Different people who have to agree.")
    opened_at = serializers.DateTimeField()
    decide_by = serializers.DateTimeField()
    execute_by = serializers.DateTimeField(allow_null=True)
    moved_at = serializers.DateTimeField(help_text="When it came into its state.")
    frozen = serializers.BooleanField(help_text="A stop holds it; it can only be rejected.")
    plan_id = serializers.UUIDField(allow_null=True, help_text="Of one change of a plan.")
    plan_pos = serializers.IntegerField(allow_null=True, help_text="Its place there, from 1.")
    steps = serializers.IntegerField(help_text="Of a plan: how many changes it holds; else 0.")


class ContentOut(Out):
    tool = serializers.CharField()
    contract_hash = serializers.CharField()
    args = serializers.DictField()
    before = serializers.DictField()
    after = serializers.DictField()


class ShownOut(Out):
    text = serializers.CharField()
    type = serializers.CharField()
    hidden = serializers.IntegerField(help_text="Invisible or reordering characters in the text.")


class ChangeOut(Out):
    kind = serializers.CharField()
    record = serializers.CharField()
    path = serializers.CharField()
    mark = serializers.ChoiceField(["add", "del", "change"])
    before = ShownOut(allow_null=True)
    after = ShownOut(allow_null=True)
    note = serializers.CharField()


class DriftOut(Out):
    path = serializers.CharField()
    then = serializers.CharField(allow_null=True)
    proposed = serializers.CharField(allow_null=True)
    now = serializers.CharField(allow_null=True)
    mark = serializers.ChoiceField(["same", "drifted", "conflict"])


class ReviewerOut(Out):
    person_id = serializers.UUIDField()
    name = serializers.CharField()
    groups = serializers.ListField(child=serializers.CharField())
    refusal = serializers.CharField(help_text="Why they may not vote, or empty.")
    vote = VoteOut(allow_null=True)
    in_place_of = serializers.CharField(
        help_text="Whose place they could fill as well, and of which group; or empty."
    )


class PrincipalOut(Out):
    role = serializers.ChoiceField([role.value for role in PrincipalRole])
    actor_kind = serializers.CharField()
    actor_id = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # DRF takes fields off the class


class DecisionOut(Out):
    outcome = serializers.ChoiceField([outcome.value for outcome in Outcome])
    basis = serializers.ChoiceField([basis.value for basis in Basis])
    revision_no = serializers.IntegerField()
    decided_at = serializers.DateTimeField()
    people = serializers.ListField(child=serializers.CharField())
    standing = StandingWordOut(allow_null=True, help_text="That spoke in the place of people.")


class DispatchOut(Out):
    id = serializers.UUIDField()
    state = serializers.ChoiceField([state.value for state in DispatchState])
    seen_at = serializers.DateTimeField(
        allow_null=True,
        help_text="When a target outside of the console was looked at, 5 seconds before at most.",
    )
    claimed_at = serializers.DateTimeField()
    settled_at = serializers.DateTimeField(allow_null=True)


class HistoryOut(Out):
    action = serializers.CharField()
    who = serializers.CharField()
    at = serializers.DateTimeField()
    index = serializers.IntegerField(allow_null=True, help_text="Place in the trail once sealed.")


class GlassOut(Out):
    expires_at = serializers.DateTimeField()
    skips = serializers.IntegerField(help_text="People who would be told.")
    refusal = serializers.CharField(help_text="Why not on this proposal, or empty.")


class StepOut(Out):
    proposal = ProposalOut(source="card")
    content = ContentOut()
    changes = ChangeOut(many=True, source="diff.changes")
    undo = serializers.CharField()
    close_cause = serializers.CharField()
    dispatch = DispatchOut(allow_null=True)
    waits_for = serializers.IntegerField(
        allow_null=True, help_text="The place of the change that has to succeed first."
    )


class PlanOut(Out):
    id = serializers.UUIDField()
    title = serializers.CharField()
    done = serializers.IntegerField(help_text="How many of its changes succeeded.")
    runs = serializers.BooleanField(help_text="Approved, and changes of it wait to be made.")
    steps = StepOut(many=True)


class ProposalDetailOut(Out):
    proposal = ProposalOut(source="card")
    undo = serializers.CharField(source="facts.undo")
    why = serializers.CharField(source="facts.why", help_text="The agent's claim, not verified.")
    tool_summary = serializers.CharField(source="facts.tool_summary")
    explanation = serializers.CharField(source="requirement.explanation")
    stepup_s = serializers.IntegerField(
        source="requirement.stepup_s",
        help_text="How old the proof of who approves may be, in seconds; 0: any age.",
    )
    deny_threshold = serializers.IntegerField(
        source="requirement.deny_threshold", help_text="Rejections that settle it."
    )
    content = ContentOut()
    changes = ChangeOut(many=True, source="diff.changes")
    drift = DriftOut(many=True)
    principals = PrincipalOut(many=True)
    reviewers = ReviewerOut(many=True)
    blind = serializers.BooleanField(help_text="Votes are hidden until the reader's own is in.")
    given = serializers.IntegerField(allow_null=True)
    my_vote = VoteOut(allow_null=True)
    refusal = serializers.CharField(help_text="Why the reader may not vote, or empty.")
    approve_refusal = serializers.CharField()
    decision = DecisionOut(allow_null=True)
    dispatch = DispatchOut(allow_null=True)
    close_cause = serializers.CharField()
    frozen_causes = serializers.ListField(child=serializers.CharField())
    unfillable = serializers.BooleanField()
    break_glass = GlassOut(
        source="glass", allow_null=True, help_text="For who holds the right now; else null."
    )
    history = HistoryOut(many=True)
    plan = PlanOut(
        allow_null=True, help_text="The plan that this is, or of which this is one change."
    )
