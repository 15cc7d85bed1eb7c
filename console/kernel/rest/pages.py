"""Key-set pages: an opaque cursor, no offset, so that rows neither repeat nor go missing."""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from console.kernel import canonical
from console.kernel.errors import BadInput, ConsoleError

T = TypeVar("T")
Part = datetime | UUID | int | str
MOST_PER_PAGE: Final = 200
USUAL_PER_PAGE: Final = 50
CURSOR_LENGTH_MOST: Final = 2000
WHOLE_MOST: Final = 2**63 - 1
TEXTS: Final[dict[type, Callable[[Any], str]]] = {
    datetime: datetime.isoformat,
    UUID: str,
    int: str,
    str: str,
}


def _whole(text: str) -> int:
    """Read a number that the database can hold."""
    if abs(number := int(text)) > WHOLE_MOST:
        raise ValueError(text)
    return number


READERS: Final[dict[type, Callable[[str], Any]]] = {
    datetime: datetime.fromisoformat,
    UUID: UUID,
    int: _whole,
    str: str,
}
PAGE_ASKS: Final = frozenset({"limit", "after"})
PAGE_PARAMETERS: Final = [
    OpenApiParameter("limit", int, description=f"Rows on the page, 1 to {MOST_PER_PAGE}."),
    OpenApiParameter("after", str, description="The `next` of the page before."),
]


def asked_limit(request: Request) -> int:
    """Return how many rows were asked for."""
    raw = request.query_params.get("limit", str(USUAL_PER_PAGE))
    if not (raw.isascii() and raw.isdecimal()) or not 1 <= int(raw[:6]) <= MOST_PER_PAGE:
        sentence = f"Ask for 1 to {MOST_PER_PAGE} rows."
        raise BadInput(f"Limit: {sentence}", fields={"limit": [sentence]})
    return int(raw)


def keyset(
    request: Request,
    fetch: Callable[[Any, int], Sequence[T]],
    *,
    key: Callable[[T], tuple[Part, ...]],
    kinds: tuple[type, ...],
) -> tuple[Sequence[T], str | None]:
    """Return one page and the cursor of the following one, None on the last.

    Args:
        fetch: called with (last seen key or None, how many rows); returns the rows after it.
        key: the values by which the rows are ordered; together they name one row.
        kinds: the type of each of them: datetime, UUID, int or str.
    """
    limit = asked_limit(request)
    cursor = request.query_params.get("after", "")
    rows = fetch(read_cursor(cursor, kinds) if cursor else None, limit + 1)
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], write_cursor(key(rows[limit - 1]), kinds)


def page(shape: type["serializers.Serializer[Any]"], cards: Any, following: str | None) -> Response:
    """Answer with one page of cards."""
    return Response({"items": shape(cards, many=True).data, "next": following})


def paged(shape: type["serializers.Serializer[Any]"]) -> Any:
    """Describe a page of `shape` for the API file."""
    return inline_serializer(
        f"{shape.__name__.removesuffix('Out')}Page",
        {
            "items": shape(many=True),
            "next": serializers.CharField(allow_null=True),
        },
    )


def write_cursor(values: tuple[Part, ...], kinds: tuple[type, ...]) -> str:
    texts = [TEXTS[kind](value) for kind, value in zip(kinds, values, strict=True)]
    return base64.urlsafe_b64encode(canonical.dumps(texts)).decode().rstrip("=")


def read_cursor(cursor: str, kinds: tuple[type, ...]) -> tuple[Any, ...]:
    """Read a cursor; whoever writes one by hand gets another page of what they may see, no more."""
    try:
        if len(cursor) > CURSOR_LENGTH_MOST:
            raise ValueError("too long")  # noqa: TRY301 - one sentence for every bad cursor
        texts = canonical.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return tuple(READERS[kind](text) for kind, text in zip(kinds, texts, strict=True))
    except (ValueError, TypeError, binascii.Error, ConsoleError) as error:
        sentence = "Use the `next` of the page before, or leave it out to begin."
        raise BadInput(f"After: {sentence}", fields={"after": [sentence]}) from error
