"""Check an evidence bundle by the one file that is in it: `manage.py verify_bundle FILE`."""

import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from typing_extensions import override

from audit.verifier import onefile


class Command(BaseCommand):
    help = "Check an evidence bundle; exit 0 witnessed, 2 self-attested, 1 failed, 3 incomplete."
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own form

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the zip, or the folder it was unpacked into")
        parser.add_argument("--key", action="append", default=[], help="a verifier key to trust")
        parser.add_argument("--known", action="append", default=[], help="a checkpoint kept before")
        parser.add_argument("--witnesses", type=int, default=1, help="how many are needed")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        given = [part for name in ("key", "known") for one in options[name]
                 for part in (f"--{name}", one)]  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder, "verify.py")
            program.write_text(onefile.verify_py(), encoding="utf-8")
            # In a process of its own, isolated as with an auditor: nothing of ours can help it.
            done = subprocess.run(  # noqa: S603 - our own file
                [sys.executable, "-I", str(program), str(options["file"].resolve()), *given,
                 "--witnesses", str(options["witnesses"])],
                check=False,
            )  # fmt: skip
        raise SystemExit(done.returncode)
