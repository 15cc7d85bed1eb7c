"""The import ladder holds, and nobody goes round it."""

import subprocess
import sys
from pathlib import Path

from tests.architecture.tree import ROOT, name_of, python_files


class TestLadder:
    def test_every_import_contract_is_kept(self) -> None:
        lint_imports = Path(sys.executable).with_name("lint-imports")
        done = subprocess.run(
            [str(lint_imports), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-3000:]

    def test_nobody_uses_signals(self) -> None:
        users = [
            name_of(path)
            for path in python_files()
            if "django.db.models.signals" in path.read_text()
            or "django.dispatch" in path.read_text()
        ]
        assert users == []

    def test_no_room_is_a_cellar(self) -> None:
        cellars = {"utils", "helpers", "common", "core", "misc"}
        found = [name_of(path) for path in python_files() if cellars & {path.stem, *path.parts}]
        assert found == []
