"""Health: what answers, and what happens when the database does not."""

import pytest
from django.db import OperationalError
from django.test import Client

from console.shell import queries


class TestHealthz:
    def test_answers_without_account_on_both_origins(self) -> None:
        for host in ("localhost", "127.0.0.1"):
            assert Client(SERVER_NAME=host).get("/healthz").content == b"ok\n"


class TestReadyz:
    def test_says_that_the_database_answers(self) -> None:
        answer = Client(SERVER_NAME="localhost").get("/readyz")

        assert answer.json() == {"ready": True, "database": "ok"}

    def test_says_that_it_does_not(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def unreachable() -> dict[str, str]:
            raise OperationalError("connection refused")

        monkeypatch.setattr(queries, "parts", unreachable)
        answer = Client(SERVER_NAME="localhost").get("/readyz")

        assert answer.status_code == 503
        assert answer.json()["database"] == "unreachable"
