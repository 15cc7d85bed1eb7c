"""Places for servers of a test's own; whatever runs in them ends with the test."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console.local import places
from console.local.accounts import RunAs
from tests.local.running import Running, clean_environment

Begin = Callable[..., Running]


@pytest.fixture
def checkout() -> Iterator[Path]:
    """Return a folder that every account can reach, as one below /home or /srv."""
    folder = Path(tempfile.mkdtemp(prefix="signalbox-checkout-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def cold(checkout: Path) -> Iterator[Begin]:
    """Start the supervisor in a checkout where it never ran."""
    yield from _starting(checkout / ".local")


@pytest.fixture
def begin(checkout: Path, been_here: Path) -> Iterator[Begin]:
    """Start the supervisor where it has run; all it started is gone after the test."""
    subprocess.run(["cp", "-a", been_here, checkout / ".local"], check=True)
    yield from _starting(checkout / ".local")


@pytest.fixture(scope="session")
def been_here() -> Iterator[Path]:
    """Return what one start leaves behind, to be copied: making a data folder takes seconds."""
    folder = Path(tempfile.mkdtemp(prefix="signalbox-been-here-"))
    folder.chmod(0o755)
    for start in _starting(folder / ".local"):
        start().is_up().end()
    yield folder / ".local"
    shutil.rmtree(folder)


def _starting(local: Path) -> Iterator[Begin]:
    started: list[Running] = []

    def start(
        *, port: int = 18000, python: str = "", run_as: RunAs | None = None, **more: str
    ) -> Running:
        running = Running(local, port, clean_environment(**more))
        running.python = python or running.python
        running.run_as = run_as or running.run_as
        started.append(running)
        return running.start()

    yield start
    for one in started:  # all of them first: one that lives would start again what is cleaned up
        one.kill()
    for one in started:
        one.clean_up()
    if local.exists() and not any(one.run_as for one in started):
        places.at(local).forget_sockets()
