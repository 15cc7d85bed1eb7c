"""`manage.py signer`: sign checkpoints until told to end; see `audit/signing.py`."""

from typing import Any

from django.core.management.base import BaseCommand
from typing_extensions import override

from audit import signing
from console.kernel.checks import require_sound


class Command(BaseCommand):
    help = "Rebuild every new head from stored bytes and sign it; the one process with the key."
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own form

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        require_sound()
        signing.main()
