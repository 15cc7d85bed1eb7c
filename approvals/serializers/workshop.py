"""Shapes of policies, of what rules say, and of what tools come to."""

from rest_framework import serializers

from approvals.models import NOTE_LENGTH
from approvals.serializers.fields import TextIn
from approvals.serializers.reviewing import SampledRuleOut
from approvals.states import PolicyState, Says
from console.kernel.rest import In, Out


class PolicyIn(In):
    body = serializers.DictField(help_text="The policy: its name and its rules.")
    note = TextIn(required=False, allow_blank=True, max_length=NOTE_LENGTH)


class PoliciesIn(In):
    policy = TextIn(required=False, max_length=63)


class PolicyVersionOut(Out):
    id = serializers.UUIDField()
    policy = serializers.CharField()
    no = serializers.IntegerField()
    body = serializers.DictField()
    digest = serializers.CharField()
    state = serializers.ChoiceField([state.value for state in PolicyState])
    note = serializers.CharField()
    author = serializers.CharField()
    created_at = serializers.DateTimeField()
    moved_at = serializers.DateTimeField()
    activated_by = serializers.UUIDField(allow_null=True)


class PolicyVersionsOut(Out):
    versions = PolicyVersionOut(many=True)


class ShadowIn(In):
    on = serializers.BooleanField(help_text="Into the shadow, or out of it.")


class ShadowDaysIn(In):
    days = serializers.IntegerField(min_value=1, max_value=366, default=30)


class ShadowLineOut(Out):
    said = serializers.ChoiceField([says.value for says in Says], help_text="What counted.")
    says = serializers.ChoiceField([says.value for says in Says], help_text="What this one said.")
    rules = serializers.ListField(child=serializers.CharField(), help_text="Of this version.")
    calls = serializers.IntegerField()


class ShadowDayOut(Out):
    day = serializers.DateField(help_text="In UTC.")
    held = serializers.IntegerField()
    released = serializers.IntegerField(help_text="They ran without people.")
    denied = serializers.IntegerField()
    shadow_held = serializers.IntegerField()
    shadow_released = serializers.IntegerField()
    shadow_denied = serializers.IntegerField()


class ShadowTallyOut(Out):
    calls = serializers.IntegerField()
    differing = serializers.IntegerField()
    lines = ShadowLineOut(many=True, help_text="Those that differ, the most frequent first.")
    days = ShadowDayOut(many=True)
    as_of = serializers.DateTimeField()


class SimulateIn(In):
    proposal = serializers.UUIDField(required=False, help_text="A past call, or:")
    call = serializers.DictField(required=False, help_text="tool, tier, args and other facts.")


class SimulatedOut(Out):
    says = serializers.ChoiceField([says.value for says in Says])
    rules = serializers.ListField(child=serializers.CharField())
    needs = serializers.ListField(child=serializers.CharField(), help_text="Blocks in words.")
    trace = serializers.ListField(child=serializers.DictField())
    flag = serializers.CharField()


class EligibleOut(Out):
    name = serializers.CharField()
    groups = serializers.ListField(child=serializers.CharField())
    excluded = serializers.CharField(help_text="Why not; empty for whoever may decide.")


class ExplainedOut(Out):
    says = serializers.CharField(help_text="Empty: it is older than the rules.")
    rules = serializers.ListField(child=serializers.CharField())
    needs = serializers.ListField(child=serializers.CharField())
    explanation = serializers.CharField()
    trace = serializers.ListField(child=serializers.DictField())
    people = EligibleOut(many=True)


class CoveredOut(Out):
    tool = serializers.CharField()
    tier = serializers.IntegerField()
    says = serializers.ChoiceField([says.value for says in Says])
    settled_by = serializers.ListField(child=serializers.CharField())
    perhaps = serializers.ListField(child=serializers.CharField(), help_text="Rules that depend.")


class SampledPolicyOut(Out):
    version_id = serializers.UUIDField()
    policy = serializers.CharField()
    no = serializers.IntegerField()
    rules = SampledRuleOut(many=True)


class CoverageOut(Out):
    tools = CoveredOut(many=True)
    sampled = SampledPolicyOut(
        many=True, help_text="Active policies with rules that allow, and what people said of those."
    )
