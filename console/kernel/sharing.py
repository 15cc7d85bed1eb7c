"""One answer for equal refetches: tabs of a session that show the same fetch it at the same time.

A hint makes every open page ask at once. Requests that wait for their turn and are equal to the
last byte, cookies and all, become one; none gets an answer on which work began before it arrived.
So it is signed in, may see, and is told what it would have been told alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

Message: TypeAlias = Mapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

# Refetches that are worked on at the same moment; the others wait, so that a page or a vote that
# somebody sends meanwhile does not stand behind hundreds of them.
AT_ONCE: Final = 4
_REFETCH: Final = (b"hx-request", b"true")
_BODY: Final = frozenset({b"content-length", b"transfer-encoding"})


class Shared:
    """Passes requests on to an application, and equal refetches as one."""

    def __init__(self, app: App, *, at_once: int = AT_ONCE) -> None:
        self._app = app
        self._room = asyncio.Semaphore(at_once)
        self._waiting: dict[object, asyncio.Task[list[Message]]] = {}

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if not _is_refetch(scope):
            await self._app(scope, receive, send)
            return
        address = (scope.get("client") or ("",))[0]
        asked = (scope["path"], scope["query_string"], address, tuple(scope["headers"]))
        work = self._waiting.get(asked)
        if work is None:
            work = asyncio.create_task(self._work(asked, scope))
            self._waiting[asked] = work
        # Whoever goes away leaves the work to those who wait for it too.
        for message in await asyncio.shield(work):
            await send(dict(message))

    async def _work(self, asked: object, scope: dict[str, Any]) -> list[Message]:
        """Take a turn; from then on an equal request may know of something newer, and asks anew."""
        async with self._room:
            del self._waiting[asked]
            said: list[Message] = []

            async def keep(message: Message) -> None:
                said.append(message)

            await self._app(scope, _nothing_more(), keep)
            return said


def _is_refetch(scope: Message) -> bool:
    return (
        scope["type"] == "http"
        and scope["method"] == "GET"
        and b"part=" in scope["query_string"]
        and _REFETCH in scope["headers"]
        and _BODY.isdisjoint(name for name, _value in scope["headers"])
    )


def _nothing_more() -> Receive:
    """Return what a request without a body says: that it has none, and then nothing."""
    said = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        while not said:
            await asyncio.Event().wait()
        return said.pop()

    return receive
