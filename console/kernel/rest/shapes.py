"""Shapes of input and output: strict JSON in, unknown fields refused, one error component."""

from typing import IO, Any, TypeVar

from django.conf import settings
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from typing_extensions import override

from console.kernel import canonical
from console.kernel.errors import BadInput, TooLarge

S = TypeVar("S", bound="serializers.Serializer[Any]")


class StrictJson(BaseParser):
    """JSON of the canonical profile: no duplicate keys, no floats, no NUL, no lone surrogates."""

    media_type = "application/json"

    @override
    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Any = None,
    ) -> Any:
        # The declared length was checked before; a chunked body declares none.
        raw = stream.read(settings.BODY_LIMIT + 1)
        if len(raw) > settings.BODY_LIMIT:
            raise TooLarge(
                f"The request is larger than {settings.BODY_LIMIT // 1024} KB; send less at once.",
                limit_bytes=settings.BODY_LIMIT,
            )
        return canonical.loads(raw) if raw.strip() else {}


class In(serializers.Serializer[Any]):
    """What is taken in; a field that is not named here is refused, not dropped."""

    @override
    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = sorted(set(data) - set(self.fields))
            if unknown:
                raise serializers.ValidationError(
                    {name[:60]: ["This field is unknown here."] for name in unknown[:20]}
                )
        return super().to_internal_value(data)


class Out(serializers.Serializer[Any]):
    """What goes out; it gets cards, never rows."""


class ErrorOut(Out):
    """Every refusal: a stable dotted code, one sentence, and facts about it."""

    code = serializers.CharField()
    message = serializers.CharField()
    details = serializers.DictField(child=serializers.JSONField())


def take(shape: type[S], request: Request) -> dict[str, Any]:
    """Return the checked values of the body.

    Raises:
        BadInput: some fields are wrong, missing or unknown; `details["fields"]` names each.
    """
    return _checked(shape, request.data)


def take_query(shape: type[S], request: Request) -> dict[str, Any]:
    """Return the checked values of the query string; `limit` and `after` belong to `keyset`."""
    asked = {
        name: value
        for name, value in request.query_params.items()
        if name not in {"limit", "after"}
    }
    return _checked(shape, asked)


def _checked(shape: type[S], data: Any) -> dict[str, Any]:
    read = shape(data=data)
    if read.is_valid():
        return dict(read.validated_data)
    fields = {name: _sentences(errors) for name, errors in read.errors.items()}
    first, sentences = next(iter(fields.items()))
    raise BadInput(f"{first.replace('_', ' ').capitalize()}: {sentences[0]}", fields=fields)


def _sentences(errors: Any) -> list[str]:
    """Return the sentences of one field, also where the framework nests them by position."""
    if isinstance(errors, dict):
        return [text for inner in errors.values() for text in _sentences(inner)]
    if isinstance(errors, list):
        return [text for inner in errors for text in _sentences(inner)]
    return [str(errors)]
