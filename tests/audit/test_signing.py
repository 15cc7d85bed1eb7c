"""The signer's own process is small, alone with the key, and missed when it does not sign."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from audit import queries
from audit.alarms import SignerWatch
from console.kernel.actors import Actor
from console.local.health import signer_signs
from tests.audit.facts import note, seal, sign

Login = Callable[[str], "psycopg.Connection[Any]"]
ROOT = Path(__file__).resolve().parents[2]


class TestProcess:
    def test_loads_nothing_of_the_product_but_the_signer(self) -> None:
        look = (
            "import sys, audit.signing; from django.apps import apps; print(apps.ready, sorted("
            "name for name in sys.modules if name.split('.')[0] in {'celery', 'channels', "
            "'rest_framework', 'agents', 'approvals', 'costs', 'anthropic', 'plotly'} "
            "or name.endswith('.models')))"
        )
        said = subprocess.run(
            [sys.executable, "-c", look], check=True, capture_output=True, text=True, cwd=ROOT
        )
        assert said.stdout in {"False ['django.db.models']\n", "False []\n"}


class TestHealth:
    def test_is_the_time_of_the_newest_pass(self, tmp_path: Path) -> None:
        assert not signer_signs(tmp_path)
        (tmp_path / "signer.alive").touch()
        assert signer_signs(tmp_path)


class TestSignerWatch:
    def test_tells_when_nobody_signs_and_when_somebody_does_again(
        self, login: Login, actor: Actor
    ) -> None:
        watch, sealer = SignerWatch(), login("sealer")
        watch._behind = set()  # every other tenant of the tests is left out
        note(actor=actor)
        seal()

        watch.look(sealer, after_s=time.time())
        patient = queries.alarms(actor=actor)
        watch.look(sealer, after_s=0)
        (card,) = queries.alarms(actor=actor)
        sign(actor)
        watch.look(sealer, after_s=0)

        assert patient == ()
        assert card.code == "signer"
        assert "are not signed" in card.sentences[0]
        assert queries.alarms(actor=actor) == ()
