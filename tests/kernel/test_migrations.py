"""Migrations run as an owner that is no superuser, as in a managed PostgreSQL."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from console.kernel.ids import uuid7

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def limited_owner() -> Iterator[str]:
    """Make a login that may create roles but is bound by row-level security; give its URL."""
    owner = os.environ["SIGNALBOX_OWNER_URL"]
    name = f"limited_{uuid7().hex}"
    role, database = sql.Identifier(name), sql.Identifier(name)
    with psycopg.connect(owner, autocommit=True) as line:
        line.execute(sql.SQL("CREATE ROLE {} CREATEROLE").format(role))
        line.execute(sql.SQL("GRANT signalbox_app TO {} WITH ADMIN OPTION").format(role))
        line.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))
        try:
            parts = urlsplit(owner)
            # We log in as ourselves and become the role: a login of its own would need a password.
            options = f"options={quote(f'-c role={name}')}"
            query = "&".join(filter(None, [parts.query, options]))
            yield urlunsplit((parts.scheme, parts.netloc, f"/{name}", query, ""))
        finally:
            line.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(database))
            line.execute(sql.SQL("DROP OWNED BY {}").format(role))
            line.execute(sql.SQL("DROP ROLE {}").format(role))


class TestMigrate:
    def test_needs_no_superuser(self, limited_owner: str) -> None:
        done = subprocess.run(
            [sys.executable, "-c", MIGRATE],
            cwd=ROOT,
            env={**os.environ, "SIGNALBOX_OWNER_URL": limited_owner, "SIGNALBOX_AS_OWNER": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        assert "as limited_" in done.stdout


MIGRATE = """
import django
from django.core.management import call_command
from django.db import connection
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "console.settings"
django.setup()
call_command("migrate", verbosity=0)
with connection.cursor() as cursor:
    cursor.execute("SELECT current_user FROM audit_epoch")
    print("as", cursor.fetchone()[0])
"""
