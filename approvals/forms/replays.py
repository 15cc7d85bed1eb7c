"""Shapes of what the pages of replays send."""

from typing import Final

from django import forms

from approvals.forms.fields import Word
from approvals.states import ReplaySays

_MOST_CALLS: Final = 2**31 - 1


class ReplayForm(forms.Form):
    """How far back a replay looks."""

    days = forms.IntegerField(min_value=1, max_value=366, label="Days")


class ReplayPageForm(forms.Form):
    """A replay as its address says it: which calls are listed, and after which."""

    part = Word(choices=[("now", "now")], required=False)
    difference = Word(
        choices=[(one.value, one.value) for one in ReplaySays if one is not ReplaySays.UNCHANGED],
        required=False,
    )
    after = forms.IntegerField(required=False, min_value=0, max_value=_MOST_CALLS)
