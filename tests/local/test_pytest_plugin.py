"""The plugin, in test runs of their own: from nothing, and two at once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.local.running import clean_environment

INNER = """
import os
import pathlib
import psycopg

def test_has_a_database_of_its_own():
    with psycopg.connect(os.environ["SIGNALBOX_OWNER_URL"]) as connection:
        name = connection.execute("SELECT current_database()").fetchone()[0]
    pathlib.Path("{out}").write_text(name + " " + os.environ["REDIS_URL"])
    {more}
"""


def command(*paths: Path) -> list[str]:
    options = ["-p", "console.local.pytest_plugin", "-p", "no:django", "-p", "no:cacheprovider"]
    return [sys.executable, "-m", "pytest", "-c", os.devnull, "-q", *options, *map(str, paths)]


class TestBegin:
    def test_starts_servers_from_nothing_and_stops_them(self, checkout: Path) -> None:
        out = checkout / "out"
        test = checkout / "test_inner.py"
        test.write_text(INNER.format(out=out, more=""))

        done = subprocess.run(
            command(test),
            check=False,
            capture_output=True,
            text=True,
            cwd=checkout,
            env=clean_environment(SIGNALBOX_LOCAL_DIR=str(checkout / ".local")),
        )

        assert done.returncode == 0, done.stdout + done.stderr
        assert out.read_text().startswith("signalbox_test redis://")
        assert not (checkout / ".local" / "test" / "postgres" / "postmaster.pid").exists()

    def test_refuses_in_one_sentence_when_the_server_is_not_there(self, checkout: Path) -> None:
        test = checkout / "test_inner.py"
        test.write_text("def test_nothing(): pass\n")

        done = subprocess.run(
            command(test),
            check=False,
            capture_output=True,
            text=True,
            cwd=checkout,
            env=clean_environment(
                SIGNALBOX_LOCAL_DIR=str(checkout / ".local"),
                DATABASE_URL="postgresql://postgres@127.0.0.1:1/shop",
                REDIS_URL="redis://127.0.0.1:1/0",
            ),
        )

        assert done.returncode == pytest.ExitCode.USAGE_ERROR
        assert "PostgreSQL does not let us in" in done.stderr

    def test_two_runs_at_once_have_two_databases(self, checkout: Path) -> None:
        outs = [checkout / "first", checkout / "second"]
        inner = checkout / "test_second.py"
        inner.write_text(INNER.format(out=outs[1], more=""))
        outer = checkout / "test_first.py"
        call = f"assert subprocess.run({command(inner)!r}, env=given).returncode == 0"
        given = clean_environment(SIGNALBOX_LOCAL_DIR=str(checkout / ".local"))
        more = f"import subprocess; given = {given!r}; {call}"
        outer.write_text(INNER.format(out=outs[0], more=more))

        done = subprocess.run(
            command(outer), check=False, capture_output=True, text=True, cwd=checkout, env=given
        )

        assert done.returncode == 0, done.stdout + done.stderr
        assert [out.read_text().split()[0] for out in outs] == [
            "signalbox_test",
            "signalbox_test_2",
        ]

    def test_parts_of_one_run_have_a_database_each(self, checkout: Path) -> None:
        outs = [checkout / "first", checkout / "second"]
        tests = [checkout / "test_first.py", checkout / "test_second.py"]
        for test, out in zip(tests, outs, strict=True):
            test.write_text(INNER.format(out=out, more=""))

        done = subprocess.run(
            [*command(*tests), "--numprocesses", "2", "--dist", "loadfile"],
            check=False,
            capture_output=True,
            text=True,
            cwd=checkout,
            env=clean_environment(SIGNALBOX_LOCAL_DIR=str(checkout / ".local")),
        )

        assert done.returncode == 0, done.stdout + done.stderr
        named = sorted(out.read_text().split() for out in outs)
        assert [name for name, _ in named] == ["signalbox_test_gw0", "signalbox_test_gw1"]
        assert len({redis for _, redis in named}) == 2
