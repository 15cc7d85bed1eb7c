"""A decision on 500 open pages at once: `python deploy/bench/sessions.py --url URL`.

Reviewers, a few dozens with many tabs each, have the team's list of reviews open. Ruth posts a vote
that decides a row of it; the clock of each tab runs from the moment that the decision carries until
the tab has fetched the list with that row decided. The tabs do what the page's script does: they
hear a hint on their own WebSocket, wait as long as the script waits, and fetch every region that
follows the topic, the navigation too. The whole product and all tabs share the machine.
"""

import argparse
import asyncio
import re
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Final
from uuid import UUID

import django_ready  # noqa: F401 - makes Django ready for what follows
import footprint
from browser import Answer, Browser, Screen
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
PEOPLE: Final = 25
TARGET_MS: Final = 1000
OPENING_AT_ONCE: Final = 8
CALM_S: Final = 1.5  # after the last region is fresh, before the next vote
LIST: Final = "/reviews/?view=team"
REGION: Final = "queue"
PARTS: Final = ("web", "postgres")


class Tab(Screen):
    """An open list. Its requests are few lines of HTTP, because 500 of them share the machine."""

    fetches = 0

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

    def shows_decided(self, proposal: UUID) -> bool:
        row = rf'<li class="row" id="proposal-{proposal}"[^>]*data-gone'
        return re.search(row, self.regions[REGION].text) is not None


@dataclass(slots=True)
class Took:
    """One vote: what each tab waited, what was asked of the console, and what that took of it."""

    shown_ms: list[float] = field(default_factory=list)
    fetches: int = 0
    cpu_ms: dict[str, float] = field(default_factory=dict)


def measure(asked: argparse.Namespace) -> list[Row]:
    count, votes = (100, 2) if asked.quick else (SESSIONS, 5)
    me = _tenant()
    proposals = [open_proposal(number) for number in range(votes + 1)]
    readers = [_reviewer(asked.url, me, number) for number in range(min(PEOPLE, count))]
    ruth = signed_in(asked.url, "Ruth")
    took = asyncio.run(_all(ruth, readers, count, me, proposals))
    shown = [one for vote in took for one in vote.shown_ms]
    fetches = sum(vote.fetches for vote in took)
    cpu = {part: sum(vote.cpu_ms.get(part, 0.0) for vote in took) / fetches for part in PARTS}
    return [
        Row(
            measurement=f"decision on {count} open sessions (p95)",
            ours=f"{quantile(shown, 0.95):.0f} ms (p50 {p50(shown):.0f})",
            target=f"<= {TARGET_MS} ms",
            met=quantile(shown, 0.95) <= TARGET_MS,
        ),
        Row(
            measurement="  processor time of one refetch",
            ours=", ".join(f"{part} {ms:.1f} ms" for part, ms in cpu.items())
            + f"; {fetches / len(took) / count:.1f} a session and vote",
        ),
    ]


async def _all(
    ruth: Browser, readers: list[Browser], count: int, me: Actor, proposals: list[UUID]
) -> list[Took]:
    async with AsyncExitStack() as stack:
        began = time.monotonic()
        room = asyncio.Semaphore(OPENING_AT_ONCE)
        opening = (_opened(stack, room, readers[n % len(readers)]) for n in range(count))
        tabs = list(await asyncio.gather(*opening))
        say(f"sessions: {count} open after {time.monotonic() - began:.0f} s")
        await _voted(ruth, tabs, me, proposals[0])  # warms up, is not counted
        return [await _voted(ruth, tabs, me, one) for one in proposals[1:]]


async def _opened(stack: AsyncExitStack, room: asyncio.Semaphore, reader: Browser) -> Tab:
    async with room:
        page = await asyncio.to_thread(reader.get, LIST)
        tab = Tab(reader, page.text)
        await stack.enter_async_context(tab.opened())
    return tab


async def _voted(ruth: Browser, tabs: list[Tab], me: Actor, proposal: UUID) -> Took:
    path = f"/reviews/{proposal}/"
    form = await asyncio.to_thread(form_of, ruth, path)
    await _calm(tabs)
    before, asked = _cpu_ms(), sum(tab.fetches for tab in tabs)
    watching = [asyncio.create_task(_shown_at(tab, proposal)) for tab in tabs]
    posting = asyncio.create_task(post(ruth, path, form))
    shown_at = await asyncio.gather(*watching)
    await posting
    await _calm(tabs)
    after = _cpu_ms()
    card = await asyncio.to_thread(lambda: queries.proposal(actor=me, proposal_id=proposal).card)
    decided_at = card.moved_at.timestamp()
    found = Took(
        shown_ms=[1000 * (at - decided_at) for at in shown_at],
        fetches=sum(tab.fetches for tab in tabs) - asked,
        cpu_ms={part: after[part] - before[part] for part in after},
    )
    say(
        f"sessions: shown p50 {p50(found.shown_ms):.0f} ms p95 "
        f"{quantile(found.shown_ms, 0.95):.0f} ms, {found.fetches} fetches"
    )
    return found


async def _shown_at(tab: Tab, proposal: UUID) -> float:
    await tab.until(lambda: tab.shows_decided(proposal))
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
    password = token_urlsafe()
    email = f"tab{number}.{uuid7().hex[-12:]}@{MERIDIAN.domain}"
    accounts.add_person(
        actor=me,
        email=email,
        name=f"Reviewer {number}",
        roles=["reviewer"],
        groups=["care"] if number % 2 else ["finance"],
        password_hash=make_password(password),
    )
    browser = Browser(url)
    browser.sign_in(email, password)
    return browser


if __name__ == "__main__":
    script(measure, "url")
