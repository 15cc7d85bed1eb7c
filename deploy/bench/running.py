"""What the running product takes: time until its first page, memory, and processor time when idle.

*Plain* is `plain.py`: an empty Django, Celery and loop on the same servers, started the same way.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import footprint
from browser import Browser
from footprint import Footprint
from rows import Row, quantile, say
from stage import SIGN_IN, Served, Stage, children, end, first_page, free_port, itself, servers

from console.shell.management.demo import MERIDIAN

MEMORY_MB: Final = 600
START_S: Final = 15.0
# Opened once before memory is taken, so that what they load is in it.
ROOMS: Final = ("/", "/reviews/", "/runs/", "/costs/", "/audit/", "/people/", "/manual/")
VISITORS: Final = ("Ruth", "Omar", "Noor")
PLAIN: Final = Path(__file__).with_name("plain.py")


@dataclass(frozen=True, slots=True)
class Plain:
    """What the plain baseline took."""

    started_s: float
    parts: Mapping[str, Footprint]


def plain(at: Stage, *, watch_s: float) -> Plain:
    """Start the servers and the three plain programs, and look at them; all end again."""
    say("Measuring the plain baseline for start and memory.")
    log = at.place.logs / "plain.log"
    began = time.perf_counter()
    with at.found.servers, ExitStack() as stack:
        at.refresh()
        port = free_port()
        commands = {"web": ("web", str(port)), "worker": ("worker",), "pulse": ("pulse",)}
        programs = {
            name: at.program(str(PLAIN), *command, log=log, variables=at.variables)
            for name, command in commands.items()
        }
        for program in programs.values():
            stack.callback(end, program)
        first_page(port, SIGN_IN, programs["web"], log)
        started_s = time.perf_counter() - began
        roots = {name: program.pid for name, program in programs.items()}
        roots |= {name: who.pid for name, who in servers(at).items()}
        return Plain(started_s, footprint.look(roots, for_s=watch_s))


def start_row(starts: list[float], plain_s: float) -> Row:
    took = quantile(starts, 0.5)
    spread = f" ({min(starts):.1f} to {max(starts):.1f})" if len(starts) > 1 else ""
    return Row(
        measurement="warm start to first page",
        ours=f"{took:.1f} s{spread}",
        plain=f"{plain_s:.1f} s, empty Django on the same servers",
        target=f"<= {START_S:g} s",
        met=took <= START_S,
    )


def memory_rows(at: Stage, served: Served, beside: Plain, *, watch_s: float) -> Iterator[Row]:
    """Open every room once, then watch the idle processes."""
    if not footprint.CAN_MEASURE:
        yield Row(measurement="memory of all processes, idle", ours="not measured: needs Linux")
        return
    _visit(served)
    who = {**itself(served.process), **children(at), **servers(at)}
    parts = footprint.look({name: one.pid for name, one in who.items()}, for_s=watch_s)
    total = sum(one.mb for one in parts.values())
    missing = "" if at.has_own_servers else " without the servers given"
    yield Row(
        measurement="memory of all processes, idle (PSS)",
        ours=f"{total:.0f} MB{missing}",
        plain=f"{sum(one.mb for one in beside.parts.values()):.0f} MB, empty programs",
        target=f"<= {MEMORY_MB} MB",
        met=total <= MEMORY_MB,
    )
    for name, one in parts.items():
        bare = beside.parts.get(name)
        yield Row(
            measurement=f"  {name}",
            ours=f"{one.mb:.0f} MB, {one.cpu:.1f} % of a core",
            plain=f"{bare.mb:.0f} MB, {bare.cpu:.1f} %" if bare else "-",
        )


def _visit(served: Served) -> None:
    for name in VISITORS:
        person = next(one for one in MERIDIAN.people if one.name == name)
        browser = Browser(served.url)
        browser.sign_in(person.email(MERIDIAN.domain), person.password)
        answers = {path: browser.get(path).status for path in ROOMS}
        failed = {path: status for path, status in answers.items() if status >= 500}
        if failed:
            say(f"memory: some rooms failed for {name}: {failed}")
