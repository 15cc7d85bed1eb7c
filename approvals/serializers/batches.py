"""Shapes of batches."""

from rest_framework import serializers

from approvals.models import MESSAGE_LENGTH, NOTE_LENGTH
from approvals.serializers.fields import TextIn, WordIn
from approvals.serializers.votes import VoteReceiptOut
from approvals.states import Choice, RejectCode
from console.kernel.rest import In, Out

_MOST: int = 100  # of the list; what one batch may hold is the requirement's


class ListedIn(In):
    proposal = serializers.UUIDField()
    revision = serializers.IntegerField(min_value=1, max_value=1_000_000)
    digest = serializers.RegexField("^[0-9a-f]{64}$")


class BatchIn(In):
    items = serializers.ListField(child=ListedIn(), allow_empty=False, max_length=_MOST)
    choice = WordIn([choice.value for choice in Choice])
    reason_code = WordIn([code.value for code in RejectCode], required=False)
    note = TextIn(required=False, allow_blank=True, max_length=NOTE_LENGTH)
    agent_message = TextIn(required=False, allow_blank=True, max_length=MESSAGE_LENGTH)
    in_place_of = serializers.UUIDField(
        required=False,
        help_text="Whose place every vote fills by a delegation; left out, one's own.",
    )


class BatchResultOut(Out):
    proposal_id = serializers.UUIDField()
    title = serializers.CharField()
    receipt = VoteReceiptOut(allow_null=True, help_text="Null when this item was refused.")
    code = serializers.CharField(help_text="Of the refusal, or empty.")
    message = serializers.CharField()


class BatchOut(Out):
    results = BatchResultOut(many=True)
