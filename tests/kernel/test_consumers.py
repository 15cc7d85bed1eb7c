"""The socket of a page: what it passes on, and to whom."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.db import connection

from console.asgi import application
from console.kernel import crowd, live, relay
from console.kernel.ids import uuid7
from tests.approvals.desk import approve, opened
from tests.cast import HOST, Cast

TOPIC = "reviews.queue"
PATIENCE_S = 10
page_of: Any = ApplicationCommunicator  # it has no types


def scope_of(session: str) -> dict[str, Any]:
    cookie = f"{settings.SESSION_COOKIE_NAME}={session}"
    headers = {"cookie": cookie, "host": HOST, "origin": f"http://{HOST}"}
    return {
        "type": "websocket", "path": "/ws/live/", "query_string": b"", "client": ("127.0.0.1", 1),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip


async def said(socket: Any) -> dict[str, Any]:
    message: dict[str, Any] = json.loads((await socket.receive_output(PATIENCE_S))["text"])
    return message


def heard(cast: Cast, who: str, act: Callable[[], object]) -> dict[str, Any]:
    """Return the first hint that somebody's page gets of the lists after something was done."""
    session = cast.client(who).cookies[settings.SESSION_COOKIE_NAME].value
    relay.relay_all(tenant_id=cast.tenant_id)

    def done() -> None:
        act()
        relay.relay_all(tenant_id=cast.tenant_id)
        connection.close()

    async def page() -> dict[str, Any]:
        socket = page_of(application, scope_of(session))
        await socket.send_input({"type": "websocket.connect"})
        assert (await socket.receive_output(PATIENCE_S))["type"] == "websocket.accept"
        sub = json.dumps({"sub": {TOPIC: 0, "nowhere": 0}})
        await socket.send_input({"type": "websocket.receive", "text": sub})
        assert set((await said(socket))["newest"]) == {TOPIC}
        await asyncio.to_thread(done)
        hint = await said(socket)
        await socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await socket.wait(PATIENCE_S)
        return hint

    return asyncio.run(page())


class TestSocket:
    def test_passes_on_how_a_thing_ended(self, cast: Cast) -> None:
        card = opened(cast)
        hint = heard(cast, "ines", lambda: approve(card, cast.ruth))
        assert hint == {
            "topic": TOPIC, "seq": hint["seq"], "id": str(card.id), "rev": 0, "settled": "approved",
        }  # fmt: skip

    def test_is_for_topics_that_one_may_follow(self, cast: Cast) -> None:
        guest = cast.add("guest", roles=())
        assert live.followable(guest, [TOPIC, f"proposal:{uuid7()}"]) == []

    def test_has_a_crowd_take_turns_until_it_is_gone(self, cast: Cast) -> None:
        followed = (cast.tenant_id, TOPIC)
        others = [f"person {number}" for number in range(1000)]
        for person in others:
            crowd.here.join(followed, person)
        hint = heard(cast, "ines", lambda: opened(cast))
        assert 0 < hint["turn"] < 1000 * crowd.EACH_MS
        for person in others:
            crowd.here.leave(followed, person)
        assert followed not in crowd.here._pages
