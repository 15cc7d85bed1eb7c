"""A range of days as the address of a page says it: the last so many, or from one to another."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from django import forms
from typing_extensions import override

from console.kernel.spans import Span

DAYS: Final = (7, 30, 90)
DAYS_MOST: Final = 366
DATE: Final = ["%Y-%m-%d"]
EARLIEST: Final = date(2020, 1, 1)


class SpanForm(forms.Form):
    """Either the last `days` days, or `from` and `to`, both included."""

    days = forms.IntegerField(min_value=1, max_value=DAYS_MOST, required=False)
    to = forms.DateField(input_formats=DATE, required=False)

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
SpanForm.base_fields["from"] = forms.DateField(input_formats=DATE, required=False)
SpanForm.declared_fields["from"] = SpanForm.base_fields["from"]


def span_of(values: Mapping[str, Any], *, today: date) -> Span:
    """Return the days that were asked for; without any, the last thirty."""
    if values.get("from"):
        return Span(first=values["from"], last=values["to"])
    days = values.get("days") or DAYS[1]
    return Span(first=today - timedelta(days=days - 1), last=today)
