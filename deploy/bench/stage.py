"""Where a run of the benchmark takes place: servers, a fresh database, and the product on it.

The servers are embedded ones of its own below `.local/bench`, or those that DATABASE_URL and
REDIS_URL name; the database is always made anew and dropped at the end. What is started here ends
here, also after Ctrl-C; if this process is killed, the leash ends the programs, and the next run
takes over what servers are left.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import FrameType
from typing import Final
from urllib.parse import urlsplit

import psycopg
from psycopg import sql
from rows import say

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from console.local import databases, environment, places, ports  # noqa: E402 - found by the line above
from console.local.children import LEASH  # noqa: E402
from console.local.environment import Environment, Source  # noqa: E402
from console.local.errors import CannotStart  # noqa: E402
from console.local.keys import Keys  # noqa: E402
from console.local.locks import Lock  # noqa: E402
from console.local.places import Place  # noqa: E402
from console.local.preparing import Preparation  # noqa: E402
from console.local.processes import Identity, identify, until  # noqa: E402
from console.local.product import SIGNALBOX  # noqa: E402

SUFFIX: Final = "_bench"
FIRST_PORT: Final = 18600
START_S: Final = 120.0
END_S: Final = 60.0
ASK_EVERY_S: Final = 0.02
SIGN_IN: Final = "/sign-in/"


class Interrupted(BaseException):
    """Somebody asked us to end."""


@dataclass(slots=True)
class Stage:
    """One place with its servers; `variables` is the environment of whoever uses them."""

    place: Place
    found: Environment
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def has_own_servers(self) -> bool:
        return self.found.source is Source.EMBEDDED

    def refresh(self) -> None:
        """Read the addresses anew: the embedded servers may have moved with their last start."""
        self.variables = {**os.environ, **self.found.urls()}

    def program(
        self, *command: str, log: Path, variables: Mapping[str, str]
    ) -> "subprocess.Popen[bytes]":
        """Start a program of Python on a leash, out of reach of the terminal's Ctrl-C."""
        with log.open("ab") as output:
            return subprocess.Popen(
                on_leash(*command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=ROOT,
                env=variables,
                start_new_session=True,
            )


def on_leash(*command: str) -> list[str]:
    """Return a program of Python so that it ends when this process does, killed or not."""
    return [sys.executable, "-S", "-E", str(LEASH), str(os.getpid()), sys.executable, *command]


@contextmanager
def stage() -> Iterator[Stage]:
    """Give the place, alone; the database is dropped at the end."""
    place = places.at(places.default_local() / "bench")
    lock = Lock(place.run / "bench")
    if not lock.try_take():
        raise CannotStart("Another `make bench` of this checkout is going on; wait for its end.")
    found = environment.read(os.environ, place)
    if found.source is Source.OWNER_GIVEN:
        # The roles of that server have one password each: that of this checkout's `make run`.
        found = replace(found, keys=Keys(places.at(places.default_local())))
    if found.source is not Source.EMBEDDED:
        # Always one more than what was named, which is somebody's and never dropped.
        found = found.renamed(found.database + SUFFIX)
    os.environ.update({name: found.given[name] for name in environment.URLS if name in found.given})
    os.environ["SIGNALBOX_LOCAL_DIR"] = str(place.local)
    # Runs of the bench's worker and of a product on the same Redis must not mix.
    os.environ["SIGNALBOX_QUEUE"] = f"bench-{os.getpid()}"
    try:
        yield Stage(place, found)
    finally:
        ignore_signals()
        with suppress(CannotStart), found.servers:
            _drop(found)
        lock.close()


def prepare(at: Stage) -> None:
    """Make the database anew, with tables, roles and the demo; its servers are running."""
    say(f"Preparing a fresh database ({at.found.source.value}).")
    databases.ensure(at.found.owner_url, fresh=True)
    Preparation(at.place, at.found, SIGNALBOX, lambda: None).run(seed=True)
    if at.found.source is Source.OWNER_GIVEN:
        urls = at.found.urls()
        os.environ.update({name: urls[name] for name in environment.URLS if name in urls})
    at.refresh()


def _drop(found: Environment) -> None:
    name = found.database
    beside = environment.with_database(found.owner_url, "postgres")
    with suppress(psycopg.Error), psycopg.connect(beside, autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )


@dataclass(frozen=True, slots=True)
class Served:
    """Something that answers, its process, and how long it took until the first page."""

    port: int
    process: "subprocess.Popen[bytes]"
    took_s: float

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"


@contextmanager
def product(at: Stage) -> Iterator[Served]:
    """Run the whole product as `make run` does, until the block is left."""
    port = free_port()
    log = at.place.logs / "serve.log"
    began = time.perf_counter()
    # It gets what a newcomer's shell would say, and finds the servers of the place by itself.
    command = ("manage.py", "serve", "--port", str(port))
    process = at.program(*command, log=log, variables=os.environ)
    try:
        first_page(port, SIGN_IN, process, log)
        took_s = time.perf_counter() - began
        note = at.place.run / "serve"
        if not until(lambda: bool(places.read_json(note).get("url")), timeout_s=START_S):
            raise CannotStart(f"The product did not come up; {log} says why.")
        if urlsplit(places.read_json(note)["url"]).port != port:
            raise CannotStart(f"Somebody else took port {port}; start the bench again.")
        at.refresh()
        yield Served(port, process, took_s)
    finally:
        end(process)


def first_page(port: int, path: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Ask until a page is answered with 200."""
    deadline = time.monotonic() + START_S
    while not _answers(port, path):
        if process.poll() is not None or time.monotonic() > deadline:
            raise CannotStart(f"No page came from port {port}; {log} says why.")
        time.sleep(ASK_EVERY_S)


def _answers(port: int, path: str) -> bool:
    line = HTTPConnection("127.0.0.1", port, timeout=START_S)
    try:
        line.request("GET", path, headers={"Host": f"localhost:{port}"})
        answer = line.getresponse()
        answer.read()
    except (OSError, HTTPException):
        return False
    else:
        return answer.status == 200
    finally:
        line.close()


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a program and wait for it, politely first; a second Ctrl-C does not disturb this."""
    with undisturbed():
        for number in (signal.SIGTERM, signal.SIGKILL):
            if process.poll() is None:
                process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(END_S)
                return


def free_port() -> int:
    with ports.listen(FIRST_PORT) as probe:
        return int(probe.getsockname()[1])


def children(at: Stage) -> dict[str, Identity]:
    """Return the programs that the supervisor has started."""
    known: Mapping[str, dict[str, str]] = places.read_json(at.place.run / "children.json")
    return {name: Identity(int(one["pid"]), one["began"]) for name, one in known.items()}


def servers(at: Stage) -> dict[str, Identity]:
    """Return the servers that are ours; one that was given to us may be on another machine."""
    both = {"postgres": at.found.servers.postgres, "redis": at.found.servers.redis}
    found = {name: one.running() for name, one in both.items() if one is not None}
    return {name: who for name, who in found.items() if who is not None}


def itself(process: "subprocess.Popen[bytes]") -> dict[str, Identity]:
    who = identify(process.pid)
    return {} if who is None else {"supervisor": who}


def on_signals() -> None:
    """Have every way of being told to end unwind the stack."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)


def ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def undisturbed() -> Iterator[None]:
    ignore_signals()
    try:
        yield
    finally:
        on_signals()


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise Interrupted(signal.Signals(number).name)
