"""kill -9 of the sealing process: the round is there whole or not at all, the next goes on."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from audit import direct
from tests.audit.facts import found_wrong, log_of, note, person, seal, sign

ROOT = Path(__file__).resolve().parents[2]
SEALS_FOR_EVER = """
import os, sys, django
django.setup()
from audit.growing import Logs
from audit.sealing import Sealer, _Round
where = sys.argv[1]
holder = _Round if hasattr(_Round, where) else Logs
original = getattr(holder, where)
def die(self, *args):
    result = original(self, *args)
    if sys.argv[2] == "after":
        print("here", flush=True)
        os.kill(os.getpid(), 19)
    return result
setattr(holder, where, die)
Sealer().run_round()
"""


def kill_while_in(step: str) -> None:
    """Let a process seal, stop it right after a step of the round, then kill it there."""
    process = subprocess.Popen(
        [sys.executable, "-c", SEALS_FOR_EVER, step, "after"],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "console.settings"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "here"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()


class TestKilledSealer:
    def test_leaves_a_whole_round_or_none(self) -> None:
        actor = person()
        expected = 0
        for step in ("_append", "_write_head", "_write_round"):
            note(actor=actor, n=150)
            expected += 150
            kill_while_in(step)
            seal()
            sign(actor)
            with direct.connect("owner") as owner:
                row = owner.execute(
                    "SELECT count(*), max(index) + 1 FROM audit_entry WHERE log_id = %s",
                    [log_of(actor)],
                ).fetchone()
                assert row == (expected, expected), step
        with direct.connect("signer") as signer:
            assert found_wrong(signer, actor) == set()
