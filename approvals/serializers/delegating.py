"""Shapes of delegations."""

from rest_framework import serializers

from approvals.models import REASON_LENGTH
from approvals.policies.delegating import MOST_DAYS
from approvals.serializers.fields import TextIn
from console.kernel.rest import In, Out


class DelegationIn(In):
    person = serializers.UUIDField(help_text="Who may decide in the caller's place.")
    group = serializers.SlugField(
        max_length=63, help_text="A group of the caller, whose place it is."
    )
    until = serializers.DateTimeField(help_text=f"At most {MOST_DAYS} days from now.")
    reason = TextIn(max_length=REASON_LENGTH)


class DelegationOut(Out):
    id = serializers.UUIDField()
    from_id = serializers.UUIDField()
    from_person = serializers.CharField()
    to_id = serializers.UUIDField()
    to_person = serializers.CharField()
    group = serializers.CharField()
    reason = serializers.CharField()
    made_at = serializers.DateTimeField()
    until = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True, help_text="By a person, before its time.")
    ended_by = serializers.CharField()
    live = serializers.BooleanField()
    why_silent = serializers.CharField(
        help_text="Why nobody may decide by it now although it lasts, or empty."
    )


class DelegationsOut(Out):
    delegations = DelegationOut(many=True)
