"""Shapes of the meter room in the API; money is decimal text, unknown is null."""

from rest_framework import serializers

from console.kernel.ranges import DAYS_MOST
from console.kernel.rest import In, Out
from costs.money import DIGITS, PLACES
from costs.states import GroupBy


class MoneyField(serializers.DecimalField):
    """US dollars as text with twelve places; null is unknown, never zero."""

    def __init__(self, *, allow_null: bool = False) -> None:
        super().__init__(
            max_digits=DIGITS,
            decimal_places=PLACES,
            coerce_to_string=True,
            allow_null=allow_null,
        )


class LineOut(Out):
    """What one class of one model call used and came to."""

    id = serializers.UUIDField()
    call_id = serializers.UUIDField()
    run_id = serializers.UUIDField()
    agent = serializers.CharField()
    provider = serializers.CharField()
    model = serializers.CharField()
    token_class = serializers.CharField(source="token_class.value")
    units = serializers.IntegerField(allow_null=True)
    rate_usd = MoneyField(allow_null=True)
    per_units = serializers.IntegerField(allow_null=True)
    multiplier = serializers.DecimalField(max_digits=12, decimal_places=6, allow_null=True)
    cost_usd = MoneyField(allow_null=True)
    basis = serializers.CharField(source="basis.value")
    admitted_at = serializers.DateTimeField()


class TotalsOut(Out):
    cost_usd = MoneyField(allow_null=True)
    known_usd = MoneyField()
    runs = serializers.IntegerField()
    calls = serializers.IntegerField()
    model_calls = serializers.IntegerField()
    unpriced_calls = serializers.IntegerField()
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()


class SpendRowOut(Out):
    key = serializers.CharField()
    totals = TotalsOut()


class SpendOut(Out):
    """Spend of whole days in UTC; `groups` may be more than the rows that are listed."""

    first = serializers.DateField(source="span.first")
    last = serializers.DateField(source="span.last")
    group_by = serializers.CharField(source="group_by.value")
    total = TotalsOut()
    previous = TotalsOut()
    rows = SpendRowOut(many=True)
    groups = serializers.IntegerField()
    unpriced_models = serializers.ListField(child=serializers.CharField())
    as_of = serializers.DateTimeField()


class UsageIn(In):
    run_id = serializers.UUIDField(required=False)
    agent = serializers.CharField(required=False, max_length=120)


class SpendIn(In):
    days = serializers.IntegerField(required=False, min_value=1, max_value=DAYS_MOST)
    group = serializers.ChoiceField(
        required=False, choices=[(one.value, one.value) for one in GroupBy]
    )
    agent = serializers.CharField(required=False, max_length=120)
