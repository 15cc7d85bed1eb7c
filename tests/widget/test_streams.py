import asyncio
import json
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.db import connection

from console.asgi import http
from console.widget import streams
from tests.approvals.sql import as_owner
from tests.widget.conftest import WIDGET_HOST, Visitor

STREAMS = 5


def backends() -> int:
    """Return how many connections the product has to the database."""
    asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND usename = %s"
    values = connection.settings_dict
    with as_owner() as owner:
        found = owner.execute(asked, [values["NAME"], values["USER"]]).fetchone()
    return int(found[0]) if found else 0


async def waiting(visitor: Visitor) -> Any:
    """Open a stream and take from it until it waits for something to happen."""
    body = json.dumps({"after": 0}).encode()
    headers = {
        "host": WIDGET_HOST,
        "authorization": f"Bearer {visitor.token}",
        "content-type": "application/json",
        "content-length": str(len(body)),
    }
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/widget/api/stream",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    stream: Any = ApplicationCommunicator(http, scope)  # type: ignore[no-untyped-call]
    await stream.send_input({"type": "http.request", "body": body})
    assert (await stream.receive_output(30))["status"] == 200
    while b"event: state" not in (await stream.receive_output(30))["body"]:
        pass
    return stream


async def counted(visitor: Visitor) -> tuple[int, int]:
    before = await asyncio.to_thread(backends)
    opened = [await waiting(visitor) for _ in range(STREAMS)]
    during = await asyncio.to_thread(backends)
    for stream in opened:
        await stream.send_input({"type": "http.disconnect"})
        await stream.wait(30)
    return before, during


class TestFollow:
    def test_holds_no_connection_while_it_waits(
        self, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(streams, "POLL_S", 60.0)
        monkeypatch.setattr(streams, "MOVING", frozenset())
        visitor.say("hello")
        before, during = asyncio.run(counted(visitor))
        assert during <= before
