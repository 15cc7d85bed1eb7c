"""Shapes of what a proposal changes, in four views, against what was seen, and against now."""

from typing import Any

from rest_framework import serializers
from typing_extensions import override

from approvals.serializers.fields import WordIn
from approvals.serializers.proposals import ChangeOut, DriftOut
from approvals.states import ProposalState
from console.kernel.rest import In, Out

FIELDS, UNIFIED, SIDE, RAW = DIFF_VIEWS = ("fields", "unified", "side", "raw")
_MOST_REVISIONS = 1_000_000


class DiffIn(In):
    view = WordIn(DIFF_VIEWS, default=FIELDS)


class InterdiffIn(In):
    """`from` is a word of Python, so the field is named here."""

    @override
    def get_fields(self) -> dict[str, Any]:
        number = serializers.IntegerField(min_value=1, max_value=_MOST_REVISIONS, required=False)
        return {"from": number}


class DiffLineOut(Out):
    mark = serializers.ChoiceField(["same", "del", "add"])
    old = serializers.IntegerField(allow_null=True, help_text="Its number before; of long texts.")
    new = serializers.IntegerField(allow_null=True)
    text = serializers.CharField()


class DiffPairOut(Out):
    left = DiffLineOut(allow_null=True)
    right = DiffLineOut(
        allow_null=True, help_text="What took the place of `left`, or stays beside it."
    )


class DiffLinesOut(Out):
    path = serializers.CharField(help_text="Kind, id and field of the record.")
    lines = DiffLineOut(many=True)


class DiffPairsOut(Out):
    path = serializers.CharField(help_text="Kind, id and field of the record.")
    rows = DiffPairOut(many=True)


class DiffRawOut(Out):
    """Texts in canonical form; the digest is over these bytes, of `before` over their hash."""

    tool = serializers.CharField()
    contract_hash = serializers.CharField()
    args = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField(help_text="Follows from the rest; the digest leaves it out.")


class DiffOut(Out):
    revision_no = serializers.IntegerField()
    digest = serializers.CharField(help_text="A vote on what is shown here sends this.")
    view = serializers.ChoiceField(DIFF_VIEWS)
    hidden = serializers.IntegerField(help_text="Invisible or reordering characters in all of it.")
    unchanged = serializers.IntegerField(help_text="Fields that stay as they are.")
    matched = serializers.ListField(
        child=serializers.CharField(), help_text="How members of lists were paired."
    )
    fields = ChangeOut(many=True, allow_null=True)  # type: ignore[assignment]  # DRF takes it away
    unified = DiffLinesOut(many=True, allow_null=True)
    side = DiffPairsOut(many=True, allow_null=True)
    raw = DiffRawOut(allow_null=True)


class InterdiffOut(Out):
    seen_no = serializers.IntegerField()
    revision_no = serializers.IntegerField()
    digest = serializers.CharField()
    changes = ChangeOut(
        many=True, source="diff.changes", help_text="Arguments, contract and both images."
    )


class ThreeWayOut(Out):
    state = serializers.ChoiceField([state.value for state in ProposalState])
    revision_no = serializers.IntegerField()
    digest = serializers.CharField()
    lines = DriftOut(many=True, help_text="Empty unless the proposal is stale.")
