"""Answers that are files: evidence that is made while it is sent, and bytes as others read them."""

from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Final, cast

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from audit.bundles import Bundle

ZIP: Final = "application/zip"
TEXT: Final = "text/plain"
BYTES: Final = "application/octet-stream"
FOR_EVER: Final = "private, max-age=31536000, immutable"


def as_file(bundle: Bundle, request: HttpRequest) -> HttpResponse:
    """Return the answer that sends a bundle; nothing on the way keeps it."""
    parts = bundle.parts()
    # Each kind of server gathers the iterators of the other one before it sends anything.
    body = _in_turn(parts) if isinstance(request, ASGIRequest) else parts
    response = StreamingHttpResponse(body, content_type=ZIP)
    response.headers["Content-Disposition"] = f'attachment; filename="{bundle.filename}"'
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return cast("HttpResponse", response)


def as_text(text: str) -> HttpResponse:
    return HttpResponse(text, content_type=f"{TEXT}; charset=utf-8")


def as_bytes(raw: bytes, *, fixed: bool) -> HttpResponse:
    """Return bytes; `fixed` ones are the same for ever and tell nobody anything."""
    response = HttpResponse(raw, content_type=BYTES)
    response.headers["Cache-Control"] = FOR_EVER if fixed else "no-store"
    return response


async def _in_turn(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    following = sync_to_async(partial(next, parts, None))
    while (part := await following()) is not None:
        yield part
