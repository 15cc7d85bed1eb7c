"""Shapes of break-glass and of what is looked at afterwards."""

from rest_framework import serializers

from approvals.models import NOTE_LENGTH, REASON_LENGTH
from approvals.policies.breaking import MOST_GRANT_MINUTES, TICKET_LENGTH
from approvals.serializers.fields import TextIn, WordIn
from approvals.serializers.proposals import ChangeOut, ContentOut
from approvals.states import Basis, Outcome, ReviewKind, ReviewVerdict
from console.kernel.rest import In, Out


class BreakGlassIn(In):
    revision = serializers.IntegerField(min_value=1, max_value=1_000_000)
    digest = serializers.RegexField("^[0-9a-f]{64}$")
    reason = TextIn(max_length=NOTE_LENGTH)
    ticket = TextIn(max_length=TICKET_LENGTH, help_text="Where the emergency is written down.")


class BreakGlassOut(Out):
    event_uid = serializers.UUIDField()
    execute_by = serializers.DateTimeField()
    told = serializers.IntegerField(help_text="People who were skipped and are told.")
    review_task = serializers.UUIDField(
        source="task_id", help_text="Bars the next use until somebody else closes it."
    )
    repeated = serializers.BooleanField()


class GrantIn(In):
    person = serializers.UUIDField()
    minutes = serializers.IntegerField(min_value=1, max_value=MOST_GRANT_MINUTES)
    reason = TextIn(max_length=REASON_LENGTH)


class GrantOut(Out):
    id = serializers.UUIDField()
    person_id = serializers.UUIDField()
    person = serializers.CharField()
    reason = serializers.CharField()
    granted_by = serializers.CharField()
    granted_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)
    revoked_by = serializers.CharField()
    live = serializers.BooleanField()
    uses = serializers.IntegerField()


class GrantsOut(Out):
    grants = GrantOut(many=True)


class SampledRuleOut(Out):
    rule = serializers.CharField()
    rate = serializers.CharField(help_text="Of what is drawn, as a decimal.")
    drawn = serializers.IntegerField()
    answered = serializers.IntegerField()
    disagreed = serializers.IntegerField()
    low = serializers.FloatField(help_text="Of the share that disagrees, at 95 % (Wilson).")
    high = serializers.FloatField()
    turned_at = serializers.DateTimeField(
        allow_null=True, help_text="It asks people since then, until a new version speaks."
    )


class SampledRulesOut(Out):
    rules = SampledRuleOut(many=True)


class ReviewTasksIn(In):
    state = WordIn(["open", "closed"], default="open")


class CloseIn(In):
    verdict = WordIn([verdict.value for verdict in ReviewVerdict])
    note = TextIn(required=False, allow_blank=True, max_length=NOTE_LENGTH, default="")


class ReviewTaskOut(Out):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField([kind.value for kind in ReviewKind])
    proposal_id = serializers.UUIDField()
    title = serializers.CharField()
    tool = serializers.CharField()
    tier = serializers.IntegerField()
    agent = serializers.CharField()
    about = serializers.CharField(help_text="Who broke glass; empty of a sample.")
    opened_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    closed_by = serializers.CharField()
    verdict = serializers.ChoiceField([verdict.value for verdict in ReviewVerdict], allow_null=True)
    note = serializers.CharField()


class GlassUseOut(Out):
    person = serializers.CharField()
    at = serializers.DateTimeField()
    reason = serializers.CharField()
    ticket = serializers.CharField()
    told = serializers.IntegerField()


class ReviewTaskDetailOut(Out):
    task = ReviewTaskOut(source="card")
    revision_no = serializers.IntegerField()
    digest = serializers.CharField()
    content = ContentOut()
    changes = ChangeOut(source="diff.changes", many=True)
    outcome = serializers.ChoiceField([outcome.value for outcome in Outcome])
    basis = serializers.ChoiceField([basis.value for basis in Basis])
    decided_at = serializers.DateTimeField()
    voided_at = serializers.DateTimeField(
        allow_null=True, help_text="The decision counts no more since then."
    )
    ran = serializers.CharField(help_text="State of its dispatch, or empty while nothing ran.")
    use = GlassUseOut(allow_null=True)
    refusal = serializers.CharField(help_text="Why the reader cannot answer, or empty.")
