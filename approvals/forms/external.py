"""What the page of outside agents' tools sends."""

from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from typing_extensions import override

from approvals.forms.fields import Word
from approvals.models import REASON_LENGTH
from approvals.policies.external import TOOL_NAME
from console.kernel import canonical

MOST_SCHEMA: Final = 20_000


class SchemaField(forms.CharField):
    """A JSON Schema as text, or None; whether it may be one is the command's question."""

    @override
    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            return canonical.loads(text)
        except canonical.NotCanonical as error:
            raise ValidationError(f"This is no JSON that is taken here: {error.message}") from error


class ToolForm(forms.Form):
    """A tool that external agents may name from now on."""

    name = forms.RegexField(
        TOOL_NAME,
        error_messages={"invalid": "Use letters, digits and ._- only; 120 at most."},
    )
    tier = Word(choices=[("1", "1"), ("2", "2")], label="Tier")
    summary = forms.CharField(max_length=REASON_LENGTH, label="Summary")
    args_schema = SchemaField(required=False, max_length=MOST_SCHEMA, label="Arguments")
