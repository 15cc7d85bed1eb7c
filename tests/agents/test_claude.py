"""Provider `anthropic` against a local server that speaks the Messages API."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from agents.errors import ModelFailed, ProviderMissing
from agents.llm import door
from agents.llm.claude import Claude, NoCredentials
from agents.llm.ports import (
    AgentTurn,
    ModelEvent,
    ModelRequest,
    Opened,
    Stopped,
    Text,
    ToolCallPart,
    ToolResultPart,
    ToolSpec,
    ToolUse,
    Usage,
    UserTurn,
)

USAGE = {"input_tokens": 12, "output_tokens": 1, "cache_read_input_tokens": 3}
START = {
    "type": "message_start",
    "message": {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "local-1", "content": [],
        "stop_reason": None, "stop_sequence": None, "usage": USAGE,
    },
}  # fmt: skip


def ended(reason: str, tokens: int = 9) -> list[dict[str, Any]]:
    delta = {"stop_reason": reason, "stop_sequence": None}
    return [
        {"type": "message_delta", "delta": delta, "usage": {"output_tokens": tokens}},
        {"type": "message_stop"},
    ]


def block(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *[{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas],
        {"type": "content_block_stop", "index": index},
    ]


def text(index: int, *pieces: str) -> list[dict[str, Any]]:
    deltas = [{"type": "text_delta", "text": piece} for piece in pieces]
    return block(index, {"type": "text", "text": ""}, *deltas)


def use(index: int, *pieces: str) -> list[dict[str, Any]]:
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    start = {"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {}}
    return block(index, start, *deltas)


class Server:
    """Answers every request with what the test wrote, and keeps what it was asked."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.status = 200
        self.headers: dict[str, str] = {}
        self.asked: list[dict[str, Any]] = []
        self.sent_headers: list[dict[str, str]] = []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        config = uvicorn.Config(
            self, host="127.0.0.1", port=self.port, log_config=None, lifespan="off"
        )
        self.server = uvicorn.Server(config)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.asked.append(json.loads(body))
        self.sent_headers.append({k.decode(): v.decode() for k, v in scope["headers"]})
        kind = "text/event-stream" if self.status == 200 else "application/json"
        headers = [(b"content-type", kind.encode())]
        headers += [(k.encode(), v.encode()) for k, v in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        for event in self.events:
            line = event if isinstance(event, str) else json.dumps(event)
            name = "ping" if isinstance(event, str) else event.get("type", "error")
            sse = f"event: {name}\ndata: {line}\n\n" if self.status == 200 else line
            await send({"type": "http.response.body", "body": sse.encode(), "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.server.run)
    thread.start()
    while not made.server.started:
        assert thread.is_alive()
        thread.join(0.01)
    yield made
    made.server.should_exit = True
    thread.join()


def request(*turns: Any, tools: tuple[ToolSpec, ...] = ()) -> ModelRequest:
    return ModelRequest(
        model="local-1", system="Be brief.", turns=turns or (UserTurn(text="Hello"),), tools=tools
    )


def ask(server: Server, asked: ModelRequest | None = None) -> list[ModelEvent]:
    async def read() -> list[ModelEvent]:
        model = Claude(api_key="", base_url=server.url)
        return [event async for event in model.stream(asked or request())]

    return asyncio.run(read())


class TestStream:
    def test_gives_text_usage_and_the_end(self, server: Server) -> None:
        server.events = [START, *text(0, "Good ", "day."), *ended("end_turn")]
        events = ask(server)
        assert events[0] == Opened(model="local-1", request_id="msg_1")
        assert "".join(e.text for e in events if isinstance(e, Text)) == "Good day."
        usage = [e for e in events if isinstance(e, Usage)][-1]
        assert (usage.input_tokens, usage.output_tokens, usage.read) == (12, 9, 3)
        assert events[-1] == Stopped(reason="end")

    def test_puts_the_pieces_of_a_tool_call_together(self, server: Server) -> None:
        server.events = [START, *use(0, '{"order', '_id": "#W1"}'), *ended("tool_use")]
        (found,) = [e for e in ask(server) if isinstance(e, ToolUse)]
        assert (found.id, found.name, found.args) == ("toolu_1", "look_up", {"order_id": "#W1"})

    @pytest.mark.parametrize("raw", ['{"order_id": ', "[1, 2]", "nonsense"])
    def test_keeps_what_is_no_json_object_as_it_came(self, server: Server, raw: str) -> None:
        server.events = [START, *use(0, raw), *ended("tool_use")]
        (found,) = [e for e in ask(server) if isinstance(e, ToolUse)]
        assert (found.args, found.raw) == (None, raw)

    @pytest.mark.parametrize(
        ("said", "ours"),
        [
            ("max_tokens", "length"),
            ("model_context_window_exceeded", "context"),
            ("refusal", "refused"),
            ("something_new", "other"),
        ],
    )
    def test_has_our_words_for_why_it_stopped(self, server: Server, said: str, ours: str) -> None:
        server.events = [START, *text(0, "x"), *ended(said)]
        assert ask(server)[-1] == Stopped(reason=ours)

    def test_sends_turns_tools_and_no_sampling_parameters(self, server: Server) -> None:
        server.events = [START, *text(0, "x"), *ended("end_turn")]
        spec = ToolSpec(
            name="look_up",
            title="Look up",
            summary="Looks something up.",
            input_schema={"type": "object", "properties": {}},
            effect="read",
            tier=0,
        )
        turns = (
            UserTurn(text="Hello"),
            AgentTurn(
                text="One moment.",
                calls=(ToolCallPart(id="t1", name="look_up", args={"a": 1}),),
                results=(ToolResultPart(id="t1", content={"result": {"b": 2}}),),
            ),
            UserTurn(text="And?"),
        )
        ask(server, request(*turns, tools=(spec,)))
        (body,) = server.asked
        assert {"temperature", "top_p", "top_k"} & set(body) == set()
        assert [m["role"] for m in body["messages"]] == ["user", "assistant", "user"]
        assert body["messages"][1]["content"][1]["name"] == "look_up"
        assert [b["type"] for b in body["messages"][2]["content"]] == ["tool_result", "text"]
        assert (body["stream"], body["system"]) == (True, "Be brief.")
        assert [tool["name"] for tool in body["tools"]] == ["look_up"]

    def test_fails_on_a_stream_that_is_cut(self, server: Server) -> None:
        server.events = [START, *text(0, "Half an")]
        with pytest.raises(ModelFailed) as failed:
            ask(server)
        assert failed.value.reason == "cut"

    def test_fails_on_an_error_in_the_stream(self, server: Server) -> None:
        error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
        server.events = [START, error]
        with pytest.raises(ModelFailed):
            ask(server)

    def test_fails_on_events_that_are_no_json(self, server: Server) -> None:
        server.events = [START, '{"type": "content_block']
        with pytest.raises(ModelFailed):
            ask(server)

    def test_asks_once_and_passes_on_when_to_come_back(self, server: Server) -> None:
        server.status, server.headers = 429, {"retry-after": "7"}
        server.events = [{"type": "error", "error": {"type": "rate_limit_error", "message": "x"}}]
        with pytest.raises(ModelFailed) as failed:
            ask(server)
        assert (failed.value.reason, failed.value.retry_after_s) == ("rate_limited", 7.0)
        assert len(server.asked) == 1

    @pytest.mark.parametrize(("status", "reason"), [(529, "overloaded"), (400, "refused_request")])
    def test_has_our_words_for_a_refused_request(
        self, server: Server, status: int, reason: str
    ) -> None:
        server.status = status
        server.events = [{"type": "error", "error": {"type": "x", "message": "x"}}]
        with pytest.raises(ModelFailed) as failed:
            ask(server)
        assert failed.value.reason == reason

    def test_fails_where_nobody_listens(self) -> None:
        with pytest.raises(ModelFailed) as failed:
            ask(type("Gone", (), {"url": "http://127.0.0.1:9"})())
        assert failed.value.reason == "connection"

    def test_is_never_made_without_credentials(self) -> None:
        with pytest.raises(NoCredentials):
            Claude(api_key="", base_url="")


class TestProviderOf:
    def test_takes_the_planner_without_credentials(self, settings: Any) -> None:
        settings.ANTHROPIC_API_KEY = settings.ANTHROPIC_BASE_URL = ""
        assert door.provider_of({"provider": "auto"}).provider == "rules"
        with pytest.raises(ProviderMissing):
            door.provider_of({"provider": "anthropic"})

    def test_takes_a_local_server_without_a_key(self, settings: Any) -> None:
        settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL = "", "http://127.0.0.1:9"
        assert door.provider_of({"provider": "auto"}).provider == "anthropic"
