"""Shapes of arguments that a contract hides."""

from rest_framework import serializers

from approvals.models import REASON_LENGTH
from approvals.serializers.fields import TextIn
from console.kernel.rest import In, Out


class SealedOut(Out):
    pointer = serializers.CharField(help_text="JSON Pointer into the arguments.")
    sealed_at = serializers.DateTimeField()
    erased_at = serializers.DateTimeField(
        allow_null=True, help_text="Since when nobody can run it any more."
    )


class SealedListOut(Out):
    sealed = SealedOut(many=True)


class EraseIn(In):
    reason = TextIn(max_length=REASON_LENGTH)


class EraseOut(Out):
    waiting = serializers.UUIDField(
        allow_null=True, help_text="The proposal that asks two people; null: erased at once."
    )
