"""Shapes of input and output: strict JSON in, unknown fields refused, one error component."""

from typing import IO, Any, Final, TypeVar

from django.conf import settings
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from typing_extensions import override

from console.kernel import canonical
from console.kernel.errors import BadInput, TooLarge
from console.kernel.http import UNKNOWN_CHOICE, printable

S = TypeVar("S", bound="serializers.Serializer[Any]")
# The framework would turn the number 7 into the text "7", and "yes" into true.
JSON_TYPES: Final = (
    (serializers.BooleanField, bool, "Send true or false."),
    (serializers.IntegerField, int, "Send a whole number."),
    (serializers.CharField, str, "Send text."),
    (serializers.ChoiceField, str, "Send text."),
    (serializers.UUIDField, str, "Send text."),
    (serializers.DateTimeField, str, "Send text."),
)


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
            problems = {
                printable(name): ["This field is unknown here."]
                for name in sorted(set(data) - set(self.fields))[:20]
            } or self._of_other_types(data)
            if problems:
                raise serializers.ValidationError(problems)
        return super().to_internal_value(data)

    def _of_other_types(self, data: dict[str, Any]) -> dict[str, list[str]]:
        if not self.context.get("is_json"):
            return {}  # a query string knows texts only
        wanted = {name: _misfit(self.fields[name], value) for name, value in data.items()}
        return {name: [sentence] for name, sentence in wanted.items() if sentence}


class Out(serializers.Serializer[Any]):
    """What goes out; it gets cards, never rows."""


class ErrorOut(Out):
    """Every refusal: a stable dotted code, one sentence, and facts about it."""

    code = serializers.CharField()
    message = serializers.CharField()
    details = serializers.DictField(child=serializers.JSONField())


def _misfit(one: Any, value: object) -> str:
    """Return what to send instead of a value of another JSON type, "" for one of the right."""
    if isinstance(one, serializers.ListField) and isinstance(value, list):
        return next(filter(None, (_misfit(one.child, item) for item in value)), "")
    for kind, wanted, sentence in JSON_TYPES:
        if isinstance(one, kind) and value is not None:
            return "" if type(value) is wanted else sentence
    return ""


def take(shape: type[S], request: Request) -> dict[str, Any]:
    """Return the checked values of the body.

    Raises:
        BadInput: some fields are wrong, missing or unknown; `details["fields"]` names each.
    """
    if not isinstance(request.data, dict):
        raise BadInput("This takes a JSON object; send its fields in one.", fields={})
    return _checked(shape(data=request.data, context={"is_json": True}))


def take_query(shape: type[S], request: Request) -> dict[str, Any]:
    """Return the checked values of the query string; `limit` and `after` belong to `keyset`."""
    asked = {
        name: value
        for name, value in request.query_params.items()
        if name not in {"limit", "after"}
    }
    return _checked(shape(data=asked))


def _checked(read: "serializers.Serializer[Any]") -> dict[str, Any]:
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
    # The framework's own sentence repeats what was sent, whatever that was.
    return [UNKNOWN_CHOICE if getattr(errors, "code", "") == "invalid_choice" else str(errors)]
