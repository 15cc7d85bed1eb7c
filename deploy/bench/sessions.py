"""A decision on 500 open pages at once: `python deploy/bench/sessions.py --url URL`.

250 people have the team's list of reviews open, in two tabs each. Ruth posts a vote that decides a
row of it; the clock of each tab runs from the moment that the decision carries. *Visible* is when
the tab has heard the word for it and has the row and the sign to mark it with; *fresh* is when it
has fetched the list with that row decided. The tabs do what the page's script does: they listen on
a WebSocket of their own, wait as long as the script waits, and fetch every region that follows the
topic. *Plain* are the same tabs as they were without the word and without turns: all fetch at once,
and show it then. The whole product and all tabs share the machine.
"""

import argparse
import asyncio
import re
import time
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final
from uuid import UUID

import django_ready  # noqa: F401 - makes Django ready for what follows
import footprint
from browser import Answer, Browser, Screen
from django.conf import settings
from django.contrib.auth.hashers import make_password
from rows import Row, quantile, say, script
from typing_extensions import override
from vote_screen import form_of, open_proposal, p50, post, signed_in

from approvals import queries
from console.accounts import commands as accounts
from console.accounts import queries as members
from console.kernel.actors import Actor, system
from console.kernel.ids import uuid7
from console.local import places
from console.shell.management.demo import MERIDIAN

SESSIONS: Final = 500
PEOPLE: Final = 250
VOTES: Final = 2  # on a quiet console; each waits until everybody has the list anew
TARGET_MS: Final = 1000
OPENING_AT_ONCE: Final = 8
CALM_S: Final = 1.5  # after the last region is fresh, before the next vote
AMID_S: Final = 1.5  # after one decision, when the crowd is fetching, before the next
LIST: Final = "/reviews/?view=team"
REGION: Final = "queue"
PARTS: Final = ("web", "postgres")


class Tab(Screen):
    """An open list. Its requests are few lines of HTTP, because 500 of them share the machine."""

    patience_s = 300.0  # the list of the last in turn, on a machine that others use too
    fetches = 0
    is_plain = False

    def __init__(self, reader: Browser, text: str) -> None:
        super().__init__(reader, text)
        self.visible_at: dict[str, float] = {}  # by id of the proposal
        self._rows = set(re.findall(r'<li class="row" id="proposal-([^"]+)"', text))
        self._words = set(re.findall(r'<template data-settled="([^"]+)"', text))

    @override
    def hear(self, hint: Mapping[str, Any]) -> float:
        if self.is_plain:
            return 0.0
        if hint.get("settled") in self._words and hint["id"] in self._rows:
            self.visible_at.setdefault(hint["id"], time.time())
        return super().hear(hint)

    @override
    async def fetch(self, path: str) -> Answer:
        self.fetches += 1
        host, _, port = self.reader.host.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port or 80))
        head = {**self.reader.headers(), "Connection": "close", "HX-Request": "true"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        writer.write(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode())
        try:
            answer = await reader.read()
        finally:
            writer.close()
        said, _, body = answer.partition(b"\r\n\r\n")
        return Answer(int(said.split(b" ", 2)[1]), body.decode(errors="replace"), "")

    def lists_decided(self, proposal: UUID) -> bool:
        row = rf'<li class="row" id="proposal-{proposal}"[^>]*data-gone'
        return re.search(row, self.regions[REGION].text) is not None


@dataclass(slots=True)
class Took:
    """Decisions: what each tab waited, what was asked of the console, and what that took of it."""

    visible_ms: list[float] = field(default_factory=list)
    fresh_ms: list[float] = field(default_factory=list)
    fetches: int = 0
    cpu_ms: dict[str, float] = field(default_factory=dict)

    def add(self, other: "Took") -> None:
        self.visible_ms += other.visible_ms
        self.fresh_ms += other.fresh_ms
        self.fetches += other.fetches
        for part, ms in other.cpu_ms.items():
            self.cpu_ms[part] = self.cpu_ms.get(part, 0.0) + ms


@dataclass(frozen=True, slots=True)
class Room:
    """Who votes, who looks on, and what is voted on."""

    me: Actor
    ruth: Browser
    tabs: list[Tab]
    waiting: list[UUID]


def measure(asked: argparse.Namespace) -> list[Row]:
    count, people = (100, 50) if asked.quick else (SESSIONS, PEOPLE)
    me = _tenant()
    waiting = [open_proposal(number) for number in range(1 + VOTES + 2 + 1)]
    readers = [_reviewer(asked.url, me, number) for number in range(people)]
    ruth = signed_in(asked.url, "Ruth")
    calm, amid, plain = asyncio.run(_all(me, ruth, readers, count, waiting))
    cpu = {part: calm.cpu_ms.get(part, 0.0) / calm.fetches for part in PARTS}
    return [
        Row(
            measurement=f"decision visible on {count} sessions of {people} people (p95)",
            ours=_said(calm.visible_ms),
            plain=f"{_said(plain.fresh_ms)}, fetched at once",
            target=f"<= {TARGET_MS} ms",
            met=quantile(calm.visible_ms, 0.95) <= TARGET_MS,
        ),
        Row(
            measurement="  while they fetch what an earlier one changed",
            ours=_said(amid.visible_ms),
            target=f"<= {TARGET_MS} ms",
            met=quantile(amid.visible_ms, 0.95) <= TARGET_MS,
        ),
        Row(
            measurement="  until the whole list is fresh again",
            ours=_said(calm.fresh_ms),
            plain=_said(plain.fresh_ms),
        ),
        Row(
            measurement="  processor time of one refetch",
            ours=", ".join(f"{part} {ms:.1f} ms" for part, ms in cpu.items())
            + f"; {calm.fetches / VOTES / count:.1f} a session and vote",
        ),
    ]


def _said(values: list[float]) -> str:
    return f"{quantile(values, 0.95):.0f} ms (p50 {p50(values):.0f})"


async def _all(
    me: Actor, ruth: Browser, readers: list[Browser], count: int, waiting: list[UUID]
) -> tuple[Took, Took, Took]:
    async with AsyncExitStack() as stack:
        began = time.monotonic()
        space = asyncio.Semaphore(OPENING_AT_ONCE)
        opening = (_opened(stack, space, readers[n % len(readers)]) for n in range(count))
        room = Room(me, ruth, list(await asyncio.gather(*opening)), waiting)
        say(f"sessions: {count} open after {time.monotonic() - began:.0f} s")
        await _voted(room)  # warms up, is not counted
        calm = Took()
        for _ in range(VOTES):
            calm.add(await _voted(room))
        amid = await _voted_amid(room)
        for tab in room.tabs:
            tab.is_plain = True
        return calm, amid, await _voted(room)


async def _opened(stack: AsyncExitStack, space: asyncio.Semaphore, reader: Browser) -> Tab:
    async with space:
        page = await asyncio.to_thread(reader.get, LIST)
        tab = Tab(reader, page.text)
        await stack.enter_async_context(tab.opened())
    return tab


async def _voted(room: Room) -> Took:
    """Let one decision reach everybody, nothing else being on."""
    await _calm(room.tabs)
    before, asked = _cpu_ms(), sum(tab.fetches for tab in room.tabs)
    found = await _decided(room, room.waiting.pop())
    await _calm(room.tabs)
    after = _cpu_ms()
    found.fetches = sum(tab.fetches for tab in room.tabs) - asked
    found.cpu_ms = {part: after[part] - before[part] for part in after}
    _tell("calm", found)
    return found


async def _voted_amid(room: Room) -> Took:
    """Let one decision come when everybody is fetching what the one before it changed."""
    await _calm(room.tabs)
    first = asyncio.create_task(_decided(room, room.waiting.pop()))
    second = room.waiting.pop()
    await asyncio.sleep(AMID_S)
    found = await _decided(room, second)
    await first
    _tell("amid", found)
    return found


async def _decided(room: Room, proposal: UUID) -> Took:
    path = f"/reviews/{proposal}/"
    form = await asyncio.to_thread(form_of, room.ruth, path)
    watching = [asyncio.create_task(_fresh_at(tab, proposal)) for tab in room.tabs]
    await post(room.ruth, path, form)
    fresh_at = await asyncio.gather(*watching)
    seen = lambda: queries.proposal(actor=room.me, proposal_id=proposal).card  # noqa: E731
    decided_at = (await asyncio.to_thread(seen)).moved_at.timestamp()
    told_at = [tab.visible_at.get(str(proposal)) for tab in room.tabs]
    # Who was never told sees it when the list is there, as in a page that missed the hint.
    visible_at = [told or fresh for told, fresh in zip(told_at, fresh_at, strict=True)]
    return Took(_since(decided_at, visible_at), _since(decided_at, fresh_at))


def _since(began: float, moments: Iterable[float]) -> list[float]:
    return [1000 * (at - began) for at in moments]


def _tell(when: str, found: Took) -> None:
    say(
        f"sessions, {when}: visible {_said(found.visible_ms)}, fresh {_said(found.fresh_ms)}, "
        f"{found.fetches} fetches"
    )


async def _fresh_at(tab: Tab, proposal: UUID) -> float:
    await tab.until(lambda: tab.lists_decided(proposal))
    return time.time()


async def _calm(tabs: list[Tab]) -> None:
    """Wait until nobody fetches and nobody is about to."""
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < CALM_S:
        await asyncio.sleep(0.1)
        if any(tab.is_waiting() for tab in tabs):
            quiet_since = time.monotonic()


def _cpu_ms() -> dict[str, float]:
    """Return what the web process and the database have used so far, where they are ours."""
    place = places.at(places.default_local())
    known = places.read_json(place.run / "children.json")
    roots = {name: int(one["pid"]) for name, one in known.items() if name in PARTS}
    postmaster = place.data / "postgres" / "postmaster.pid"
    if postmaster.exists():
        roots["postgres"] = int(postmaster.read_text().split()[0])
    others = frozenset(roots.values())
    return {name: footprint.cpu_ms(pid, others) for name, pid in roots.items()}


def _tenant() -> Actor:
    tenants = members.tenants(actor=members.DOOR)
    return system("bench", next(one.id for one in tenants if one.slug == MERIDIAN.slug))


def _reviewer(url: str, me: Actor, number: int) -> Browser:
    """Return the browser of a new person. The session is made as the door makes it: no password."""
    made = accounts.add_person(
        actor=me,
        email=f"tab{number}.{uuid7().hex[-12:]}@{MERIDIAN.domain}",
        name=f"Reviewer {number}",
        roles=["reviewer"],
        groups=["care"] if number % 2 else ["finance"],
        password_hash=make_password(None),
    )
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session["tenant"] = str(me.tenant_id)
    session.save()
    accounts.open_session(
        actor=me,
        person_id=made.person.id,
        session_key=session.session_key,
        address="127.0.0.1",
        user_agent="bench",
    )
    return Browser(url, {settings.SESSION_COOKIE_NAME: session.session_key})


if __name__ == "__main__":
    script(measure, "url")
