"""`manage.py add_tenant`: an organisation and its first administrator, for a real installation."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_slug
from typing_extensions import override

from console.accounts import commands
from console.accounts.cards import NewPerson
from console.accounts.states import Role
from console.kernel.actors import system
from console.kernel.errors import ConsoleError
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant


class Command(BaseCommand):
    help = "Make an organisation and its first administrator, whose password is printed once."

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", type=self._slug, help="short name, for example acme")
        parser.add_argument("name", help="name as people read it")
        parser.add_argument("--admin", required=True, help="e-mail address of the administrator")
        parser.add_argument("--admin-name", default="Administrator")

    @staticmethod
    def _slug(text: str) -> str:
        validate_slug(text)
        return text

    @override
    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            made = add(options["slug"], options["name"], options["admin"], options["admin_name"])
        except ConsoleError as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(f"{options['name']} is made; {options['admin']} administers it.")
        if made.password:
            self.stdout.write(f"Initial password, shown this once: {made.password}")
        else:
            self.stdout.write("This person has an account already; its password stays as it is.")


def add(slug: str, name: str, email: str, admin_name: str) -> NewPerson:
    """Make both in one transaction, so that no organisation is left without an administrator."""
    keeper = system("cli.add_tenant", uuid7())
    with in_tenant(keeper.tenant_id):
        commands.create_tenant(actor=keeper, slug=slug, name=name)
        return commands.add_person(
            actor=keeper,
            email=email,
            name=admin_name,
            roles=[Role.ADMIN, Role.AUDITOR],
        )
