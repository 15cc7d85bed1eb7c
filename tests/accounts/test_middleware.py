"""Who asks: the page's request, the socket, and the moment when a session ends under them."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.test import Client

from console.accounts import commands, queries
from console.asgi import application
from console.kernel import relay
from tests.cast import HOST, Cast

SIGNED_OUT = 4401


class Socket:
    """One browser tab's socket; channels' own helper wants a server that is not installed."""

    def __init__(self, scope: dict[str, Any]) -> None:
        self.wire: Any = ApplicationCommunicator(application, scope)  # type: ignore[no-untyped-call]

    async def connect(self) -> None:
        await self.wire.send_input({"type": "websocket.connect"})
        message = await self.wire.receive_output(timeout=5)
        assert message["type"] == "websocket.accept", message

    async def say(self, content: Any) -> None:
        await self.wire.send_input({"type": "websocket.receive", "text": json.dumps(content)})

    async def hear(self) -> Any:
        message = await self.wire.receive_output(timeout=5)
        assert message["type"] == "websocket.send", message
        return json.loads(message["text"])

    async def leave(self) -> None:
        await self.wire.send_input({"type": "websocket.disconnect", "code": 1001})
        await self.wire.wait()


def socket_of(client: Client | None) -> Socket:
    headers = [(b"host", HOST.encode()), (b"origin", f"http://{HOST}".encode())]
    if client is not None:
        cookie = client.cookies["sessionid"].value
        headers.append((b"cookie", f"sessionid={cookie}".encode()))
    scope = {
        "type": "websocket",
        "path": "/ws/live/",
        "query_string": b"",
        "headers": headers,
        "subprotocols": [],
    }
    return Socket(scope)


def in_socket(client: Client | None, act: Callable[[Socket], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        socket = socket_of(client)
        await socket.connect()
        try:
            return await act(socket)
        finally:
            await socket.leave()

    return asyncio.run(run())


async def close_code(socket: Socket) -> int:
    message = await socket.wire.receive_output(timeout=5)
    assert message["type"] == "websocket.close", message
    return int(message["code"])


class TestSetActor:
    def test_a_request_without_session_is_nobodys(self) -> None:
        assert Client(SERVER_NAME=HOST).get("/account/sessions/").status_code == 302

    def test_a_forged_cookie_is_nobodys(self, cast: Cast) -> None:
        client = Client(SERVER_NAME=HOST)
        client.cookies["sessionid"] = queries.digest_of(cast.ruth.session)[:32]

        assert client.get("/account/sessions/").status_code == 302

    def test_an_expired_session_is_nobodys(self, cast: Cast) -> None:
        client = cast.client("ruth")
        key = client.cookies["sessionid"].value
        assert queries.presence(tenant_id=cast.tenant_id, session_key=key) is not None
        assert queries.presence(tenant_id=cast.elsewhere.id, session_key=key) is None


class TestSocket:
    def test_closes_for_strangers(self) -> None:
        assert in_socket(None, close_code) == SIGNED_OUT

    def test_closes_when_the_person_signs_out(self, cast: Cast) -> None:
        client = cast.client("ruth")

        async def act(socket: Socket) -> int:
            await socket.say({"sub": {"reviews.queue": 0}})
            await socket.hear()
            await sync_to_async(client.post)("/sign-out/")
            await sync_to_async(relay.relay_all)(tenant_id=cast.tenant_id)
            return await close_code(socket)

        assert in_socket(client, act) == SIGNED_OUT

    def test_closes_when_the_person_is_deactivated(self, cast: Cast) -> None:
        client = cast.client("ruth")

        async def act(socket: Socket) -> int:
            await socket.say({"ping": 1})
            await socket.hear()
            await sync_to_async(commands.set_membership)(
                actor=cast.noor,
                person_id=cast.members["ruth"].id,
                roles=["reviewer"],
                groups=[],
                active=False,
            )
            await socket.say({"ping": 2})
            return await close_code(socket)

        assert in_socket(client, act) == SIGNED_OUT

    def test_nobody_can_follow_somebody_elses_session(self, cast: Cast) -> None:
        client = cast.client("ines")

        async def act(socket: Socket) -> Any:
            await socket.say({"sub": {f"session:{cast.ruth.session}": 0}})
            return await socket.hear()

        assert in_socket(client, act) == {"newest": {}}
