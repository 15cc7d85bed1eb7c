"""What the spend page can be asked: a range of days in UTC and a grouping, in the URL."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from django import forms
from typing_extensions import override

from costs.cards import Span
from costs.states import GroupBy

DAYS: Final = (7, 30, 90)
DAYS_MOST: Final = 366
DATE: Final = ["%Y-%m-%d"]
EARLIEST: Final = date(2020, 1, 1)


class SpendForm(forms.Form):
    """Either the last `days` days, or `from` and `to`, both included."""

    days = forms.IntegerField(min_value=1, max_value=DAYS_MOST, required=False)
    group = forms.ChoiceField(choices=[(one.value, one.value) for one in GroupBy], required=False)
    to = forms.DateField(input_formats=DATE, required=False)
    agent = forms.CharField(max_length=120, required=False)
    part = forms.SlugField(max_length=20, required=False)

    @override
    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        first, last = values.get("from"), values.get("to")
        if bool(first) != bool(last):
            self.add_error("from", "Give both the first and the last day.")
        elif first and last and not EARLIEST <= first <= last:
            self.add_error("from", "Begin in 2020 or later, and not after the last day.")
        elif first and last and (last - first).days >= DAYS_MOST:
            self.add_error("from", f"Choose at most {DAYS_MOST} days.")
        return values


# "from" is a word of Python and cannot be written in the class body.
SpendForm.base_fields["from"] = forms.DateField(input_formats=DATE, required=False)


def span_of(values: Mapping[str, Any], *, today: date) -> Span:
    """Return the days that were asked for; without any, the last thirty."""
    if values.get("from"):
        return Span(first=values["from"], last=values["to"])
    days = values.get("days") or DAYS[1]
    return Span(first=today - timedelta(days=days - 1), last=today)


def group_of(values: Mapping[str, Any]) -> GroupBy:
    return GroupBy(values.get("group") or GroupBy.AGENT)
