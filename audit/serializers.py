"""Shapes of the trail in the API."""

from rest_framework import serializers

from audit.forms import LENGTH
from audit.search import KINDS, NO_READS
from console.kernel.rest import In, Out


class SearchIn(In):
    """The filters of the explorer, under the same names."""

    actor = serializers.CharField(required=False, max_length=LENGTH)
    action = serializers.CharField(required=False, max_length=LENGTH)
    target = serializers.CharField(required=False, max_length=LENGTH)
    agent = serializers.CharField(required=False, max_length=LENGTH)
    run = serializers.CharField(required=False, max_length=LENGTH)
    id = serializers.CharField(required=False, max_length=LENGTH)
    kind = serializers.ChoiceField(required=False, choices=KINDS, default=NO_READS)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)
    at = serializers.IntegerField(required=False, min_value=0, max_value=2**53)


class BundleIn(In):
    """What a bundle is to prove: an entry, a range, or everything about one thing."""

    entry = serializers.IntegerField(required=False, min_value=0, max_value=2**53)
    first = serializers.IntegerField(required=False, min_value=0, max_value=2**53)
    end = serializers.IntegerField(required=False, min_value=0, max_value=2**53)
    about = serializers.CharField(required=False, max_length=LENGTH, help_text="type:id")
    size = serializers.IntegerField(
        required=False, min_value=0, max_value=2**53, help_text="Of the tree; the same for ever."
    )


class EntryOut(Out):
    index = serializers.IntegerField()
    received_at = serializers.DateTimeField()
    action = serializers.CharField()
    kind = serializers.CharField()
    actor_kind = serializers.CharField()
    actor_id = serializers.CharField()
    actor_label = serializers.CharField()
    target_type = serializers.CharField()
    target_id = serializers.CharField()
    agent = serializers.CharField()
    run = serializers.CharField()


class CheckOut(Out):
    passed = serializers.BooleanField(allow_null=True)
    sentence = serializers.CharField()


class ProofOut(Out):
    origin = serializers.CharField()
    index = serializers.IntegerField()
    leaf_hash = serializers.CharField(help_text="SHA-256, 64 hex characters.")
    path = serializers.ListField(child=serializers.CharField(), help_text="Leaf side first.")
    size = serializers.IntegerField()
    root = serializers.CharField()  # type: ignore[assignment]  # DRF's own `root` is untouched
    note = serializers.CharField(help_text="The signed checkpoint (C2SP signed note), or empty.")
    key = serializers.CharField(help_text="Verifier key; self-attested.")
    key_id = serializers.CharField()
    signed_at = serializers.DateTimeField(allow_null=True)
    checks = CheckOut(many=True)


class EntryDetailOut(Out):
    index = serializers.IntegerField(source="card.index")
    uid = serializers.UUIDField()
    log = serializers.CharField(source="origin")
    claimed_at = serializers.CharField()
    received_at = serializers.DateTimeField(source="card.received_at")
    sealed_at = serializers.DateTimeField()
    envelope = serializers.CharField(help_text="The canonical bytes as stored, as UTF-8 text.")
    leaf_frame = serializers.CharField(help_text="Hex of what stands before it in the leaf.")
    proof = ProofOut()


class GuardDriftOut(Out):
    place = serializers.CharField(help_text="The role, table, function or setting.")
    sentence = serializers.CharField()
    remedy = serializers.CharField(help_text="What to do about it.")
    reach = serializers.BooleanField(
        help_text="Whether the application could alter its own trail by it."
    )


class AlarmOut(Out):
    code = serializers.CharField(help_text="`guards`: self-check; `log`: verification; `signer`.")
    sentences = serializers.ListField(child=serializers.CharField())
    raised_at = serializers.DateTimeField()


class WatchOut(Out):
    looked_at = serializers.DateTimeField(
        source="guards.looked_at", allow_null=True, help_text="Last self-check."
    )
    self_attested = serializers.BooleanField(source="guards.is_within_reach")
    drifts = GuardDriftOut(many=True, source="guards.drifts")
    alarms = AlarmOut(many=True, help_text="What stands, newest first.")
