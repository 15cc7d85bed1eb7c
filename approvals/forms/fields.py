"""Fields that several forms share."""

from typing import Any, ClassVar

from django import forms


class Word(forms.ChoiceField):
    """One of the listed words; what was sent instead is not repeated."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid_choice": "Choose one of the listed values."
    }
