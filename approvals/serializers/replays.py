"""Shapes of replays."""

from typing import Final

from rest_framework import serializers

from approvals.states import ReplaySays, ReplayState, Says
from console.kernel.rest import In, Out

LISTED: Final = [one.value for one in ReplaySays if one is not ReplaySays.UNCHANGED]
_SAYS: Final = [says.value for says in Says]


class ReplayIn(In):
    days = serializers.IntegerField(min_value=1, max_value=366, help_text="How far back it looks.")


class ReplayCallsIn(In):
    difference = serializers.ChoiceField(LISTED, required=False)


class ReplayOut(Out):
    id = serializers.UUIDField()
    version_id = serializers.UUIDField()
    days = serializers.IntegerField()
    state = serializers.ChoiceField([state.value for state in ReplayState])
    until = serializers.DateTimeField(help_text="Only calls before it are looked at.")
    total = serializers.IntegerField(help_text="Calls to look at.")
    done = serializers.IntegerField(help_text="Calls that were looked at.")
    percent = serializers.IntegerField()
    counts = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Calls by what would have been different; what is missing is none.",
    )
    held_before = serializers.IntegerField(help_text="Calls that waited for people.")
    held_after = serializers.IntegerField(help_text="Calls that would have.")
    started_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    moved_at = serializers.DateTimeField()


class ReplaysOut(Out):
    replays = ReplayOut(many=True)


class ReplayedCallOut(Out):
    no = serializers.IntegerField(help_text="Its place among all calls, the oldest is 1.")
    proposal_id = serializers.UUIDField()
    tool = serializers.CharField()
    difference = serializers.ChoiceField(LISTED)
    was = serializers.ChoiceField(_SAYS)
    was_people = serializers.IntegerField()
    says = serializers.ChoiceField(_SAYS, allow_null=True, help_text="Null: not replayable.")
    people = serializers.IntegerField()
    rules = serializers.ListField(child=serializers.CharField(), help_text="What settles it now.")
