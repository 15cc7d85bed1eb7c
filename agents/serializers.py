"""Shapes of runs and messages in the API."""

from rest_framework import serializers

from agents.conversations.commands import MOST_CHARACTERS
from agents.states import RunState
from console.kernel.rest import In, Out

STATES = [state.value for state in RunState]


class BadgeOut(Out):
    provider = serializers.CharField(help_text="Empty while nothing has answered.")
    model = serializers.CharField()
    live = serializers.BooleanField()
    text = serializers.CharField(source="label", help_text="What a page shows.")


class RunOut(Out):
    id = serializers.UUIDField()
    conversation_id = serializers.UUIDField()
    agent = serializers.CharField()
    version = serializers.IntegerField()
    state = serializers.ChoiceField(STATES)
    stop_reason = serializers.CharField()
    channel = serializers.CharField()
    steps = serializers.IntegerField()
    calls = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    state_at = serializers.DateTimeField()
    badge = BadgeOut()
    cost_usd = serializers.DecimalField(
        max_digits=20, decimal_places=12, allow_null=True, help_text="Null while unknown."
    )


class FrameOut(Out):
    seq = serializers.IntegerField()
    role = serializers.CharField()
    kind = serializers.CharField()
    text = serializers.CharField()
    parts = serializers.DictField()
    at = serializers.DateTimeField()


class OneRunOut(Out):
    run = RunOut(source="row")
    epoch = serializers.IntegerField()
    waiting_for = serializers.CharField()
    open_proposals = serializers.ListField(child=serializers.UUIDField())
    frames = FrameOut(many=True)


class EventOut(Out):
    seq = serializers.IntegerField()
    type = serializers.CharField()
    epoch = serializers.IntegerField()
    payload = serializers.DictField()
    at = serializers.DateTimeField()


class MessageIn(In):
    agent = serializers.SlugField(max_length=60)
    text = serializers.CharField(max_length=MOST_CHARACTERS)
    client_id = serializers.CharField(max_length=100)
    end_user = serializers.CharField(max_length=200)
    conversation_id = serializers.UUIDField(required=False, allow_null=True, default=None)


class ReplyIn(In):
    text = serializers.CharField(max_length=MOST_CHARACTERS)
    client_id = serializers.CharField(max_length=100)


class MessageOut(Out):
    conversation_id = serializers.UUIDField()
    run_id = serializers.UUIDField(allow_null=True)
    seq = serializers.IntegerField()
    repeated = serializers.BooleanField()
    notice = serializers.CharField()
