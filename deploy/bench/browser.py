"""A reader's browser without a browser: cookies, forms, and the live regions of an open page.

The page follows its topics over a real WebSocket and refetches regions as `static/js/core/live.js`
and `static/js/elements/sb-live.js` do, with the waits that stand in those files. What a browser
adds on top, laying out and painting, is not in it.
"""

import asyncio
import html
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from pathlib import Path
from secrets import SystemRandom
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from websockets.asyncio.client import ClientConnection, connect

ROOT: Final = Path(__file__).resolve().parents[2]
TIMEOUT_S: Final = 20.0
LIVE_JS: Final = ROOT / "static" / "js" / "elements" / "sb-live.js"
CHANCE: Final = SystemRandom()


def constant(name: str) -> float:
    """Return a wait that the page's script has, in seconds."""
    found = re.search(rf"const {name} = (\d+);", LIVE_JS.read_text(encoding="utf-8"))
    if found is None:
        raise LookupError(f"{LIVE_JS.name} has no {name} any more; look how it waits now.")
    return int(found[1]) / 1000


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the console."""

    status: int
    text: str
    location: str


@dataclass(slots=True)
class Browser:
    """One person's cookies; every request has a connection of its own, as parallel ones have."""

    url: str
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    def headers(self) -> dict[str, str]:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"Host": self.host, "Cookie": cookie, "Origin": self.url}

    def get(self, path: str) -> Answer:
        return self._ask("GET", path, None)

    def post(self, path: str, values: dict[str, str]) -> Answer:
        return self._ask("POST", path, urlencode(values))

    def sign_in(self, email: str, password: str) -> None:
        token = hidden(self.get("/sign-in/").text, "csrfmiddlewaretoken")
        form = {"csrfmiddlewaretoken": token, "email": email, "password": password}
        if self.post("/sign-in/", form).status != 302:
            raise RuntimeError(f"{email} could not sign in.")

    def _ask(self, method: str, path: str, body: str | None) -> Answer:
        parts = urlsplit(self.url)
        line = HTTPConnection("127.0.0.1", parts.port or 80, timeout=TIMEOUT_S)
        headers = self.headers()
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            line.request(method, path, body, headers)
            answer = line.getresponse()
            text = answer.read().decode()
        finally:
            line.close()
        self._keep(answer.headers.get_all("Set-Cookie") or [])
        return Answer(answer.status, text, answer.headers.get("Location", ""))

    def _keep(self, cookies: list[str]) -> None:
        for line in cookies:
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value


def hidden(text: str, name: str) -> str:
    """Return the value of a hidden field of a form."""
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    if found is None:
        raise LookupError(f"The page has no field {name}.")
    return html.unescape(found[1])


@dataclass(slots=True)
class Region:
    """One `<sb-live>` of a page."""

    id: str
    topics: frozenset[str]
    src: str
    text: str = ""
    timer: "asyncio.TimerHandle | None" = None
    in_turn: bool = False  # what waits does so for the sake of others
    is_busy: bool = False
    again: bool = False
    asked_at: float = float("-inf")


def regions(text: str) -> Iterator[Region]:
    for tag in re.findall(r"<sb-live\b[^>]*>", text):
        has = {name: html.unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        yield Region(has["id"], frozenset(has.get("topics", "").split()), has["src"])


def seen(text: str) -> dict[str, int]:
    """Return the number of each topic that a page knew when it was made, as `live.js` reads it."""
    ids = re.search(r'data-seen-ids="([^"]*)"', text)
    known = re.search(r'data-seen="([^"]*)"', text)
    if ids is None or known is None:
        return {}
    numbers = {name: int(no) for name, _, no in (one.partition("=") for one in known[1].split())}
    topics = {name for one in regions(text) for name in one.topics}
    found = {
        name for name in topics if not (id_ := name.partition(":")[2]) or id_ in ids[1].split()
    }
    return {name: numbers.get(name, 0) for name in found}


class Screen:
    """An open page: its regions follow their topics until the block is left."""

    patience_s = TIMEOUT_S

    def __init__(self, reader: Browser, text: str) -> None:
        self.reader = reader
        self.regions = {one.id: one for one in regions(text)}
        self.changed = asyncio.Event()  # some region shows something newer
        self.hinted_at: dict[str, float] = {}
        self._seen = seen(text)  # what it told of is on the page, and is not fetched again
        self._answered = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._first_s, self._later_s = constant("FIRST_MS"), constant("LATER_MS")
        self._quiet_s = constant("QUIET_MS")

    @asynccontextmanager
    async def opened(self) -> Any:
        """Follow the topics; when the block begins, what was missed before has been fetched."""
        uri = f"ws://{self.reader.host}/ws/live/"
        headers = {"Cookie": self.reader.headers()["Cookie"]}
        async with connect(uri, origin=self.reader.url, additional_headers=headers) as socket:  # type: ignore[arg-type]
            topics = sorted({name for one in self.regions.values() for name in one.topics})
            known = {name: self._seen.get(name, 0) for name in topics}
            await socket.send(json.dumps({"sub": known}))
            listening = asyncio.create_task(self._listen(socket))
            try:
                await self.until(lambda: self._answered and not self.is_waiting())
                yield self
            finally:
                listening.cancel()
                for region in self.regions.values():
                    if region.timer is not None:
                        region.timer.cancel()
                await asyncio.gather(listening, *self._tasks, return_exceptions=True)

    async def until(self, condition: Any) -> float:
        """Wait until the condition holds, looking after each change; returns when that was."""
        async with asyncio.timeout(self.patience_s):
            while not condition():
                self.changed.clear()
                await self.changed.wait()
        return time.perf_counter()

    async def fetch(self, path: str) -> Answer:
        return await asyncio.to_thread(self.reader.get, path)

    def hear(self, hint: Mapping[str, Any]) -> float:
        """Take note of a hint; returns how long its regions wait for the sake of others."""
        return float(hint.get("turn", 0)) / 1000

    def is_waiting(self) -> bool:
        return any(one.timer is not None or one.is_busy for one in self.regions.values())

    async def _listen(self, socket: ClientConnection) -> None:
        async for raw in socket:
            message = json.loads(raw)
            for name, seq in message.get("newest", {}).items():
                self._advance(name, seq)
            self._answered = self._answered or "newest" in message
            if "topic" in message:
                self._advance(message["topic"], message["seq"], message)
            self.changed.set()

    def _advance(self, name: str, seq: int, hint: Mapping[str, Any] | None = None) -> None:
        if seq <= self._seen.get(name, -1):
            return
        self._seen[name] = seq
        self.hinted_at[name] = time.perf_counter()
        turn_s = self.hear(hint) if hint else 0.0
        for region in self.regions.values():
            if name in region.topics:
                self._soon(region, turn_s)

    def _soon(self, region: Region, turn_s: float = 0.0) -> None:
        if region.timer is not None:
            if turn_s or not region.in_turn:
                return  # what waits covers a further hint too
            region.timer.cancel()
        region.in_turn = turn_s > 0
        is_quiet = time.perf_counter() - region.asked_at > self._quiet_s
        first_s = turn_s or CHANCE.random() * self._first_s
        wait_s = first_s + (0 if is_quiet else self._later_s)
        region.timer = asyncio.get_running_loop().call_later(wait_s, self._begin, region)

    def _begin(self, region: Region) -> None:
        region.timer = None
        region.asked_at = time.perf_counter()
        if region.is_busy:
            region.again = True
            return
        region.is_busy = True
        task = asyncio.get_running_loop().create_task(self._refresh(region))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _refresh(self, region: Region) -> None:
        answer = await self.fetch(region.src)
        if answer.status != 200:
            raise RuntimeError(f"{region.src} was answered with {answer.status}.")
        region.text = answer.text
        region.is_busy = False
        if region.again:
            region.again = False
            self._soon(region)
        self.changed.set()
