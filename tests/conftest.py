"""What all tests share: a migrated database, the bound role, and a fresh cast for each test.

Tests commit for real and clean nothing up: each has tenants of its own, and row-level security
keeps the others out, which is itself what the product promises.
"""

from collections.abc import Iterator
from typing import Any

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the journeys first: their worker and pulse then meet no leftovers of other tests."""
    items.sort(key=lambda item: "journeys" not in item.path.parts)
