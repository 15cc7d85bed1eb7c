"""Starting the supervisor as a process of its own, and looking at it from outside."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from console.local import accounts, places, processes
from console.local.accounts import RunAs
from console.local.places import Place
from console.local.postgres import Postgres
from console.local.processes import Identity
from console.local.redis import Redis

SERVE = Path(__file__).with_name("serve.py")
OURS = ("DATABASE_URL", "REDIS_URL")
OURS_TOO = ("SIGNALBOX_", "STAND_IN_", "DJANGO_", "PYTEST_")  # what their names begin with
LONG_S = 40.0


def clean_environment(**more: str) -> dict[str, str]:
    """Return the environment of a newcomer: no server named, nothing of this test run."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in OURS and not name.startswith(OURS_TOO)
    }
    return {**kept, "PYTHONPATH": str(places.ROOT), **more}


@dataclass
class Running:
    """One start of the supervisor, its output in a file that grows."""

    local: Path
    port: int
    environment: Mapping[str, str] = field(default_factory=clean_environment)
    python: str = sys.executable
    run_as: RunAs = field(default_factory=RunAs)

    def command(self) -> list[str]:
        return [self.python, str(SERVE), str(self.local), str(self.port)]

    def start(self) -> "Running":
        handle, name = tempfile.mkstemp(prefix="signalbox-test-")
        self.output = Path(name)
        with os.fdopen(handle, "wb") as file:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                cwd="/",
                env=self.environment,
                start_new_session=True,
                **self.run_as,
            )
        return self

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def wait_for(self, words: str, *, timeout_s: float = LONG_S) -> str:
        """Wait until the words were said; returns all that was said until then."""
        processes.until(
            lambda: words in self.said() or self.process.poll() is not None,
            timeout_s=timeout_s,
        )
        assert words in self.said(), self.said()
        return self.said()

    def is_up(self) -> "Running":
        self.wait_for("Signalbox is running (")
        return self

    def url(self) -> str:
        found = re.search(r"console +(http://\S+)", self.said())
        assert found is not None, self.said()
        return found.group(1)

    def answer(self) -> bytes:
        with urllib.request.urlopen(self.url() + "/readyz", timeout=10) as response:  # noqa: S310
            content: bytes = response.read()
        return content

    def children(self) -> dict[str, Identity]:
        known = places.read_json(self.local / "run" / "children.json")
        return {name: Identity(one["pid"], one["began"]) for name, one in known.items()}

    def servers(self) -> dict[str, Identity]:
        # Not `places.at`, which refuses the folder of somebody else: that is who may have run it.
        note = self.local / "instance"
        data = places.OUTSIDE / note.read_text() if note.exists() else self.local
        place = Place(self.local, data, accounts.current())
        found = {"postgres": Postgres(place).running(), "redis": Redis(place, "").running()}
        return {name: who for name, who in found.items() if who is not None}

    def everything(self) -> list[Identity]:
        return [*self.children().values(), *self.servers().values()]

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(LONG_S)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(LONG_S)

    def clean_up(self) -> None:
        """Leave nothing running, whatever the test did; every supervisor has been killed by now."""
        for who in self.everything():
            processes.end(who, signal.SIGKILL, patience_s=10)
        self.output.unlink()
