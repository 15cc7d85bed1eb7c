"""As root and as an ordinary user, in checkouts that others can reach and in those they cannot."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from console.local import accounts, places, wheels
from console.local.accounts import RunAs
from console.local.errors import CannotStart
from console.local.postgres import Postgres
from console.local.redis import Redis
from console.local.servers import Servers
from tests.local.conftest import Begin

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else as well")


def somebody() -> pwd.struct_passwd:
    """Return an ordinary account that every Debian and every macOS has."""
    return pwd.getpwnam("daemon")


def python_for_everybody() -> str:
    """Return an interpreter of this version that an ordinary user can run; skip without one."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for name in (
        os.path.realpath(sys.executable),
        f"/usr/bin/{version}",
        f"/usr/local/bin/{version}",
    ):
        found = Path(name)
        if found.exists() and all(one.stat().st_mode & 0o001 for one in found.resolve().parents):
            return name
    pytest.skip(f"no {version} outside of root's own folders")


@pytest.fixture
def closed() -> Iterator[Path]:
    """Return a folder that only we can enter, like /root."""
    folder = Path(tempfile.mkdtemp(prefix="signalbox-closed-"))
    yield folder
    instance = folder / "checkout" / ".local" / "instance"
    if instance.exists():
        shutil.rmtree(places.OUTSIDE / instance.read_text())
    shutil.rmtree(folder)


@as_root
class TestOrdinaryUser:
    def test_runs_everything_and_owns_what_it_leaves(self, cold: Begin, checkout: Path) -> None:
        who = somebody()
        os.chown(checkout, who.pw_uid, who.pw_gid)
        site = Path(psycopg.__file__).parent.parent
        if not all(one.stat().st_mode & 0o001 for one in (site, *site.parents)):
            pytest.skip("the packages lie in root's own folders")

        running = cold(
            python=python_for_everybody(),
            run_as=RunAs(user=who.pw_uid, group=who.pw_gid, extra_groups=[]),
            PYTHONPATH=f"{places.ROOT}:{site}",
            HOME="/nonexistent",
        ).is_up()

        assert running.answer()
        local = checkout / ".local"
        assert {path.lstat().st_uid for path in local.rglob("*")} == {who.pw_uid}
        assert stat.S_IMODE(local.stat().st_mode) == 0o700
        started = running.everything()
        assert running.end() == 0
        assert len(started) == 5
        assert not any(one.is_alive() for one in started)

    def test_is_refused_in_a_folder_that_root_has_used(self, cold: Begin, checkout: Path) -> None:
        checkout.joinpath(".local").mkdir(mode=0o755)
        who = somebody()

        running = cold(
            python=python_for_everybody(),
            run_as=RunAs(user=who.pw_uid, group=who.pw_gid, extra_groups=[]),
            PYTHONPATH=f"{places.ROOT}:{Path(psycopg.__file__).parent.parent}",
        )

        assert running.process.wait(30) == 1
        assert f"{checkout / '.local'} belongs to root; run this as root" in running.said()


@as_root
class TestRoot:
    def test_serves_from_a_checkout_that_nobody_else_can_enter(self, closed: Path) -> None:
        place = places.at(closed / "checkout" / ".local")
        servers = Servers(place, postgres=Postgres(place), redis=Redis(place, "word"))

        with servers:
            assert servers.postgres is not None
            with psycopg.connect(servers.postgres.url("postgres", "postgres")) as connection:
                assert connection.execute("SHOW fsync").fetchone() == ("on",)
            server = servers.postgres.running()
            assert server is not None
            owner = Path(f"/proc/{server.pid}").stat().st_uid

        assert owner == pwd.getpwnam("nobody").pw_uid
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700, "the user's own folder stays as it was"
        assert place.data.parent == places.OUTSIDE
        assert stat.S_IMODE(place.data.stat().st_mode) == 0o710

    def test_copies_programs_that_the_account_cannot_reach(
        self, closed: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        home = closed / "venv"
        for name in (wheels.POSTGRES, f"{wheels.POSTGRES}.libs"):
            shutil.copytree(Path(psycopg.__file__).parent.parent / name, home / name, symlinks=True)
        monkeypatch.setattr(wheels, "_home", lambda _package: home)
        place = places.at(closed / "checkout" / ".local")

        programs = wheels.postgres_bin(place)
        Postgres(place).start()
        Postgres(place).stop()
        place.forget_sockets()

        assert place.data in programs.parents

    def test_lets_nobody_else_into_the_database(self, closed: Path) -> None:
        place = places.at(closed / "checkout" / ".local")
        with Servers(place, postgres=Postgres(place), redis=None):
            url = Postgres(place).url("postgres", "postgres")
            who = somebody()
            tried = subprocess.run(
                [wheels.postgres_bin(place) / "psql", url, "-c", "SELECT 1"],
                check=False,
                capture_output=True,
                text=True,
                user=who.pw_uid,
                group=who.pw_gid,
                extra_groups=[],
            )

        assert tried.returncode != 0
        assert "ermission denied" in tried.stderr

    def test_does_not_take_the_folder_of_somebody_else(self, checkout: Path) -> None:
        local = checkout / ".local"
        local.mkdir()
        os.chown(local, somebody().pw_uid, somebody().pw_gid)

        with pytest.raises(CannotStart, match="belongs to daemon; run this as daemon"):
            places.at(local)


class TestReaches:
    def test_follows_every_folder_above(self, tmp_path: Path) -> None:
        tmp_path.joinpath("open/inner").mkdir(parents=True)
        nobody = accounts.Account("nobody", 65534, accounts.GROUP, switch=True)
        answers = []
        for mode in (0o755, 0o700, 0o711):
            tmp_path.joinpath("open").chmod(mode)
            answers.append(nobody._passes(tmp_path / "open"))

        assert answers == [True, False, True]
