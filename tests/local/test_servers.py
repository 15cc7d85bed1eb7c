"""The embedded servers: shared by several users, adopted, stopped by the last."""

import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.local import places
from console.local.errors import CannotStart
from console.local.places import SOCKET_LIMIT, SOCKET_NAME, Place
from console.local.postgres import Postgres
from console.local.redis import Redis
from console.local.servers import Servers


@pytest.fixture
def place(checkout: Path) -> Iterator[Place]:
    found = places.at(checkout / ".local")
    yield found
    Redis(found, "word").stop()
    found.forget_sockets()


def users_of(place: Place) -> Servers:
    return Servers(place, postgres=None, redis=Redis(place, "word"))


class TestServers:
    def test_the_last_user_stops_them(self, place: Place) -> None:
        with users_of(place):
            with users_of(place):
                first = Redis(place, "word").running()
            assert Redis(place, "word").running() == first is not None

        assert Redis(place, "word").running() is None

    def test_goes_on_without_redis_and_says_so(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(_self: Redis) -> None:
            raise CannotStart("No port is free.")

        monkeypatch.setattr(Redis, "start", refuse)

        with users_of(place) as servers:
            assert servers.redis_refused == "No port is free."


class TestRedis:
    def test_answers_to_our_password_only(self, place: Place) -> None:
        with users_of(place) as servers:
            assert servers.redis is not None
            assert servers.redis.is_ready()
            assert not Redis(place, "another").is_ready()

    def test_moves_to_another_port_when_its_own_was_taken(self, place: Place) -> None:
        with users_of(place) as servers:
            assert servers.redis is not None
            port = servers.redis.url(0).rpartition(":")[2].partition("/")[0]
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", int(port)))
            taken.listen()
            with users_of(place) as servers:
                assert servers.redis is not None
                assert f":{port}/" not in servers.redis.url(0)
                assert servers.redis.is_ready()

    def test_keeps_its_password_off_the_command_line(self, place: Place) -> None:
        with users_of(place) as servers:
            assert servers.redis is not None
            who = servers.redis.running()
            assert who is not None
            assert b"word" not in Path(f"/proc/{who.pid}/cmdline").read_bytes()
            assert stat.S_IMODE((place.data / "redis.conf").stat().st_mode) & 0o007 == 0


class TestSockets:
    def test_are_in_a_private_folder_with_a_short_path(self, place: Place) -> None:
        folder = place.sockets()

        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert len(str(folder / SOCKET_NAME)) <= SOCKET_LIMIT
        assert place.sockets() == folder

    def test_stay_short_below_a_long_temporary_folder(
        self, place: Place, checkout: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        long = checkout / ("long" * 25)
        long.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(long))

        assert len(str(place.sockets() / SOCKET_NAME)) <= SOCKET_LIMIT

    @pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
    def test_move_when_others_may_look_into_their_folder(self, place: Place, mode: int) -> None:
        folder = place.sockets()
        folder.chmod(mode)

        assert place.sockets() != folder
        folder.rmdir()

    def test_move_when_their_folder_was_replaced_by_a_link(self, place: Place) -> None:
        folder = place.sockets()
        folder.rmdir()
        folder.symlink_to(place.data)

        assert place.sockets() != folder
        folder.unlink()


class TestPostgres:
    def test_refuses_data_of_another_version(self, place: Place) -> None:
        server = Postgres(place)
        server.folder.mkdir()
        server.folder.joinpath("PG_VERSION").write_text("12\n")

        with pytest.raises(CannotStart, match="was made by PostgreSQL 12 and this is 18"):
            server.start()

    def test_does_not_take_the_number_of_another_program_for_its_own(self, place: Place) -> None:
        server = Postgres(place)
        server.folder.mkdir()
        server.folder.joinpath("postmaster.pid").write_text(f"{os.getpid()}\n")

        assert server.running() is None
