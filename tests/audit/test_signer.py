"""The signer signs what stored bytes lead to, once, and nothing smaller or different."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from audit import notes
from audit.errors import CannotSign
from audit.signer import Signed, Signer, SignerFiles
from console.kernel.actors import Actor
from tests.audit.facts import log_of, note, person, seal

Login = Callable[[str], "psycopg.Connection[Any]"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "signer"


@pytest.fixture
def signer(folder: Path, login: Login) -> Signer:
    return Signer(login("signer"), folder=folder)


def checkpoints(login: Login, actor: Actor) -> list[tuple[int, str, str]]:
    query = "SELECT size, note, vkey FROM audit_checkpoint WHERE log_id = %s ORDER BY size"
    return login("owner").execute(query, [log_of(actor)]).fetchall()


class TestSignHeads:
    def test_writes_a_note_that_its_key_opens(
        self, signer: Signer, actor: Actor, login: Login
    ) -> None:
        note(actor=actor, n=5)
        seal()

        assert signer.sign_heads(only=[log_of(actor)]) == 1

        ((size, text, vkey),) = checkpoints(login, actor)
        body, key = notes.opened(text, keys=[notes.VerifierKey.parse(vkey)])
        signed = notes.Checkpoint.parse(body)
        assert size == signed.size == 5
        assert signed.origin == key.name
        assert signed.origin.endswith(f"/t/{actor.tenant_id.hex}")

    def test_signs_a_head_once(self, signer: Signer, actor: Actor, login: Login) -> None:
        note(actor=actor)
        seal()
        only = [log_of(actor)]

        assert [signer.sign_heads(only=only) for _ in range(3)] == [1, 0, 0]

    def test_goes_on_from_where_it_was(self, signer: Signer, actor: Actor, login: Login) -> None:
        for count in (3, 300, 1):
            note(actor=actor, n=count)
            seal()
            signer.sign_heads(only=[log_of(actor)])

        assert [size for size, *_ in checkpoints(login, actor)] == [3, 303, 304]

    def test_signs_the_meta_log_too(self, signer: Signer, actor: Actor, login: Login) -> None:
        note(actor=actor)
        seal()
        meta = "SELECT id FROM audit_log WHERE kind = 'meta'"
        row = login("owner").execute(meta).fetchone()
        assert row is not None
        signer.sign_heads(only=[row[0]])

        assert signer.sign_heads(only=[row[0]]) == 0

    def test_signs_again_what_it_remembered_and_was_killed_before_inserting(
        self, signer: Signer, actor: Actor, folder: Path, login: Login
    ) -> None:
        note(actor=actor, n=2)
        seal()
        broken = Signer(login("signer"), folder=folder)
        broken._insert = _die  # type: ignore[method-assign,assignment]
        with pytest.raises(KeyboardInterrupt):
            broken.sign_heads(only=[log_of(actor)])
        assert checkpoints(login, actor) == []
        note(actor=actor, n=2)
        seal()

        assert signer.sign_heads(only=[log_of(actor)]) == 2
        assert [size for size, *_ in checkpoints(login, actor)] == [2, 4]

    def test_stops_at_a_flipped_bit(self, signer: Signer, actor: Actor, login: Login) -> None:
        note(actor=actor, n=4)
        seal()
        log_id = log_of(actor)
        with login("owner") as owner, owner.transaction(force_rollback=True):
            owner.execute("ALTER TABLE audit_event DISABLE TRIGGER append_only")
            owner.execute(
                """UPDATE audit_event
                      SET envelope = set_byte(envelope, 40, get_byte(envelope, 40) # 1)
                    WHERE id = (SELECT event_id FROM audit_entry
                                 WHERE log_id = %s AND index = 2)""",
                [log_id],
            )
            with pytest.raises(CannotSign, match="do not lead to its head"):
                Signer(owner, folder=signer.files.folder).sign_heads(only=[log_id])

        assert signer.files.state(_origin(login, actor)) is None
        assert checkpoints(login, actor) == []

    @pytest.mark.parametrize(
        "sql",
        [
            "DELETE FROM audit_entry WHERE log_id = %s AND index = 1",
            "UPDATE audit_head SET root = sha256('x') WHERE log_id = %s",
        ],
    )
    def test_refuses_a_hole_and_another_root(
        self, signer: Signer, actor: Actor, login: Login, sql: str
    ) -> None:
        note(actor=actor, n=3)
        seal()
        with login("owner") as owner, owner.transaction(force_rollback=True):
            owner.execute("ALTER TABLE audit_entry DISABLE TRIGGER append_only")
            owner.execute("ALTER TABLE audit_head DISABLE TRIGGER append_only")
            owner.execute(sql, [log_of(actor)])
            with pytest.raises(CannotSign):
                Signer(owner, folder=signer.files.folder).sign_heads(only=[log_of(actor)])

    def test_never_signs_a_smaller_tree(self, signer: Signer, actor: Actor, login: Login) -> None:
        note(actor=actor, n=3)
        seal()
        signer.sign_heads(only=[log_of(actor)])
        note(actor=actor, n=3)
        seal()
        signer.sign_heads(only=[log_of(actor)])
        with login("owner") as owner, owner.transaction(force_rollback=True):
            owner.execute("ALTER TABLE audit_head DISABLE TRIGGER append_only")
            owner.execute("DELETE FROM audit_head WHERE log_id = %s AND size = 6", [log_of(actor)])
            with pytest.raises(CannotSign, match="rollback detected"):
                Signer(owner, folder=signer.files.folder).sign_heads(only=[log_of(actor)])

    def test_signs_the_other_logs_before_it_complains(
        self, signer: Signer, actor: Actor, login: Login
    ) -> None:
        good = person()
        note(actor=actor, n=2)
        note(actor=good, n=2)
        seal()
        _forget_first(signer.files, _origin(login, actor))

        with pytest.raises(CannotSign) as caught:
            signer.sign_heads(only=[log_of(actor), log_of(good)])

        assert caught.value.details["refused_count"] == 1
        assert len(checkpoints(login, good)) == 1

    def test_checks_older_notes_when_its_files_are_lost(
        self, signer: Signer, actor: Actor, login: Login, tmp_path: Path
    ) -> None:
        note(actor=actor, n=3)
        seal()
        signer.sign_heads(only=[log_of(actor)])
        note(actor=actor, n=1)
        seal()
        with login("owner") as owner, owner.transaction(force_rollback=True):
            owner.execute("ALTER TABLE audit_checkpoint DISABLE TRIGGER append_only")
            owner.execute(
                "UPDATE audit_checkpoint SET root = sha256('x') WHERE log_id = %s", [log_of(actor)]
            )
            with pytest.raises(CannotSign, match="another root at size 3"):
                Signer(owner, folder=tmp_path / "new").sign_heads(only=[log_of(actor)])


class TestSignerFiles:
    def test_makes_a_key_that_only_its_owner_reads(self, folder: Path) -> None:
        """Others pass the folder, to what was signed; they cannot list it and not read the key."""
        files = SignerFiles(folder)
        state = Signed(origin="o", size=1, root=b"r" * 32, edge=(b"r" * 32,))
        with files.locked():
            first = files.key().private_bytes_raw()
            files.swap(None, state)

        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
        assert modes.pop("signer.key") == modes.pop("signer.lock") == 0o600
        assert set(modes.values()) == {0o644}
        assert stat.S_IMODE(folder.stat().st_mode) == 0o711
        with files.locked():
            assert SignerFiles(folder).key().private_bytes_raw() == first

    def test_lets_one_signer_in(self, folder: Path) -> None:
        with SignerFiles(folder).locked() as first, SignerFiles(folder).locked() as second:
            assert (first, second) == (True, False)

    def test_refuses_to_overwrite_what_it_did_not_read(self, folder: Path) -> None:
        one, other = SignerFiles(folder), SignerFiles(folder)
        state = Signed(origin="o", size=1, root=b"r" * 32, edge=(b"r" * 32,))
        with one.locked():
            one.swap(None, state)
            with pytest.raises(CannotSign, match="Another signer"):
                other.swap(None, state)


def _die(*_args: object) -> int:
    raise KeyboardInterrupt


def _origin(login: Login, actor: Actor) -> str:
    query = "SELECT origin FROM audit_log WHERE id = %s"
    row = login("owner").execute(query, [log_of(actor)]).fetchone()
    assert row is not None
    return str(row[0])


def _forget_first(files: SignerFiles, origin: str) -> None:
    """Let the file say that a longer tree was signed already."""
    with files.locked():
        files.key()
    state = {"origin": origin, "size": 9, "root": "00" * 32, "edge": ["00" * 32] * 2}
    files._state_path(origin).write_text(json.dumps(state))
