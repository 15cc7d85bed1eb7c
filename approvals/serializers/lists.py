"""Shapes of the lists."""

from rest_framework import serializers

from approvals.policies import FILTER_LENGTH
from approvals.queries import Sort, View
from approvals.serializers.claims import ClaimOut
from approvals.serializers.fields import TextIn, WordIn
from approvals.serializers.proposals import ProposalOut
from approvals.states import AttentionReason
from console.kernel.rest import In, Out

VIEWS = [view.value for view in View]
SORTS = [sort.value for sort in Sort]


class TurnOut(Out):
    reason = serializers.ChoiceField([reason.value for reason in AttentionReason])
    cause = serializers.CharField(help_text="What brought it about, in machine words, or empty.")
    at = serializers.DateTimeField()


class QueueRowOut(Out):
    proposal = ProposalOut(source="card")
    note = serializers.CharField(
        help_text="Why it is not the reader's turn, whose word settled it, or empty."
    )
    turn = TurnOut(allow_null=True, help_text="Why it is the reader's turn, or null.")
    claims = ClaimOut(many=True)
    snoozed_until = serializers.DateTimeField(allow_null=True)
    group = serializers.UUIDField(
        allow_null=True,
        help_text="The first of several identical requests of one run, which follow each other; "
        "null for what stands alone.",
    )


class QueueIn(In):
    view = WordIn(VIEWS, default=View.MINE.value)
    q = TextIn(required=False, allow_blank=True, max_length=FILTER_LENGTH, default="")
    sort = WordIn(SORTS, required=False)
