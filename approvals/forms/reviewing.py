"""Shapes of what the pages of break-glass and of duties send."""

from django import forms

from approvals.forms import MOST_CURSOR, MOST_REVISIONS
from approvals.forms.fields import Word
from approvals.models import REASON_LENGTH
from approvals.policies.breaking import MOST_GRANT_MINUTES
from approvals.states import ReviewVerdict


class BreakGlassForm(forms.Form):
    """Deciding in place of others; the length of the texts is the command's question."""

    revision_no = forms.IntegerField(min_value=1, max_value=MOST_REVISIONS, label="Revision")
    seen_digest = forms.RegexField("^[0-9a-f]{64}$", label="Digest")
    reason = forms.CharField(required=False, strip=False, label="Reason")
    ticket = forms.CharField(required=False, label="Ticket")
    sure = forms.CharField(required=False, max_length=1)
    guard = forms.CharField(required=False, max_length=1)


class LendForm(forms.Form):
    """To whom the right to break glass is lent, for how long and why."""

    person = forms.UUIDField(label="Person")
    minutes = forms.IntegerField(min_value=1, max_value=MOST_GRANT_MINUTES, label="Minutes")
    reason = forms.CharField(max_length=REASON_LENGTH, label="Reason")


class DutiesForm(forms.Form):
    """The list of duties as its address says it."""

    show = Word(choices=[("closed", "closed")], required=False)
    after = forms.CharField(required=False, max_length=MOST_CURSOR)
    part = Word(choices=[("rows", "rows")], required=False)


class CloseDutyForm(forms.Form):
    """An answer; whether it needs a note is the command's question."""

    verdict = Word(choices=[(one.value, one.value) for one in ReviewVerdict], label="Answer")
    note = forms.CharField(required=False, strip=False, label="Note")
    guard = forms.CharField(required=False, max_length=1)
