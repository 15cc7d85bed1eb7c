"""Shapes of claims."""

from rest_framework import serializers

from console.kernel.rest import In, Out


class ClaimOut(Out):
    person_id = serializers.UUIDField()
    name = serializers.CharField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(help_text="When the lease ends unless it is renewed.")


class ClaimsOut(Out):
    mine = ClaimOut(allow_null=True)
    others = ClaimOut(many=True)
    refusal = serializers.CharField(help_text="Why the reader cannot approve for now, or empty.")


class ClaimIn(In):
    by_itself = serializers.BooleanField(
        default=False, help_text="An open page asks; past 60 decisions an hour nothing is claimed."
    )
    take_over = serializers.BooleanField(
        default=False, help_text="End the claims of others; needs `approvals.lead`."
    )
