"""Shapes of the numbers of reviews."""

from rest_framework import serializers

from approvals.queries import By
from console.kernel.ranges import DAYS_MOST
from console.kernel.rest import In, Out


class SpanOut(Out):
    first = serializers.DateField()
    last = serializers.DateField()


class TallyOut(Out):
    automatic = serializers.IntegerField()
    blocked = serializers.IntegerField()
    held = serializers.IntegerField()
    approved = serializers.IntegerField()
    rejected = serializers.IntegerField()
    expired = serializers.IntegerField()
    withdrawn = serializers.IntegerField()
    waiting = serializers.IntegerField()
    stale = serializers.IntegerField()
    edited = serializers.IntegerField()
    median_s = serializers.FloatField(allow_null=True)
    p95_s = serializers.FloatField(allow_null=True)


class TallyRowOut(Out):
    key = serializers.CharField()
    tally = TallyOut()


class ReviewerRowOut(Out):
    name = serializers.CharField()
    votes = serializers.IntegerField()
    approvals = serializers.IntegerField()
    rejections = serializers.IntegerField()
    edits = serializers.IntegerField()
    median_s = serializers.FloatField(allow_null=True)
    p95_s = serializers.FloatField(allow_null=True)


class MetricsOut(Out):
    span = SpanOut()
    total = TallyOut()
    rows = TallyRowOut(many=True)
    groups = serializers.IntegerField()
    reviewers = ReviewerRowOut(many=True)
    only_mine = serializers.BooleanField()
    as_of = serializers.DateTimeField()


class MetricsIn(In):
    days = serializers.IntegerField(required=False, min_value=1, max_value=DAYS_MOST)
    by = serializers.ChoiceField([by.value for by in By], required=False)
