"""Servers and a database for the tests, there before Django reads its settings.

The tests have a database of their own, `<name>_test`, on the server that the environment names, or
on embedded servers under `.local/test`, so that a running `make run` is left alone. Where
pytest-xdist spreads a run over processes, each has one more, and they never see each other's rows.
"""

import os
import zlib
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from urllib.parse import urlsplit, urlunsplit

import pytest

from console.local import databases, environment, places
from console.local.environment import Environment
from console.local.errors import CannotStart
from console.local.locks import Lock
from console.local.places import Place
from console.local.preparing import Preparation
from console.local.product import SIGNALBOX

SUFFIX = "_test"
PART = "PYTEST_XDIST_WORKER"  # "gw0", "gw1" … in a process that runs a part of the tests
AT_ONCE = 9
REDIS_DATABASES = 15  # 1 to 15; 0 is for `make run`
ONLY_TALK = frozenset({"--help", "-h", "--version", "-V", "--markers", "--fixtures"})
_held = ExitStack()
_in_use: list[tuple[Place, Environment]] = []


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(args: Sequence[str]) -> Generator[None, object, object]:
    """Begin before pytest-django looks at the settings: a wrapper comes before all others."""
    if not ONLY_TALK.intersection(args):
        try:
            begin_part(os.environ[PART]) if PART in os.environ else begin()
        except CannotStart as refused:
            _held.close()
            raise pytest.UsageError(str(refused)) from refused
    return (yield)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Prepare the roles, which belong to the whole server, before the parts of a run start."""
    if getattr(session.config.option, "numprocesses", None):
        prepare_database()


def pytest_unconfigure() -> None:
    """Stop what was started for the tests, if nobody else uses it."""
    _held.close()


def begin() -> None:
    """Point the environment at an empty test database; the old one goes, if it need not be kept."""
    place = places.at(places.default_local() / "test")
    found = environment.read(os.environ, place, roles_of=places.at(places.default_local()))
    _held.enter_context(found.servers)
    if found.database.endswith(SUFFIX) and found.source is not environment.Source.EMBEDDED:
        return  # named by whoever started us; not ours to drop
    base = found.database.removesuffix(SUFFIX) + SUFFIX
    found = found.renamed(_claim(place, base))
    given = {name: found.given[name] for name in environment.URLS if found.given.get(name)}
    os.environ.update(given)
    os.environ.update(found.urls())
    os.environ["REDIS_URL"] = _redis(os.environ["REDIS_URL"], found.database)
    # Tests connect from many threads and processes; a pool for each would use up the server.
    os.environ["SIGNALBOX_POOL_SIZE"] = "0"
    databases.ensure(found.owner_url, fresh=os.environ.get("SIGNALBOX_TEST_KEEP") != "1")
    if found.source is environment.Source.EMBEDDED:
        databases.trust_the_machine(found.owner_url)
    _in_use.append((place, found))


def begin_part(part: str) -> None:
    """Point the environment at a database beside the one that the whole run was given."""
    place = places.at(places.default_local() / "test")
    whole = environment.read(os.environ, place)
    found = whole.renamed(f"{whole.database}_{part}")
    os.environ.update({name: found.given[name] for name in environment.URLS})
    os.environ["REDIS_URL"] = _redis(
        os.environ["REDIS_URL"], whole.database, ahead=1 + int(part.removeprefix("gw"))
    )
    databases.ensure(found.owner_url, fresh=True)
    _in_use.append((place, found))


def prepare_database() -> None:
    """Bring the tables up to date as the owner and let the roles log in; for `conftest.py`."""
    for place, found in _in_use:
        Preparation(place, found, SIGNALBOX, lambda: None).run(seed=False)


def _claim(place: Place, base: str) -> str:
    """Return a database name that no other test run of this checkout uses now."""
    for number in range(1, AT_ONCE + 1):
        name = base if number == 1 else f"{base}_{number}"
        lock = Lock(place.run / f"tests-{name}")
        _held.callback(lock.close)
        if lock.try_take():
            return name
    raise CannotStart(f"{AT_ONCE} test runs of this checkout are going on; wait for one to end.")


def _redis(url: str, name: str, *, ahead: int = 0) -> str:
    """Return the Redis URL with a database number for the tests on `name`."""
    number = 1 + (zlib.crc32(name.encode()) + ahead) % REDIS_DATABASES
    return urlunsplit(urlsplit(url)._replace(path=f"/{number}"))
