"""What all tests share: a migrated database, the bound role, and a fresh cast for each test.

Tests commit for real and clean nothing up: each has tenants of its own, and row-level security
keeps the others out, which is itself what the product promises.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

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


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in its own hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests, and say what a run over several processes must not tear apart."""
    items.sort(key=lambda item: _rank(item.path))
    for item in items:
        if item.get_closest_marker("xdist_group"):
            continue  # it says itself what it goes with
        folder = item.path.parent.name
        group = folder if folder in TOGETHER else item.path.as_posix()
        item.add_marker(pytest.mark.xdist_group(group))


def _rank(path: Path) -> int:
    found = (LONG.index(part) for part in path.parts if part in LONG)
    return next(found, len(LONG))
