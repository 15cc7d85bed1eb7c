"""A signer of the test database's own, and connections with real logins."""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from django.conf import settings

from audit import direct
from console.kernel.actors import Actor
from tests.audit.facts import person


@pytest.fixture(scope="session", autouse=True)
def _signer_folder(database: None) -> Iterator[None]:
    """Keep the signer's files as long as the test database, whose meta log names it."""
    with direct.connect("owner") as owner:
        row = owner.execute("SELECT origin FROM audit_log WHERE kind = 'meta'").fetchone()
    assert row is not None
    name = str(row[0]).split("/")[1]
    before = settings.SIGNALBOX_SIGNER_DIR
    folder = Path(tempfile.gettempdir()) / f"signalbox-test-signer-{os.getuid()}-{name}"
    settings.SIGNALBOX_SIGNER_DIR = folder
    yield
    settings.SIGNALBOX_SIGNER_DIR = before


@pytest.fixture
def actor() -> Actor:
    return person("Noor", "audit.view")


@pytest.fixture
def login() -> Iterator[Callable[[str], "psycopg.Connection[Any]"]]:
    """Open a real session as a role; every one is closed at the end."""
    opened: list[psycopg.Connection[Any]] = []

    def connect(alias: str) -> "psycopg.Connection[Any]":
        opened.append(direct.connect(cast(direct.Role, alias)))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()
