"""Equal refetches get one answer, on which work began after each of them had arrived."""

import asyncio
from typing import Any

import pytest

from console.kernel.sharing import Receive, Send, Shared

HEADERS = [(b"hx-request", b"true"), (b"cookie", b"sessionid=a")]


class Slow:
    """An application that answers when it is let go, and counts."""

    def __init__(self) -> None:
        self.begun = 0
        self.go = asyncio.Semaphore(0)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        self.begun += 1
        mine = self.begun
        assert (await receive())["more_body"] is False
        await self.go.acquire()
        if b"fail" in scope["query_string"]:
            raise RuntimeError("broken")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(mine).encode()})


def asking(
    query: str = "part=rows", *, headers: Any = None, method: str = "GET", client: str = "10.0.0.1"
) -> dict[str, Any]:
    return {
        "type": "http", "method": method, "path": "/reviews/", "query_string": query.encode(),
        "headers": HEADERS if headers is None else headers, "client": (client, id(object())),
    }  # fmt: skip


async def answer(shared: Shared, scope: dict[str, Any]) -> str:
    said: list[Any] = []

    async def send(message: Any) -> None:
        said.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    await shared(scope, receive, send)
    return b"".join(each.get("body", b"") for each in said).decode()


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


class TestShared:
    def test_answers_all_that_waited_for_their_turn_at_once(self) -> None:
        async def play() -> tuple[list[str], int]:
            app = Slow()
            shared = Shared(app, at_once=1)
            before = asyncio.create_task(answer(shared, asking("part=other")))
            await settled()
            tabs = [asyncio.create_task(answer(shared, asking())) for _ in range(20)]
            await settled()
            app.go.release()
            app.go.release()
            await before
            return await asyncio.gather(*tabs), app.begun

        assert asyncio.run(play()) == (["2"] * 20, 2)

    def test_never_gives_an_answer_begun_before_the_question(self) -> None:
        async def play() -> list[str]:
            app = Slow()
            shared = Shared(app, at_once=4)
            first = asyncio.create_task(answer(shared, asking()))
            await settled()  # it is being worked on: what it reads may be old already
            second = asyncio.create_task(answer(shared, asking()))
            await settled()
            app.go.release()
            app.go.release()
            return [await first, await second]

        assert asyncio.run(play()) == ["1", "2"]

    @pytest.mark.parametrize(
        "other",
        [
            asking("part=rows&view=team"),
            asking(headers=[HEADERS[0], (b"cookie", b"sessionid=b")]),
            asking(headers=[*HEADERS, (b"accept-language", b"de")]),
            asking(client="10.0.0.2"),
        ],
        ids=["address", "session", "header", "peer"],
    )
    def test_keeps_apart_what_differs(self, other: dict[str, Any]) -> None:
        async def play() -> list[str]:
            app = Slow()
            shared = Shared(app, at_once=1)
            before = asyncio.create_task(answer(shared, asking("part=other")))
            await settled()
            both = [asyncio.create_task(answer(shared, each)) for each in (asking(), other)]
            await settled()
            for _ in range(3):
                app.go.release()
            await before
            return list(await asyncio.gather(*both))

        assert asyncio.run(play()) == ["2", "3"]

    @pytest.mark.parametrize(
        "scope",
        [
            asking(""),
            asking(headers=[HEADERS[1]]),
            asking(headers=[*HEADERS, (b"content-length", b"3")]),
            asking(method="POST"),
        ],
        ids=["a page", "no refetch", "with a body", "a form"],
    )
    def test_lets_everything_else_through_at_once(self, scope: dict[str, Any]) -> None:
        async def play() -> int:
            app = Slow()
            shared = Shared(app, at_once=1)
            asked = [asyncio.create_task(answer(shared, scope)) for _ in range(3)]
            await settled()
            begun = app.begun
            for _ in range(3):
                app.go.release()
            await asyncio.gather(*asked)
            return begun

        assert asyncio.run(play()) == 3

    def test_goes_on_for_the_others_when_one_leaves_and_after_a_failure(self) -> None:
        async def play() -> tuple[str, list[bool]]:
            app = Slow()
            shared = Shared(app, at_once=1)
            before = asyncio.create_task(answer(shared, asking("part=other")))
            await settled()
            leaves, stays = (asyncio.create_task(answer(shared, asking())) for _ in range(2))
            fail = [asyncio.create_task(answer(shared, asking("part=fail"))) for _ in range(2)]
            await settled()
            leaves.cancel()
            for _ in range(3):
                app.go.release()
            await before
            failed = await asyncio.gather(*fail, return_exceptions=True)
            return await stays, [isinstance(each, RuntimeError) for each in failed]

        assert asyncio.run(play()) == ("2", [True, True])
