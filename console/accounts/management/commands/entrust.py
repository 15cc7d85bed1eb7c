"""`manage.py entrust`: the way back when everybody who could agree to a reviewer has left."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from console.accounts import commands, queries
from console.kernel.actors import Actor, system
from console.kernel.errors import ConsoleError


class Command(BaseCommand):
    help = (
        "Make a member a reviewer, with groups. People do this on the page of a person, where two "
        "agree; this is for when there are no two. The trail names the command line."
    )

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="short name of the organisation")
        parser.add_argument("email", help="address of the member")
        parser.add_argument("--group", action="append", default=[], help="may be given again")

    @override
    def handle(self, *_args: Any, **options: Any) -> None:
        actor = self._keeper(options["tenant"])
        wanted = options["email"].strip().lower()
        found = queries.member_by_email(actor=actor, email=wanted)
        if found is None:
            raise CommandError("There is no such member; add them on the page of people first.")
        try:
            card = commands.entrust(actor=actor, person_id=found, groups=options["group"])
        except ConsoleError as refusal:
            raise CommandError(refusal.message) from refusal
        groups = ", ".join(card.groups) or "no group"
        self.stdout.write(f"{card.name} is a reviewer now, of {groups}.")

    @staticmethod
    def _keeper(slug: str) -> Actor:
        for each in queries.tenants(actor=queries.DOOR):
            if each.slug == slug:
                return system("cli.entrust", each.id)
        raise CommandError("There is no such organisation; look at its short name.")
