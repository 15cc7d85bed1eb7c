"""Shapes of what the page of delegations sends."""

from django import forms

from approvals.models import REASON_LENGTH
from approvals.policies.delegating import MOST_DAYS

MOST_SLUG = 63


class DelegateForm(forms.Form):
    """Who may decide in the sender's place, for which group, for how long and why."""

    person = forms.UUIDField(label="Person")
    group = forms.SlugField(max_length=MOST_SLUG, label="Group")
    days = forms.IntegerField(min_value=1, max_value=MOST_DAYS, label="Days")
    reason = forms.CharField(max_length=REASON_LENGTH, label="Reason")
