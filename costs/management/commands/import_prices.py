"""`manage.py import_prices FILE`: take in a newer list of prices, without a network."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from typing_extensions import override

from console.accounts.queries import tenant_directory
from console.kernel.actors import system
from console.kernel.errors import ConsoleError
from costs import commands


class Command(BaseCommand):
    help = "Take in a list of prices (form signalbox-prices-1); booked amounts do not change."

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    @override
    def handle(self, *_args: Any, **options: Any) -> None:
        directory = tenant_directory()
        if not directory:
            raise CommandError(
                "There is no tenant yet whose trail could record it; make one first."
            )
        try:
            document = options["file"].read_text(encoding="utf-8")
            # The list is shared; the oldest tenant, of whoever set this up, keeps the record of it.
            card = commands.import_prices(
                actor=system("cli.import_prices", directory[0].id), document=document
            )
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"The file cannot be read: {error}.") from error
        except ConsoleError as error:
            raise CommandError(f"{error.message} ({error.code})") from error
        words = "was taken in before" if card.repeated else f"{card.added} rows taken in"
        self.stdout.write(f"import {card.batch_no}: {words}")
