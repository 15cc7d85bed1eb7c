"""The environment: what is not understood ends the start with a hint."""

import pytest

from console.kernel import env


class TestReading:
    def test_gives_the_default_for_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SIGNALBOX_LEASE_S", "")
        assert env.seconds("SIGNALBOX_LEASE_S", default=30, least=2, most=300) == 30

    @pytest.mark.parametrize("raw", ["1", "301", "3.5", "-3", "many", "٣٠0000"])
    def test_refuses_what_is_out_of_range(self, monkeypatch: pytest.MonkeyPatch, raw: str) -> None:
        monkeypatch.setenv("SIGNALBOX_LEASE_S", raw)
        with pytest.raises(env.BadEnvironment, match="SIGNALBOX_LEASE_S is not understood"):
            env.seconds("SIGNALBOX_LEASE_S", default=30, least=2, most=300)

    def test_refuses_another_database(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DATABASE_URL", "sqlite:///db")
        with pytest.raises(env.BadEnvironment, match="only PostgreSQL"):
            env.postgres("DATABASE_URL")

    def test_reads_a_socket_folder(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DATABASE_URL", "postgresql://me:s%40fe@/shop?host=/run/pg&port=5433")
        found = env.postgres("DATABASE_URL")
        assert (found["HOST"], found["PORT"], found["NAME"]) == ("/run/pg", "5433", "shop")
        assert found["PASSWORD"] == "s@fe"


class TestFinish:
    def test_names_the_nearest_known_variable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SIGNALBOX_SECRET_KEI", "x")
        with pytest.raises(env.BadEnvironment, match="did you mean SIGNALBOX_SECRET_KEY"):
            env.finish()
