"""Begin a new epoch after a logical restore: `manage.py audit_epoch --reason ...`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from psycopg import sql
from typing_extensions import override

from audit import direct


class Command(BaseCommand):
    help = (
        "Let transaction ids start anew: only after a logical restore. Waits for running writers."
    )
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own form

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reason", required=True)

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        with direct.connect("owner") as connection, connection.transaction():
            row = connection.execute("SELECT max(epoch) + 1 FROM audit_epoch").fetchone()
            epoch = row[0] if row else 1
            alter = sql.SQL("ALTER TABLE audit_event ALTER epoch SET DEFAULT {}")
            connection.execute(alter.format(sql.Literal(epoch)))
            connection.execute(
                """INSERT INTO audit_epoch (epoch, system_identifier, reason)
                   SELECT %s, system_identifier, %s FROM pg_control_system()""",
                [epoch, options["reason"]],
            )
        self.stdout.write(f"Epoch {epoch} has begun; the next round seals what older epochs left.")
