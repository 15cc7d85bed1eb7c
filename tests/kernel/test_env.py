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


class TestMail:
    @pytest.mark.parametrize(
        ("raw", "expected"),
        [
            ("smtp://mail.example", ("mail.example", 25, "", "", False, False)),
            (
                "smtp+tls://me%40b.example:s%2Fcret@mail.example",
                ("mail.example", 587, "me@b.example", "s/cret", True, False),
            ),
            ("smtps://mail.example:4465/", ("mail.example", 4465, "", "", False, True)),
        ],
    )
    def test_reads_a_server(
        self, monkeypatch: pytest.MonkeyPatch, raw: str, expected: tuple[object, ...]
    ) -> None:
        monkeypatch.setenv("EMAIL_URL", raw)
        found = env.mail("EMAIL_URL")
        assert (
            found.host, found.port, found.user, found.password, found.starttls, found.tls
        ) == expected  # fmt: skip
        assert "s/cret" not in repr(found)

    def test_keeps_files_without_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("EMAIL_URL", "")
        assert env.mail("EMAIL_URL").backend.endswith("filebased.EmailBackend")

    @pytest.mark.parametrize(
        "raw", ["mail.example", "http://mail.example", "smtp://", "smtp://a/b"]
    )
    def test_refuses_what_is_none(self, monkeypatch: pytest.MonkeyPatch, raw: str) -> None:
        monkeypatch.setenv("EMAIL_URL", raw)
        with pytest.raises(env.BadEnvironment, match="EMAIL_URL is not understood"):
            env.mail("EMAIL_URL")


class TestFinish:
    def test_names_the_nearest_known_variable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SIGNALBOX_SECRET_KEI", "x")
        with pytest.raises(env.BadEnvironment, match="did you mean SIGNALBOX_SECRET_KEY"):
            env.finish()
