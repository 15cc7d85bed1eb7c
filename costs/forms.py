"""What the spend page can be asked: a range of days in UTC and a grouping, in the URL."""

from collections.abc import Mapping
from typing import Any

from django import forms

from console.kernel.ranges import SpanForm
from costs.states import GroupBy


class SpendForm(SpanForm):
    """Days, grouping and the only agent, if one is meant."""

    group = forms.ChoiceField(choices=[(one.value, one.value) for one in GroupBy], required=False)
    agent = forms.CharField(max_length=120, required=False)
    part = forms.SlugField(max_length=20, required=False)


def group_of(values: Mapping[str, Any]) -> GroupBy:
    return GroupBy(values.get("group") or GroupBy.AGENT)
