"""The scripts around the Makefile, as far as they can be looked at without installing anything."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from console.local.places import ROOT

SCRIPTS = [".ci/run", "console/local/setup.sh", "console/local/tools.sh"]


def run(*command: str, folder: Path = ROOT, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        # PYTHON would choose the interpreter, for instance of `make test PYTHON=…`.
        env={name: value for name, value in os.environ.items() if name != "PYTHON"} | more,
    )


@pytest.mark.parametrize("name", SCRIPTS)
class TestScript:
    def test_is_correct_bash_and_may_be_run(self, name: str) -> None:
        assert run("bash", "-n", name).returncode == 0
        assert os.access(ROOT / name, os.X_OK)


class TestMakefile:
    @pytest.mark.parametrize("target", ["setup", "run", "test", "check", "lint", "format", "bench"])
    def test_has_the_target(self, target: str) -> None:
        planned = run("make", "--dry-run", "--no-print-directory", target)

        assert planned.returncode == 0, planned.stderr

    def test_checks_all_that_the_design_asks_for(self) -> None:
        planned = run("make", "--dry-run", "--no-print-directory", "check").stdout

        for word in ("ruff check", "ruff format --check", "mypy", "importlinter", "djhtml --check"):
            assert word in planned
        for word in ("makemigrations --check", "spectacular --validate", "node --check"):
            assert word in planned


class TestSetup:
    @pytest.fixture
    def clone(self, tmp_path: Path) -> Path:
        """Return a checkout whose `.venv` is made already, as far as the stamp can tell."""
        for name in ("requirements.lock", "requirements-dev.lock"):
            tmp_path.joinpath(name).write_text("# nothing to install\n")
        tmp_path.joinpath("console/local").mkdir(parents=True)
        shutil.copy(ROOT / "console/local/setup.sh", tmp_path / "console/local")
        return tmp_path

    def setup(self, clone: Path, **more: str) -> "subprocess.CompletedProcess[str]":
        return run("bash", "console/local/setup.sh", folder=clone, **more)

    def test_installs_once_and_again_only_when_the_lists_change(self, clone: Path) -> None:
        first, second = self.setup(clone), self.setup(clone)
        clone.joinpath("requirements.lock").write_text("# changed\n")
        third = self.setup(clone)

        assert [one.returncode for one in (first, second, third)] == [0, 0, 0], first.stderr
        said = ["Installing" in one.stderr for one in (first, second, third)]
        assert said == [True, False, True]

    def test_says_what_it_needs_when_no_python_is_new_enough(self, clone: Path) -> None:
        tools = clone / "bin"
        tools.mkdir()
        for name in ("bash", "dirname"):
            tools.joinpath(name).symlink_to(str(shutil.which(name)))

        refused = self.setup(clone, PATH=str(tools))

        assert refused.returncode == 1
        assert "Python 3.11 or newer is needed" in refused.stderr


class TestTools:
    def test_says_how_to_get_a_program_when_it_may_not_install_it(self, tmp_path: Path) -> None:
        for name in ("bash", "id"):
            tmp_path.joinpath(name).symlink_to(str(shutil.which(name)))

        refused = run("bash", "console/local/tools.sh", "chromium", "node", PATH=str(tmp_path))

        assert refused.returncode == 1
        assert "sudo apt-get install chromium fonts-liberation nodejs" in refused.stderr
