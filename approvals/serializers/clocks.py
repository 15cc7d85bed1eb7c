"""Shapes of the time to decide."""

from rest_framework import serializers

from approvals.models import REASON_LENGTH
from approvals.serializers.fields import TextIn
from approvals.states import OnExpiry
from console.kernel.rest import In, Out


class ExtensionOut(Out):
    who = serializers.CharField()
    at = serializers.DateTimeField()
    reason = serializers.CharField()


class WideningOut(Out):
    at = serializers.DateTimeField()
    escalated = serializers.BooleanField(help_text="The whole time was over; else a part of it.")
    groups = serializers.ListField(child=serializers.CharField())


class ClockOut(Out):
    clock_no = serializers.IntegerField(help_text="Changes with every new window and extension.")
    decide_by = serializers.DateTimeField()
    still_until = serializers.DateTimeField(
        allow_null=True, help_text="A question holds the clock until then at the latest."
    )
    fallback = serializers.ChoiceField(
        [one.value for one in OnExpiry], help_text="What happens when nobody decides."
    )
    extensions = ExtensionOut(many=True)
    extensions_left = serializers.IntegerField()
    extend_refusal = serializers.CharField(help_text="Why the reader cannot extend it, or empty.")
    extension_s = serializers.IntegerField(help_text="Seconds that one extension adds.")
    widenings = WideningOut(many=True)
    reminders = serializers.ListField(child=serializers.DateTimeField())
    next_widening = serializers.DateTimeField(allow_null=True)
    unfillable_since = serializers.DateTimeField(
        allow_null=True, help_text="Since when not even all who may vote could agree."
    )


class ExtendIn(In):
    reason = TextIn(max_length=REASON_LENGTH)
    clock_no = serializers.IntegerField(min_value=1, max_value=32_767)
