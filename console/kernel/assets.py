"""Static files, each handed over whole."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from typing_extensions import override
from whitenoise.middleware import WhiteNoiseMiddleware


class Assets(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise without its streaming.

    Django warns when it has to stream an open file under ASGI, and hops to a thread for each piece
    of it; our largest file is a megabyte, so reading it at once costs less.
    """

    @staticmethod
    @override
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
        body = b""
        if found.file is not None:
            with found.file:
                body = found.file.read()
        response = HttpResponse(body, status=int(found.status))
        del response.headers["Content-Type"]
        for name, value in found.headers:
            response.headers[name] = value
        return response
