"""Verify the trail from its bytes: `manage.py verify_audit [--tenant id] [--key vkey] [--json]`."""

import json
from argparse import ArgumentParser
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from audit import direct, notes, signer
from audit.cards import VerificationReport
from audit.verification import Verification


class Command(BaseCommand):
    help = "Recompute every leaf, root and tile from stored bytes, and check every signature."
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own form

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", default="", help="the id of one tenant, or its slug")
        parser.add_argument("--key", action="append", default=[], help="a verifier key to trust")
        parser.add_argument(
            "--checkpoint", action="append", default=[], help="a file with one kept elsewhere"
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        given = [_key(text) for text in options["key"]]
        held = [_checkpoint(path) for path in options["checkpoint"]]
        with direct.connect("signer") as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            tenant_id = _tenant(connection, options["tenant"])

            def keys(origin: str) -> list[notes.VerifierKey]:
                own = signer.trusted_key(origin)
                return [*given, *([own] if own else [])]

            # Read before the snapshot, or a head that is signed meanwhile would look lost.
            held += _remembered(connection)

            def kept(origin: str) -> list[notes.Checkpoint]:
                return [one for one in held if one.origin == origin]

            with connection.transaction():
                report = Verification(connection, keys=keys, tenant_id=tenant_id, kept=kept).run()
        if options["json"]:
            self.stdout.write(json.dumps({"holds": report.holds, **asdict(report)}))
        else:
            self._print(report)
        if not report.holds:
            raise SystemExit(1)

    def _print(self, report: VerificationReport) -> None:
        for wrong in report.mismatches:
            place = "" if wrong.index is None else f" #{wrong.index}"
            self.stdout.write(
                f"MISMATCH tenant {wrong.tenant_id or '-'}{place} {wrong.field}: {wrong.sentence}"
            )
        self.stdout.write(
            f"{report.logs} logs, {report.entries} entries, {report.unsealed} events not yet "
            f"sealed, {report.heads} heads, {report.tiles} tiles, "
            f"{report.checkpoints} signed checkpoints, {report.meta_leaves} meta leaves."
        )
        if report.holds:
            self.stdout.write("Verified. No witness has seen it: self-attested.")
        else:
            self.stdout.write(f"NOT verified: {len(report.mismatches)} mismatches.")


def _key(text: str) -> notes.VerifierKey:
    try:
        return notes.VerifierKey.parse(text)
    except notes.BadNote as problem:
        raise CommandError(f"{text}: {problem}") from problem


def _checkpoint(path: str) -> notes.Checkpoint:
    """Read a checkpoint that was kept elsewhere; whoever kept it vouches for it."""
    try:
        text = Path(path).read_text(encoding="utf-8")
        return notes.Checkpoint.parse(text.rpartition("\n\n")[0] + "\n")
    except (OSError, ValueError) as problem:
        raise CommandError(f"{path}: {problem}") from problem


def _remembered(connection: "psycopg.Connection[Any]") -> list[notes.Checkpoint]:
    """Return what the signer of this machine remembers of each log, if that can be read here."""
    rows = connection.execute("SELECT origin FROM audit_log").fetchall()
    states = [signer.signed_state(origin) for (origin,) in rows]
    return [state.checkpoint() for state in states if state is not None]


def _tenant(connection: "psycopg.Connection[Any]", text: str) -> UUID | None:
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        pass
    # The trail knows ids only; a slug is looked up in what was recorded when the tenant was made.
    rows = connection.execute(
        """SELECT tenant_id, envelope FROM audit_event
            WHERE position('"action":"tenant.'::bytea IN envelope) > 0
              AND position(convert_to(%s, 'UTF8') IN envelope) > 0 ORDER BY id""",
        [text],
    )
    for tenant_id, raw in rows:
        with suppress(ValueError, AttributeError):
            if json.loads(bytes(raw)).get("bind", {}).get("slug") == text:
                found: UUID = tenant_id
                return found
    raise CommandError(f"No tenant {text} is in the trail; give the tenant's id.")
