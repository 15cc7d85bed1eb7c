"""A new epoch after a logical restore: transaction ids start anew and no event is lost."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.core.management import call_command

from console.kernel.actors import Actor
from tests.audit.facts import found_wrong, note, seal, sign
from tests.audit.test_sealing import entries_of

Login = Callable[[str], "psycopg.Connection[Any]"]


class TestAuditEpoch:
    def test_seals_what_the_old_epoch_left_and_goes_on(
        self, actor: Actor, login: Login, capsys: pytest.CaptureFixture[str]
    ) -> None:
        note(actor=actor, n=2)
        seal()
        note(actor=actor, n=3)
        call_command("audit_epoch", "--reason", "a test loads nothing but starts anew")
        assert "has begun" in capsys.readouterr().out
        note(actor=actor, n=4)
        seal()
        note(actor=actor, n=1)
        seal()
        sign(actor)

        assert [index for index, _ in entries_of(login, actor)] == list(range(10))
        assert found_wrong(login("signer"), actor) == set()
