"""What all tests share: a migrated database, the bound role, and a fresh cast for each test.

Tests commit for real and clean nothing up: each has tenants of its own, and row-level security
keeps the others out, which is itself what the product promises.
"""

from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any, Final

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from console.local.pytest_plugin import prepare_database
from tests.cast import Cast, make_cast


@pytest.fixture(scope="session", autouse=True)
def database(django_db_blocker: Any) -> Iterator[None]:
    """Migrate as the owner; everything else runs as the role that row-level security binds."""
    prepare_database()
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def cast() -> Cast:
    """Return new people in two new tenants: Ruth, Ines, Omar, Noor, and Mallory elsewhere."""
    return make_cast()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a release save its golden fixtures; `tests/golden.py` says how."""
    parser.addoption("--write-golden", default="", help="Save fixtures of this release, as in 0.3.")


# What takes longest, first: a run over several processes ends when the last of them does.
LONG: Final = (
    "journeys",  # and their worker and pulse meet no leftovers of other tests
    "test_machine.py",
    "test_full_replay.py",
    "local",
    "races",
    "crashes",
)
# Folders that stay together in one process: they start the product, or need the machine's breath.
TOGETHER: Final = {"journeys", "races"}
# Files whose tests are long enough to go apart; all others share what their file has made.
APART: Final = {"test_machine.py"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests; within a process they keep the order in which they were found."""
    items.sort(key=lambda item: _rank(item.path))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> "Portions":
    """Say what a run over several processes must not tear apart."""
    return Portions(config, log)


class Portions(LoadScopeScheduling):  # type: ignore[misc]  # the plugin has no types
    """Folders and files that stay whole.

    The plugin's own `loadgroup` reads its groups back from names that pytest 9.2 no longer lets it
    change: each test went to whoever was free, and every process started the whole product.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = PurePath(nodeid.partition("::")[0])
        if path.name in APART:
            return nodeid
        return path.parent.name if path.parent.name in TOGETHER else str(path)


def _rank(path: Path) -> int:
    found = (LONG.index(part) for part in path.parts if part in LONG)
    return next(found, len(LONG))
