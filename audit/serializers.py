"""Shapes of the trail in the API."""

from typing import Any

from rest_framework import serializers

from audit.forms import LENGTH, ROOT
from audit.search import MOST_CHARACTERS, Search
from console.kernel.rest import In, Out


class SearchIn(In):
    """The query box of the explorer, and the tree that the answer is pinned to."""

    q = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=MOST_CHARACTERS,
        default="",
        help_text="As in the query box: `action:vote.* -kind:read agent:refund-desk`. The manual "
        "lists its fields. Left out, it asks for everything.",
    )
    at = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=2**53,
        help_text="Tree size that the answer is pinned to; the newest when it is left out.",
    )
    root = serializers.RegexField(  # type: ignore[assignment]  # as in `PinOut`
        ROOT,
        required=False,
        max_length=64,
        help_text="How the root at that size began; `pinned.warning` says when it no longer does.",
    )


def asked_of(search: Search) -> dict[str, Any]:
    """Return a query as it was understood, for `AskedOut`."""
    terms = [
        {
            "field": term.field,
            "negated": term.negated,
            "values": [str(value) for value in term.values],
            "text": str(term),
        }
        for term in search.query.terms
    ]
    return {"query": search.canonical(), "terms": terms}


class TermOut(Out):
    field = serializers.CharField(help_text="Empty for text.")
    negated = serializers.BooleanField()
    values = serializers.ListField(child=serializers.CharField())
    text = serializers.CharField()


class AskedOut(Out):
    """The query as it was understood."""

    query = serializers.CharField(help_text="The canonical text; reading it again asks the same.")
    terms = TermOut(many=True)


class PinOut(Out):
    size = serializers.IntegerField()
    root = serializers.CharField(help_text="64 hex characters; empty for an empty trail.")  # type: ignore[assignment]  # DRF's own `root` is untouched
    warning = serializers.CharField()


class CompleteOut(Out):
    """What an answer could draw on."""

    searched = serializers.IntegerField()
    sealed = serializers.IntegerField()
    unsealed = serializers.IntegerField()


class FacetValueOut(Out):
    value = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # DRF's own `label` is untouched
    count = serializers.IntegerField()


class FacetOut(Out):
    field = serializers.CharField()
    values = FacetValueOut(many=True)
    more = serializers.IntegerField(help_text="Values that are not listed.")


class FacetsOut(Out):
    facets = FacetOut(many=True)
    newest_only = serializers.BooleanField(
        help_text="Counted among the newest 10,000 that match, and not among all."
    )
    counted = serializers.IntegerField()


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


class EntriesOut(Out):
    """A page of entries, with what it is a page of."""

    items = EntryOut(many=True)
    next = serializers.CharField(allow_null=True)
    asked = AskedOut()
    pinned = PinOut()
    complete = CompleteOut()


class FactOut(Out):
    index = serializers.IntegerField()
    label = serializers.CharField()  # type: ignore[assignment]  # as in `FacetValueOut`
    outcome = serializers.CharField()


class ExecutedOut(Out):
    """One hand-over of a change to execution, beside what people had agreed to."""

    index = serializers.IntegerField()
    at = serializers.DateTimeField()
    proposal = serializers.CharField()
    approved = serializers.CharField(help_text="SHA-256 of the decided content; empty: none.")
    ran = serializers.CharField(help_text="SHA-256 of the content that asked to run.")
    handed_over = serializers.BooleanField(help_text="False: it was refused, and nothing ran.")
    holds = serializers.BooleanField(help_text="What ran is what was agreed to, or nothing ran.")
    votes = FactOut(many=True)
    decision = FactOut(allow_null=True)
    result = FactOut(allow_null=True)


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


class ConsistencyIn(In):
    """Two sizes of the log."""

    old = serializers.IntegerField(min_value=0, max_value=2**53)
    new = serializers.IntegerField(min_value=0, max_value=2**53)


class ConsistencyOut(Out):
    old_size = serializers.IntegerField()
    old_root = serializers.CharField()
    new_size = serializers.IntegerField()
    new_root = serializers.CharField()
    path = serializers.ListField(
        child=serializers.CharField(), help_text="RFC 6962, 2.1.2; 64 hex characters each."
    )


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
    code = serializers.CharField(
        help_text="`guards`: self-check; `log`, `meta`: verification; `signer`."
    )
    sentences = serializers.ListField(child=serializers.CharField())
    raised_at = serializers.DateTimeField()


class PatrolOut(Out):
    scope = serializers.CharField(help_text="`newest`: the last day; `whole`: everything.")
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True, help_text="Null while it runs.")
    next_index = serializers.IntegerField(help_text="Entries below this were verified.")
    found = serializers.IntegerField(help_text="Mismatches of this pass.")


class WatchOut(Out):
    looked_at = serializers.DateTimeField(
        source="guards.looked_at", allow_null=True, help_text="Last self-check."
    )
    self_attested = serializers.BooleanField(source="guards.is_within_reach")
    drifts = GuardDriftOut(many=True, source="guards.drifts")
    patrols = PatrolOut(many=True, help_text="Continuous verification of this tenant's log.")
    alarms = AlarmOut(many=True, help_text="What stands, newest first.")
