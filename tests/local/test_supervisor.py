"""`make run`: starts, says so, starts again what ended, recovers, and leaves nothing behind."""

import json
import os
import signal
import socket
import subprocess
import sys

import psycopg
import pytest

from console.local import places, processes
from console.local.postgres import Postgres
from tests.local.conftest import Begin
from tests.local.running import LONG_S


class TestRun:
    def test_says_where_it_is_as_whom_and_what_answers(self, begin: Begin) -> None:
        running = begin().is_up()

        said = running.said()
        assert "no language model" in said
        assert "ruth@meridian.example  reviewer (care)  for-the-demo-only" in said
        assert f"logs      {running.local / 'logs'}" in said
        assert f"widget    {running.url().replace('localhost', '127.0.0.1')}" in said

    def test_gives_its_children_a_bound_login_and_keeps_the_key(self, begin: Begin) -> None:
        first = begin().is_up()
        environment = json.loads(first.answer())
        first.end()
        again = json.loads(begin().is_up().answer())

        assert environment["DATABASE_URL"].startswith("postgresql://signalbox_app@")
        assert environment["SIGNALBOX_SEALER_URL"].startswith("postgresql://signalbox_sealer@")
        assert environment["SIGNALBOX_SECRET_KEY"] == again["SIGNALBOX_SECRET_KEY"]
        assert (first.local / "keys.json").stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
    def test_ends_all_that_it_started_and_nothing_else(
        self, begin: Begin, number: signal.Signals
    ) -> None:
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
            running = begin().is_up()
            started = running.everything()

            code = running.end(number)

            assert code == 0
            assert len(started) == 5
            assert not any(one.is_alive() for one in started)
            assert other.poll() is None
            other.kill()

    def test_a_second_start_says_that_it_runs_already_and_where(self, begin: Begin) -> None:
        running = begin().is_up()

        second = begin()

        assert second.process.wait(LONG_S) == 0
        assert (
            f"running already, at {running.url()} (process {running.process.pid})" in second.said()
        )
        assert running.answer()

    def test_takes_the_next_port_when_the_first_is_busy(self, begin: Begin) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]

            running = begin(port=port).is_up()

            assert int(running.url().rpartition(":")[2]) > port
            assert running.answer()

    def test_does_a_warm_start_without_migrating_or_seeding_again(self, cold: Begin) -> None:
        cold().is_up().end()
        running = cold().is_up()

        assert "tables up to date" not in running.said()
        asked = (running.local / "logs" / "prepare.log").read_text()
        assert [asked.count(f"asked to {name}\n") for name in ("migrate", "seed_demo")] == [1, 1]

    def test_says_which_log_to_read_when_the_web_process_fails(self, begin: Begin) -> None:
        running = begin(STAND_IN_BROKEN="1")

        assert running.process.wait(LONG_S) == 1
        assert f"web ended at once; {running.local / 'logs' / 'web.log'} says why" in running.said()
        assert "broken on purpose" in (running.local / "logs" / "web.log").read_text()
        assert running.everything() == []

    def test_can_be_ended_while_it_is_still_preparing(self, cold: Begin) -> None:
        running = cold(STAND_IN_HANGS="migrate")
        running.wait_for("tables up to date")

        assert running.end(signal.SIGINT) == 0
        assert running.everything() == []


class TestRestart:
    def test_starts_a_child_again_and_says_so(self, begin: Begin) -> None:
        running = begin().is_up()
        running.children()["web"].send(signal.SIGKILL)

        said = running.wait_for("web ended (SIGKILL); starting it again in 0.5 s")

        assert str(running.local / "logs" / "web.log") in said
        assert running.answer()  # waits in the backlog of the socket until the new one answers

    def test_starts_the_servers_again_and_says_so(self, begin: Begin) -> None:
        running = begin().is_up()
        for who in running.servers().values():
            who.send(signal.SIGKILL)

        running.wait_for("postgres had ended; started it again")
        running.wait_for("redis had ended; started it again")

        assert set(running.servers()) == {"postgres", "redis"}


class TestRecovery:
    def test_after_a_kill_of_the_whole_tree_the_data_is_there(self, begin: Begin) -> None:
        first = begin().is_up()
        url = Postgres(places.at(first.local)).url("postgres", "signalbox")
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        for who in (*first.everything(), processes.identify(first.process.pid)):
            assert who is not None
            who.send(signal.SIGKILL)
        first.process.wait(LONG_S)

        second = begin().is_up()

        assert second.answer()
        with psycopg.connect(
            Postgres(places.at(first.local)).url("postgres", "signalbox")
        ) as again:
            assert again.execute("SELECT answer FROM kept").fetchone() == (42,)

    def test_after_a_kill_of_the_supervisor_its_children_end_and_its_servers_are_used(
        self, begin: Begin
    ) -> None:
        first = begin().is_up()
        children, servers = first.children(), first.servers()
        first.end(signal.SIGKILL)

        second = begin().is_up()

        assert not any(who.is_alive() for who in children.values())
        assert second.servers() == servers
        second.end()
        assert not any(who.is_alive() for who in servers.values())

    def test_leaves_a_stranger_alone_whose_number_a_lost_child_had(self, begin: Begin) -> None:
        first = begin().is_up()
        first.end()
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
            record = {"web": {"pid": other.pid, "began": "another time"}}
            (first.local / "run" / "children.json").write_text(json.dumps(record))

            begin().is_up()

            assert other.poll() is None
            other.kill()

    def test_a_lock_file_with_the_number_of_a_stranger_does_not_stop_postgresql(
        self, begin: Begin
    ) -> None:
        first = begin().is_up()
        lock = places.at(first.local).data / "postgres" / "postmaster.pid"
        text = lock.read_text()
        first.end()
        lock.write_text("\n".join([str(os.getpid()), *text.splitlines()[1:]]) + "\n")

        assert begin().is_up().answer()

    def test_an_unfinished_data_folder_is_made_anew(self, cold: Begin) -> None:
        first = cold(STAND_IN_HANGS="migrate")
        first.wait_for("tables up to date")
        first.end()
        data = places.at(first.local).data
        (data / "postgres").rename(data / "postgres.new")

        assert cold().is_up().answer()
