"""Shapes of approvals given in advance."""

from rest_framework import serializers

from approvals.models import REASON_LENGTH
from approvals.policies import MOST_DAYS, MOST_USES
from approvals.serializers.fields import TextIn
from approvals.states import ProposalState, StandingState
from console.kernel.rest import In, Out

_MOST_CONDITIONS: int = 100
_MOST_PATH: int = 400


class StandingIn(In):
    proposal = serializers.UUIDField(help_text="That the reader approved, and that ran or may.")
    revision = serializers.IntegerField(min_value=1, max_value=1_000_000)
    digest = serializers.RegexField("^[0-9a-f]{64}$")
    conditions = serializers.ListField(
        child=serializers.DictField(),
        allow_empty=False,
        max_length=_MOST_CONDITIONS,
        help_text="path, op and value each, as in a policy; all of them have to hold.",
    )
    free = serializers.ListField(
        child=serializers.RegexField("^/args/", max_length=_MOST_PATH),
        required=False,
        max_length=_MOST_CONDITIONS,
        help_text="Paths of arguments that may be anything; every other one needs a condition.",
    )
    uses = serializers.IntegerField(min_value=1, max_value=MOST_USES)
    days = serializers.IntegerField(min_value=1, max_value=MOST_DAYS)
    reason = TextIn(max_length=REASON_LENGTH)


class RevokeIn(In):
    reason = TextIn(max_length=REASON_LENGTH)


class StandingUseOut(Out):
    proposal_id = serializers.UUIDField()
    title = serializers.CharField()
    state = serializers.ChoiceField([state.value for state in ProposalState])
    at = serializers.DateTimeField()


class StandingOut(Out):
    id = serializers.UUIDField()
    proposal_id = serializers.UUIDField(help_text="That was approved when it was given.")
    tool = serializers.CharField()
    contract_hash = serializers.CharField()
    agent_id = serializers.CharField()
    maker_id = serializers.UUIDField()
    maker = serializers.CharField()
    conditions = serializers.ListField(child=serializers.DictField())
    free = serializers.ListField(child=serializers.CharField())
    uses = serializers.IntegerField()
    uses_left = serializers.IntegerField()
    made_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    reason = serializers.CharField()
    revoked_at = serializers.DateTimeField(allow_null=True)
    revoked_by = serializers.CharField()
    revoke_reason = serializers.CharField()
    state = serializers.ChoiceField([state.value for state in StandingState])
    last_uses = StandingUseOut(many=True, help_text="Newest first, a few of them.")


class StandingWordOut(Out):
    id = serializers.UUIDField()
    maker = serializers.CharField()
