"""What the page of a proposal sends to have hidden values erased."""

from django import forms

from approvals.models import REASON_LENGTH


class EraseForm(forms.Form):
    """Why they are erased."""

    erase_reason = forms.CharField(max_length=REASON_LENGTH, label="Reason")
