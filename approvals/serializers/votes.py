"""Shapes of votes and their signatures."""

from rest_framework import serializers

from approvals.models import MESSAGE_LENGTH, NOTE_LENGTH
from approvals.serializers.fields import TextIn, WordIn
from approvals.states import CheckOutcome, Choice, ProposalState, RejectCode
from console.kernel.rest import In, Out

WHOLE_BASE64URL = "^[A-Za-z0-9_-]+$"


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
    signed_with = serializers.CharField(help_text="Name of the passkey that signed it, or empty.")
    in_place_of = serializers.CharField(
        help_text="Name of the person whose place it fills by a delegation, or empty."
    )


class AssertionIn(In):
    """What a passkey signed, base64url; the challenge comes from `votes/challenges`."""

    nonce = serializers.RegexField(WHOLE_BASE64URL, max_length=64)
    credential_id = serializers.RegexField(WHOLE_BASE64URL, max_length=1364)
    authenticator_data = serializers.RegexField(WHOLE_BASE64URL, max_length=1000)
    client_data = serializers.RegexField(WHOLE_BASE64URL, max_length=4000)
    signature = serializers.RegexField(WHOLE_BASE64URL, max_length=2000)


class ChallengeIn(In):
    revision = serializers.IntegerField(min_value=1, max_value=1_000_000)
    digest = serializers.RegexField("^[0-9a-f]{64}$")
    choice = WordIn([choice.value for choice in Choice])


class ChallengeOut(Out):
    nonce = serializers.CharField(help_text="Goes back with the signature.")
    options = serializers.DictField(
        child=serializers.JSONField(),
        help_text="What `navigator.credentials.get` takes, its bytes as base64url.",
    )
    expires_at = serializers.DateTimeField()


class VoteIn(In):
    revision = serializers.IntegerField(min_value=1, max_value=1_000_000)
    digest = serializers.RegexField("^[0-9a-f]{64}$")
    choice = WordIn([choice.value for choice in Choice])
    reason_code = WordIn([code.value for code in RejectCode], required=False)
    note = TextIn(required=False, allow_blank=True, max_length=NOTE_LENGTH)
    agent_message = TextIn(required=False, allow_blank=True, max_length=MESSAGE_LENGTH)
    assertion = AssertionIn(required=False)
    in_place_of = serializers.UUIDField(
        required=False, help_text="Whose place it fills by a delegation; left out, one's own."
    )


class MyVoteOut(Out):
    vote = VoteOut(allow_null=True, help_text="The reader's own vote that counts, or null.")


class VoteReceiptOut(Out):
    event_uid = serializers.UUIDField(help_text="The event in the trail that recorded the vote.")
    state = serializers.ChoiceField([state.value for state in ProposalState])
    needed = serializers.IntegerField()
    given = serializers.IntegerField()
    repeated = serializers.BooleanField(help_text="The same vote was on record already.")
    in_place_of = serializers.CharField(
        help_text="Name of the person whose place it fills by a delegation, or empty."
    )
    remark = serializers.CharField(
        help_text="That an approval came sooner than its change can be read, or empty."
    )
    check = serializers.ChoiceField(
        [outcome.value for outcome in CheckOutcome],
        allow_null=True,
        help_text="How it went, where the vote answered a planted check; else null.",
    )
