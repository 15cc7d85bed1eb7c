"""Fill the search table anew from sealed entries: `manage.py rebuild_audit_search`."""

from typing import Any

from django.core.management.base import BaseCommand
from typing_extensions import override

from audit.projection import Projector


class Command(BaseCommand):
    help = "Empty the search table of the trail and fill it again; the trail itself is untouched."

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{Projector().rebuild()} entries are searchable.")
