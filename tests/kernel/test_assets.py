"""Static files over HTTP."""

import asyncio
import gzip
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import AsyncClient, Client

FILE = "js/core/live.js"


def stored() -> bytes:
    return (Path(settings.BASE_DIR) / "static" / FILE).read_bytes()


def text_of(answer: Any) -> bytes:
    body: bytes = answer.content
    return gzip.decompress(body) if answer.headers.get("Content-Encoding") == "gzip" else body


class TestAssets:
    def test_serves_a_file_whole_and_never_streams_it(self) -> None:
        answer = Client().get(f"/static/{FILE}")

        assert answer.status_code == 200
        assert not answer.streaming
        assert text_of(answer) == stored()
        assert answer.headers["Content-Type"].startswith("text/javascript")

    def test_under_asgi_too(self) -> None:
        answer = asyncio.run(AsyncClient().get(f"/static/{FILE}"))

        assert text_of(answer) == stored()

    def test_answers_an_unchanged_file_with_304(self) -> None:
        first = Client().get(f"/static/{FILE}")

        again = Client().get(f"/static/{FILE}", headers={"If-None-Match": first.headers["ETag"]})

        assert (again.status_code, again.content) == (304, b"")

    def test_head_has_no_body(self) -> None:
        assert Client().head(f"/static/{FILE}").content == b""

    def test_serves_a_range(self) -> None:
        answer = Client().get(f"/static/{FILE}", headers={"Range": "bytes=2-5"})

        assert (answer.status_code, answer.content) == (206, stored()[2:6])
