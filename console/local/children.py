"""The processes of the product: started, watched, started again, ended."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from console.local import processes
from console.local.places import ROOT, Place, read_json, write
from console.local.processes import Identity

LEASH = Path(__file__).with_name("leash.py")
PATIENCE_S = 12.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
HEALTHY_AFTER_S = 60.0
OLD_LOG_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class Program:
    """One program of the product; `handles` are open files that it inherits."""

    name: str
    command: tuple[str, ...]
    handles: tuple[int, ...] = ()


@dataclass(slots=True)
class Child:
    """A program that shall run until it is told to end."""

    program: Program
    process: "subprocess.Popen[bytes] | None" = None
    since: float = 0.0
    pause_s: float = FIRST_PAUSE_S
    again_at: float = 0.0

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None


@dataclass(slots=True)
class Children:
    """All programs of one place, each in a session of its own, so that Ctrl-C reaches us alone."""

    place: Place
    environment: Mapping[str, str]
    say: Callable[[str], None]
    members: list[Child] = field(default_factory=list)

    def start(self, program: Program) -> None:
        child = Child(program)
        self.members.append(child)
        self._launch(child)

    def log_of(self, name: str) -> Path:
        return self.place.logs / f"{name}.log"

    def ended(self) -> list[str]:
        return [child.program.name for child in self.members if not child.is_running()]

    def watch(self) -> None:
        """Start again what has ended, later and later if it keeps ending."""
        now = time.monotonic()
        for child in self.members:
            if child.process is not None and child.process.poll() is not None:
                self._mourn(child, now)
            elif child.process is None and now >= child.again_at:
                self._launch(child)

    def end(self) -> None:
        """End every child, all at once and politely; what does not listen is killed."""
        running = [child.process for child in self.members if child.process is not None]
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in running:
                _signal_session(process, number)
            processes.until(
                lambda: all(one.poll() is not None for one in running), timeout_s=PATIENCE_S
            )
        self.members.clear()
        self._record()

    def end_leftovers(self) -> list[str]:
        """End what an earlier start left behind, told apart from others by when it began."""
        known = read_json(self.place.run / "children.json")
        left = {name: Identity(int(one["pid"]), str(one["began"])) for name, one in known.items()}
        alive = [name for name, who in left.items() if who.is_alive()]
        for name in alive:
            order = (signal.SIGTERM, signal.SIGKILL)
            processes.end(left[name], *order, patience_s=PATIENCE_S, group=True)
        return alive

    def _launch(self, child: Child) -> None:
        path = self.log_of(child.program.name)
        if path.exists() and path.stat().st_size > OLD_LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        with path.open("ab") as log:
            child.process = subprocess.Popen(
                [sys.executable, "-S", "-E", LEASH, str(os.getpid()), *child.program.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env=self.environment,
                pass_fds=child.program.handles,
                start_new_session=True,
            )
        child.since = time.monotonic()
        self._record()

    def _mourn(self, child: Child, now: float) -> None:
        """Say that a child has ended and when it will be tried again."""
        code = child.process.returncode if child.process is not None else 0
        child.process = None
        if now - child.since > HEALTHY_AFTER_S:
            child.pause_s = FIRST_PAUSE_S
        child.again_at = now + child.pause_s
        name = child.program.name
        self.say(
            f"{name} ended ({_how(code)}); starting it again in {child.pause_s:g} s. "
            f"Its log is {self.log_of(name)}"
        )
        child.pause_s = min(child.pause_s * 2, LONGEST_PAUSE_S)

    def _record(self) -> None:
        found = {}
        for child in self.members:
            who = processes.identify(child.process.pid) if child.process is not None else None
            if who is not None:
                found[child.program.name] = {"pid": who.pid, "began": who.began}
        write(self.place.run / "children.json", json.dumps(found) + "\n")


def _how(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _signal_session(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    if process.poll() is None:
        os.killpg(process.pid, number)
