"""`manage.py roles`: the roles of the migration get their logins, and nobody else does."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from psycopg import sql

from console.kernel.ids import uuid7
from console.kernel.management.commands import roles
from console.local import environment

OWNER = os.environ[environment.OWNER_URL]


@contextmanager
def acting_as(role: str) -> Iterator[None]:
    """Let the owner's connection of this process act as a role with fewer rights."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        try:
            yield
        finally:
            cursor.execute("RESET ROLE")


@pytest.fixture
def role() -> Iterator[str]:
    """Return a new role of this server, which ends with the test."""
    name = f"test_{uuid7().hex}"
    with psycopg.connect(OWNER, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(name)))
        yield name
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.fixture
def only(role: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make it the only role that the command knows."""
    monkeypatch.setattr(roles, "ROLES", {role: "DATABASE_URL"})
    url = environment.with_login(OWNER, role, "a long word")
    monkeypatch.setenv("DATABASE_URL", url)
    return role


def login_of(role: str) -> tuple[bool, str | None]:
    with psycopg.connect(OWNER) as connection:
        row = connection.execute(
            "SELECT rolcanlogin, rolpassword FROM pg_authid WHERE rolname = %s", [role]
        ).fetchone()
    assert row is not None
    return row


class TestRoles:
    def test_gives_a_role_the_password_of_its_url_hashed(self, only: str) -> None:
        out = io.StringIO()
        call_command("roles", stdout=out)

        can_log_in, password = login_of(only)
        assert can_log_in
        assert password is not None
        assert password.startswith("SCRAM-SHA-256$")
        assert out.getvalue() == f"{only}: may log in\n"

    def test_leaves_a_role_without_a_url_as_it_is(
        self, role: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(roles, "ROLES", {role: "SIGNALBOX_SEALER_URL"})
        monkeypatch.delenv("SIGNALBOX_SEALER_URL")

        call_command("roles", stdout=io.StringIO())

        assert login_of(role) == (False, None)

    def test_refuses_to_touch_another_login(
        self, only: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", environment.with_login(OWNER, "boss", "word"))

        with pytest.raises(CommandError, match="logs in as boss, which this command leaves alone"):
            call_command("roles", stdout=io.StringIO())
        assert login_of(only) == (False, None)

    def test_says_when_the_owner_may_not_and_how_that_ends(self, only: str) -> None:
        with (
            acting_as("signalbox_app"),
            pytest.raises(CommandError, match="may not change the role") as refused,
        ):
            call_command("roles", stdout=io.StringIO())

        assert refused.value.returncode == roles.MAY_NOT
        assert login_of(only) == (False, None)

    def test_says_to_migrate_first_when_there_is_no_such_role(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        absent = f"test_{uuid7().hex}"
        monkeypatch.setattr(roles, "ROLES", {absent: "DATABASE_URL"})
        monkeypatch.setenv("DATABASE_URL", environment.with_login(OWNER, absent, "word"))

        with pytest.raises(CommandError, match=r"run `manage\.py migrate` first"):
            call_command("roles", stdout=io.StringIO())


class TestTheRoles:
    def test_are_bound_by_row_level_security(self) -> None:
        with psycopg.connect(OWNER) as connection:
            rows = connection.execute(
                "SELECT rolname FROM pg_roles WHERE (rolsuper OR rolbypassrls OR rolcreaterole)"
                " AND rolname = ANY(%s)",
                [list(roles.ROLES)],
            ).fetchall()

        assert rows == []
