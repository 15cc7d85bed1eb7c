"""How the API describes itself: errors on every operation, the key header, both ways in."""

from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from typing_extensions import override

from console.kernel.rest.shapes import ErrorOut

REFUSALS: Final = {
    "400": "A value is wrong, missing or unknown.",
    "401": "Nobody is signed in, or the key is not valid.",
    "403": "A permission is missing, or only a person may do this.",
    "404": "There is no such thing, or it is not yours to see.",
    "409": "The state is another one than the request assumes.",
    "413": "The body is too large.",
    "429": "Too many requests; see Retry-After.",
}
WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class ConsoleSchema(AutoSchema):
    """drf-spectacular's schema with what every operation of ours has."""

    @override
    def get_override_parameters(self) -> list[Any]:
        if self.method not in WRITES or not getattr(self.view, "repeatable", False):
            return []
        return [
            OpenApiParameter(
                "Idempotency-Key",
                OpenApiTypes.STR,
                OpenApiParameter.HEADER,
                description="The same key with the same body gets the stored answer.",
            )
        ]

    @override
    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies = super()._get_response_bodies(direction=direction)
        for code, words in REFUSALS.items():
            if code in bodies or (code in {"409", "413"} and self.method not in WRITES):
                continue
            bodies[code] = {
                **self._get_response_for_code(  # type: ignore[no-untyped-call]
                    ErrorOut, code, direction=direction
                ),
                "description": words,
            }
        return bodies


class KeyOrSessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Names both ways in for the API file; drf-spectacular finds it by its base class."""

    target_class = "console.kernel.rest.access.KeyOrSession"
    name = ["serviceKey", "session"]  # noqa: RUF012 - the base declares no ClassVar

    @override
    def get_security_requirement(self, auto_schema: Any) -> Any:
        """Return the ways in of which one is enough; a decision takes a person's session."""
        decides = getattr(auto_schema.view, "people_only", False) and auto_schema.method in WRITES
        return [{"session": []}] if decides else [{"serviceKey": []}, {"session": []}]

    @override
    def get_security_definition(self, auto_schema: Any) -> Any:
        return [
            {"type": "http", "scheme": "bearer", "description": "A service key, `sb_...`."},
            {"type": "apiKey", "in": "cookie", "name": "sessionid"},
        ]
