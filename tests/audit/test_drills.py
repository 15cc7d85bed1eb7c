"""The drill: tampering with a copy is named, the copy is gone, and the log is untouched."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from audit import queries
from audit.drills import running
from audit.drills.attacks import nothing
from console.kernel.actors import Actor
from tests.audit.facts import found_wrong, note, seal, settle, settle_meta

Login = Callable[[str], "psycopg.Connection[Any]"]


@pytest.fixture
def log(actor: Actor) -> Actor:
    """Return whose log has tiles, several heads and checkpoints, and leaves in the meta log."""
    for count in (200, 70, 30):
        note(actor=actor, n=count)
        settle(actor)
    settle_meta(actor)
    return actor


def copies(login: Login) -> list[tuple[Any, ...]]:
    query = "SELECT nspname FROM pg_namespace WHERE nspname = 'audit_drill'"
    return login("owner").execute(query).fetchall()


class TestDrill:
    def test_names_every_attack_and_leaves_nothing_behind(
        self, log: Actor, login: Login, capsys: pytest.CaptureFixture[str]
    ) -> None:
        call_command("tamper_drill", "--tenant", str(log.tenant_id))

        said = capsys.readouterr().out.splitlines()
        assert said[0].startswith("A copy of the first 300 entries of ")
        assert [line.split()[:2] for line in said[1:-1]] == [
            ["nothing", "quiet"],
            ["edit", "named"],
            ["delete", "named"],
            ["reorder", "named"],
            ["truncate", "named"],
            ["fork", "named"],
        ]
        assert "audit_event.envelope #149" in said[2]
        assert "audit_entry.event_id #149" in said[3]
        assert said[-1] == "Each was named; the copy is gone."
        assert copies(login) == []
        seal()
        assert found_wrong(login("signer"), log) == set()
        assert queries.last_drill(actor=log).named == (
            "edit", "delete", "reorder", "truncate", "fork",
        )  # fmt: skip

    def test_fails_when_verification_misses_one(
        self, log: Actor, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        blind = ("edit", nothing, frozenset({"audit_event.envelope"}))
        monkeypatch.setattr(running, "DRILLS", (blind,))

        with pytest.raises(SystemExit) as ended:
            call_command("tamper_drill", "--tenant", str(log.tenant_id))

        assert ended.value.code == 1
        assert "MISSED: edit." in capsys.readouterr().out
        assert queries.last_drill(actor=log).missed == ("edit",)

    def test_says_when_there_is_no_log_to_copy(self, actor: Actor) -> None:
        with pytest.raises(CommandError, match="nothing to copy"):
            call_command("tamper_drill", "--tenant", str(actor.tenant_id))


class TestKeptCheckpoint:
    def test_shows_what_the_database_alone_cannot(
        self, log: Actor, tmp_path: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Somebody kept a longer tree than the database has, and another root of a shorter one."""
        proof = queries.proof(actor=log, index=0)
        lines = proof.note.split("\n")
        for size, expected in (("9000", "audit_head.size"), ("200", "audit_head.root")):
            kept = tmp_path / size
            kept.write_text("\n".join([lines[0], size, *lines[2:]]))
            with pytest.raises(SystemExit):
                call_command(
                    "verify_audit", "--tenant", str(log.tenant_id), "--checkpoint", str(kept)
                )
            assert f"{expected}: A checkpoint kept elsewhere" in capsys.readouterr().out
