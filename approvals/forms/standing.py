"""Shapes of what pages about standing approvals send."""

from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from typing_extensions import override

from approvals.forms import MOST_CURSOR, MOST_REVISIONS
from approvals.models import REASON_LENGTH
from approvals.policies import MOST_DAYS, MOST_USES

MOST_ROWS: Final = 100


class Column(forms.Field):
    """One text of each row, in the order of the rows; repeats are kept."""

    widget = forms.MultipleHiddenInput

    def __init__(self, *, max_length: int, **other: Any) -> None:
        super().__init__(**other)
        self.max_length = max_length

    @override
    def clean(self, value: Any) -> Any:
        texts = [str(text).replace("\r\n", "\n") for text in super().clean(value) or ()]
        if len(texts) > MOST_ROWS:
            raise ValidationError(f"At most {MOST_ROWS} conditions.")
        if any(len(text) > self.max_length for text in texts):
            raise ValidationError(f"At most {self.max_length} characters.")
        if any("\x00" in text for text in texts):
            raise ValidationError("A text holds a NUL character; remove it.")
        return texts


class StandingForm(forms.Form):
    """An approval in advance: for each row a path, how to compare, and with what."""

    revision_no = forms.IntegerField(min_value=1, max_value=MOST_REVISIONS, label="Revision")
    seen_digest = forms.RegexField("^[0-9a-f]{64}$", label="Digest")
    path = Column(max_length=400, label="Condition")
    op = Column(max_length=20, label="Condition")
    value = Column(max_length=1000, required=False, label="Condition")
    uses = forms.IntegerField(min_value=1, max_value=MOST_USES, label="How many")
    days = forms.IntegerField(min_value=1, max_value=MOST_DAYS, label="How long")
    reason = forms.CharField(max_length=REASON_LENGTH, strip=False, label="Reason")

    @override
    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if len({len(values.get(name, ())) for name in ("path", "op", "value")}) > 1:
            self.add_error("path", "They came incomplete; load the page again.")
        return values


class StandingsForm(forms.Form):
    """The list as its address says it: all of it, or one."""

    one = forms.UUIDField(required=False)
    after = forms.CharField(required=False, max_length=MOST_CURSOR)


class RevokeStandingForm(forms.Form):
    """Why one ends."""

    reason = forms.CharField(max_length=REASON_LENGTH, strip=False, label="Reason")
