"""Check what the roles could do to the trail: `manage.py check_grants [--json]`."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from typing_extensions import override

from audit import direct, guards


class Command(BaseCommand):
    help = "Name every way in which a role or the server could alter or lose the trail."
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own form

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the drifts as JSON")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        with direct.connect("default") as connection:
            looked = guards.looked_at(connection)
            drifts = guards.look(connection)
        if options["json"]:
            self.stdout.write(json.dumps([asdict(drift) for drift in drifts]))
        else:
            self._print(looked, drifts)
        if drifts:
            raise SystemExit(1)

    def _print(self, looked: guards.Looked, drifts: tuple[guards.Drift, ...]) -> None:
        for drift in drifts:
            self.stdout.write(f"DRIFT {drift.sentence}\n      Do: {drift.remedy}")
        self.stdout.write(
            f"Looked at {', '.join(looked.roles)}: {len(looked.trail)} tables of the trail, "
            f"{len(looked.governed)} governed tables."
        )
        if any(drift.reach for drift in drifts):
            self.stdout.write("self-attested: the application could alter its own trail")
        elif not drifts:
            self.stdout.write("Nothing has drifted.")
