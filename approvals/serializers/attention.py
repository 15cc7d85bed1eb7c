"""Shapes of how people decide."""

from rest_framework import serializers

from approvals.serializers.metrics import SpanOut
from console.kernel.ranges import DAYS_MOST
from console.kernel.rest import In, Out


class AttentionRowOut(Out):
    """One person; what there is too little of to tell is null."""

    person_id = serializers.UUIDField()
    name = serializers.CharField()
    decisions = serializers.IntegerField()
    approvals = serializers.IntegerField()
    rejections = serializers.IntegerField()
    timed = serializers.IntegerField(help_text="Approvals of which the time is known.")
    too_fast = serializers.IntegerField(help_text="Of these, sooner than one can read.")
    median_s = serializers.FloatField(allow_null=True)
    too_fast_share = serializers.FloatField(allow_null=True)
    approval_share = serializers.FloatField(allow_null=True)
    reject_share = serializers.FloatField(allow_null=True)
    per_hour = serializers.FloatField(allow_null=True)
    busiest = serializers.IntegerField(help_text="Decisions in the busiest hour of the clock.")
    checks = serializers.IntegerField(help_text="Planted checks that were answered.")
    checks_caught = serializers.IntegerField(help_text="Of these.")


class AttentionDayOut(Out):
    day = serializers.DateField()
    in_time = serializers.IntegerField()
    too_fast = serializers.IntegerField()
    rejected = serializers.IntegerField()


class CheckSettingOut(Out):
    """Whether checks are planted, and who said so."""

    is_on = serializers.BooleanField()
    set_by = serializers.CharField()
    set_at = serializers.DateTimeField(allow_null=True)
    waiting_id = serializers.UUIDField(
        allow_null=True, help_text="The proposal that asks two people whether to plant no more."
    )
    blocked = serializers.BooleanField(
        help_text="They rejected the same less than a day ago, so nobody is asked."
    )


class CheckSettingIn(In):
    is_on = serializers.BooleanField()


class AttentionOut(Out):
    span = SpanOut()
    people = AttentionRowOut(many=True, help_text="By name; this is no ranking.")
    only_mine = serializers.BooleanField()
    enough = serializers.IntegerField(help_text="Fewer than so many, and a figure is null.")
    last_hour = serializers.IntegerField(help_text="Decisions of the reader.")
    days = AttentionDayOut(many=True)
    planting = CheckSettingOut()
    as_of = serializers.DateTimeField()


class AttentionIn(In):
    days = serializers.IntegerField(required=False, min_value=1, max_value=DAYS_MOST)
