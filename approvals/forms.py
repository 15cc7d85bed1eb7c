"""Shapes of what pages send."""

from datetime import datetime
from typing import Any, ClassVar, Final

from django import forms
from django.core.exceptions import ValidationError
from typing_extensions import override

from approvals.queries import View
from approvals.states import Choice, RejectCode

MOST_REVISIONS: Final = 1_000_000
MOST_CURSOR: Final = 400
CHOICES: Final = [(choice.value, choice.value) for choice in Choice]
CODES: Final = [("", ""), *((code.value, code.value) for code in RejectCode)]


class Moment(forms.CharField):
    """A time in ISO 8601 with its zone."""

    @override
    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            at = datetime.fromisoformat(text)
        except ValueError as error:
            raise ValidationError("Send a time in ISO 8601.") from error
        if at.tzinfo is None:
            raise ValidationError("Send the time with its zone.")
        return at


class Word(forms.ChoiceField):
    """One of the listed words; what was sent instead is not repeated."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid_choice": "Choose one of the listed values."
    }


class QueueForm(forms.Form):
    """A list as its address says it."""

    view = Word(choices=[(view.value, view.value) for view in View], required=False)
    after = forms.CharField(required=False, max_length=MOST_CURSOR)
    as_of = Moment(required=False, max_length=40)
    part = Word(choices=[("rows", "rows")], required=False)


class DetailForm(forms.Form):
    """A page of one proposal as its address says it."""

    view = Word(choices=[("fields", "Fields"), ("raw", "Raw")], required=False)
    part = Word(choices=[("now", "now"), ("past", "past")], required=False)


class VoteForm(forms.Form):
    """A vote. The lengths of texts are the command's question, which counts line breaks once."""

    choice = Word(choices=CHOICES, label="Your vote")
    revision_no = forms.IntegerField(min_value=1, max_value=MOST_REVISIONS, label="Revision")
    seen_digest = forms.RegexField("^[0-9a-f]{64}$", label="Digest")
    reason_code = Word(choices=CODES, required=False, label="Why reject")
    note = forms.CharField(required=False, strip=False, label="Reason")
    agent_message = forms.CharField(required=False, strip=False, label="Tell the agent")
    record = forms.CharField(required=False, max_length=1)
    guard = forms.CharField(required=False, max_length=1)


class NothingForm(forms.Form):
    """A form that says all by its address."""
