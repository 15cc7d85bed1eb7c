"""The benchmark from outside: its table and that it leaves nothing running; never its times."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.local import places, processes
from console.local.places import ROOT, Place
from console.local.postgres import Postgres
from console.local.redis import Redis
from tests.local.running import clean_environment

BENCH = ROOT / "deploy" / "bench" / "bench.py"
LONG_S = 120


@pytest.fixture
def local(checkout: Path) -> Iterator[Path]:
    folder = checkout / ".local"
    yield folder
    if folder.exists():
        for who in alive(folder):  # only after a failure
            processes.end(who, signal.SIGKILL, patience_s=10)
        at(folder).forget_sockets()


def at(local: Path) -> Place:
    return places.at(local / "bench")


def alive(local: Path) -> list[processes.Identity]:
    """Return what runs of the bench's servers and programs."""
    place = at(local)
    servers = [Postgres(place).running(), Redis(place, "").running()]
    known = places.read_json(place.run / "children.json").values()
    programs = [processes.Identity(one["pid"], one["began"]) for one in known]
    return [*filter(None, servers), *(one for one in programs if one.is_alive())]


def begin(local: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, BENCH, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(SIGNALBOX_LOCAL_DIR=str(local)),
    )


class TestMain:
    def test_interrupted_shows_what_was_measured_and_leaves_nothing_running(
        self, local: Path
    ) -> None:
        bench = begin(local, "--quick", "checkpoint", "stop")
        assert bench.stderr is not None
        while "Measuring stop" not in (line := bench.stderr.readline()):
            assert line, "it ended before it came to the second measurement"
        bench.send_signal(signal.SIGINT)
        said, errors = bench.communicate(timeout=LONG_S)

        assert bench.returncode == 130, errors
        assert "everything that was started has ended" in errors
        assert alive(local) == []
        head, _rule, *rows = [
            [cell.strip() for cell in line.split(" | ")]
            for line in said.splitlines()
            if " | " in line
        ]
        assert head == ["measurement", "ours", "plain baseline", "target", "met"]
        assert [row[0].partition(":")[0] for row in rows] == ["checkpoint", "checkpoint"]
        assert all(" ms (p99 " in cell for row in rows for cell in row[1:3])
        assert rows[0][4] in {"yes", "no"}
        assert "load average" in said

    def test_refuses_a_measurement_that_does_not_exist(self, local: Path) -> None:
        bench = begin(local, "speed")
        said, errors = bench.communicate(timeout=LONG_S)

        assert (bench.returncode, said) == (2, "")
        assert "there is no measurement speed" in errors
