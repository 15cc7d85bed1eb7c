"""kill -9 of the signer before it could insert: started again, it signs the same bytes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from django.conf import settings

from audit import direct, notes
from audit.signer import SignerFiles
from tests.audit.facts import log_of, note, person, seal

ROOT = Path(__file__).resolve().parents[2]
# The process itself, only kept to one log: the others are other tests'.
SIGNS = """
import os, sys
from uuid import UUID
from audit import signing
from audit.signer import Signer
heads = Signer._heads
Signer._heads = lambda self, only: heads(self, [UUID(sys.argv[1])])
if sys.argv[2] == "dies":
    Signer._insert = lambda *_: os.kill(os.getpid(), 9)
signing.main()
"""


def start(log_id: object, how: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", SIGNS, str(log_id), how],
        cwd=ROOT,
        env={**os.environ, "SIGNALBOX_SIGNER_DIR": str(settings.SIGNALBOX_SIGNER_DIR)},
    )


class TestKilledSigner:
    def test_signs_the_same_bytes_again(self) -> None:
        actor = person()
        note(actor=actor, n=2)
        seal()
        log_id = log_of(actor)
        query = "SELECT size, note FROM audit_checkpoint WHERE log_id = %s ORDER BY size"

        assert start(log_id, "dies").wait(60) == -signal.SIGKILL
        with direct.connect("signer") as db:
            row = db.execute("SELECT origin FROM audit_log WHERE id = %s", [log_id]).fetchone()
            assert row is not None
            files = SignerFiles(Path(settings.SIGNALBOX_SIGNER_DIR))
            state = files.state(row[0])
            assert state is not None
            assert (state.size, db.execute(query, [log_id]).fetchall()) == (2, [])

            note(actor=actor, n=3)
            seal()
            process = start(log_id, "signs")
            deadline = time.monotonic() + 60
            while len(found := db.execute(query, [log_id]).fetchall()) < 2:
                assert time.monotonic() < deadline
                time.sleep(0.02)  # a poll with a deadline, not a race
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0

        assert [size for size, _ in found] == [2, 5]
        body = state.checkpoint().body()
        assert found[0][1] == notes.sign(body, key=files.key(), name=state.origin)
