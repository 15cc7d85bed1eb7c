"""Tamper with a disposable copy of a log and see it named: `manage.py tamper_drill`."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

import psycopg
from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from audit import alarms, direct
from audit.cards import DrillCard
from audit.drills import TooSmall, drill
from console.kernel.actors import system


class Command(BaseCommand):
    help = "Edit, delete, reorder, truncate and fork a disposable copy; each must be named."
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own form

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", type=UUID, help="the id of the tenant whose log is copied")
        parser.add_argument("--entries", type=int, default=2_000, help="copy at most so many")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with direct.connect("signer") as reader, direct.connect("owner") as owner:
                sample, cards = drill(
                    reader=reader,
                    owner=owner,
                    tenant_id=options["tenant"],
                    most=options["entries"],
                )
        except TooSmall as refused:
            raise CommandError(
                "No log has a signed checkpoint over 2 entries or more, so there is nothing to "
                "copy; let pulse and the signer run first, or allow more --entries."
            ) from refused
        except psycopg.errors.InsufficientPrivilege as refused:
            raise CommandError(
                f"Only the owner of the tables can make the copy ({str(refused).strip()}); set "
                "SIGNALBOX_OWNER_URL to its login."
            ) from refused
        self.stdout.write(f"A copy of the first {sample.size} entries of {sample.origin}.")
        self._print(cards)
        actor = system("audit.drill", sample.tenant_id)
        alarms.tell_of_drill(actor=actor, entry_count=sample.size, cards=cards)
        alarms.keep_seen(alarms.DRILL, {"cards": [[card.name, card.passed] for card in cards]})
        if not all(card.passed for card in cards):
            raise SystemExit(1)

    def _print(self, cards: tuple[DrillCard, ...]) -> None:
        for card in cards:
            word = "named" if card.passed and card.name != "nothing" else ""
            word = word or ("quiet" if card.passed else "MISSED")
            self.stdout.write(f"{card.name:<9} {word:<7} {card.said}")
        missed = [card.name for card in cards if not card.passed]
        self.stdout.write(
            f"MISSED: {', '.join(missed)}." if missed else "Each was named; the copy is gone."
        )
