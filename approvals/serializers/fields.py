"""Fields that refuse without repeating what was sent."""

from typing import Any, ClassVar

from rest_framework import serializers
from typing_extensions import override

from console.kernel.rest import In


class WordIn(serializers.ChoiceField):
    """One of the listed words; what was sent instead is not repeated."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid_choice": "Choose one of the listed values."
    }


class TextIn(serializers.CharField):
    """Text; a number or a truth value is not turned into one."""

    @override
    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class NothingIn(In):
    """For addresses that take no parameters."""
