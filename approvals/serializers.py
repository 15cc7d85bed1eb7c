"""Shapes of approvals in the API. They get cards; what a reader may not see is not in the card."""

from typing import Any, ClassVar

from rest_framework import serializers
from typing_extensions import override

from approvals.models import MESSAGE_LENGTH, NOTE_LENGTH
from approvals.queries import View
from approvals.states import (
    Basis,
    Choice,
    DispatchState,
    Outcome,
    PrincipalRole,
    ProposalState,
    RejectCode,
)
from console.kernel.rest import In, Out

VIEWS = [view.value for view in View]


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


class QueueRowOut(Out):
    proposal = ProposalOut(source="card")
    note = serializers.CharField(help_text="Why it is not the reader's turn, or empty.")


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


class VoteOut(Out):
    person_id = serializers.UUIDField()
    person = serializers.CharField()
    choice = serializers.ChoiceField([choice.value for choice in Choice])
    reason_code = serializers.ChoiceField([code.value for code in RejectCode], allow_null=True)
    note = serializers.CharField()
    agent_message = serializers.CharField()
    revision_no = serializers.IntegerField()
    cast_at = serializers.DateTimeField()
    event_uid = serializers.UUIDField()


class ReviewerOut(Out):
    person_id = serializers.UUIDField()
    name = serializers.CharField()
    groups = serializers.ListField(child=serializers.CharField())
    refusal = serializers.CharField(help_text="Why they may not vote, or empty.")
    vote = VoteOut(allow_null=True)


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


class DispatchOut(Out):
    id = serializers.UUIDField()
    state = serializers.ChoiceField([state.value for state in DispatchState])
    claimed_at = serializers.DateTimeField()
    settled_at = serializers.DateTimeField(allow_null=True)


class HistoryOut(Out):
    action = serializers.CharField()
    who = serializers.CharField()
    at = serializers.DateTimeField()
    index = serializers.IntegerField(allow_null=True, help_text="Place in the trail once sealed.")


class ProposalDetailOut(Out):
    proposal = ProposalOut(source="card")
    undo = serializers.CharField(source="facts.undo")
    why = serializers.CharField(source="facts.why", help_text="The agent's claim, not verified.")
    tool_summary = serializers.CharField(source="facts.tool_summary")
    explanation = serializers.CharField(source="requirement.explanation")
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
    history = HistoryOut(many=True)


class WordIn(serializers.ChoiceField):
    """One of the listed words; what was sent instead is not repeated."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid_choice": "Choose one of the listed values."
    }


class TextIn(serializers.CharField):
    """Text; a number or a truth value is not turned into one."""

    @override
    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class NothingIn(In):
    """For addresses that take no parameters."""


class QueueIn(In):
    view = WordIn(VIEWS, default=View.MINE.value)


class VoteIn(In):
    revision = serializers.IntegerField(min_value=1, max_value=1_000_000)
    digest = serializers.RegexField("^[0-9a-f]{64}$")
    choice = WordIn([choice.value for choice in Choice])
    reason_code = WordIn([code.value for code in RejectCode], required=False)
    note = TextIn(required=False, allow_blank=True, max_length=NOTE_LENGTH)
    agent_message = TextIn(required=False, allow_blank=True, max_length=MESSAGE_LENGTH)


class VoteReceiptOut(Out):
    event_uid = serializers.UUIDField(help_text="The event in the trail that recorded the vote.")
    state = serializers.ChoiceField([state.value for state in ProposalState])
    needed = serializers.IntegerField()
    given = serializers.IntegerField()
    repeated = serializers.BooleanField(help_text="The same vote was on record already.")
