"""Replay tasks of the retail data set through the real tools and the real approval queue."""

import json
import os
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from typing_extensions import override

from agents.showcase.replay import tasks, workers
from console.kernel.errors import ConsoleError

MOST_WORKERS: Final = 4


class Command(BaseCommand):
    help = (
        "Play every reference action in a tenant of its own: each write becomes a proposal, two "
        "reviewers vote, and the shop's state is compared. Exits 0 only if all expectations hold."
    )

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tasks", type=Path, help="tasks.json, or bulk_tasks.jsonl")
        parser.add_argument("--expected", type=Path, help="outcomes, if they are not inline")
        parser.add_argument(
            "--workers",
            type=int,
            choices=range(1, MOST_WORKERS + 1),
            default=min(os.cpu_count() or 1, MOST_WORKERS),
            help="processes to share the tasks among, each with a tenant of its own",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object instead")

    @override
    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            loaded = tasks.load(options["tasks"], options["expected"])
            found = workers.replay(loaded, workers=options["workers"], told=self.stderr.write)
        except ConsoleError as refusal:
            raise CommandError(refusal.message) from refusal
        if options["json"]:
            self.stdout.write(json.dumps(found.body(), indent=2))
        else:
            self.stdout.write("\n".join(found.lines()))
        if not found.holds:
            raise CommandError("Not every expectation holds; see the lines above.")
