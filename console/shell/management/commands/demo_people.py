"""`manage.py demo_people [--json]`: who can sign in to the demo, with which password."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from typing_extensions import override

from console.accounts import queries
from console.shell.management.demo import TENANTS

CHANGED = "(changed)"


class Command(BaseCommand):
    help = "Print the demo's people, their roles and the passwords that still fit."

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs")

    @override
    def handle(self, *_args: Any, **options: Any) -> None:
        people = _people()
        if options["json"]:
            self.stdout.write(json.dumps(people))
            return
        for person in people:
            roles = " + ".join(person["roles"])
            self.stdout.write(f"{person['email']:<28} {person['password']:<32} {roles}")


def _people() -> list[dict[str, Any]]:
    known = {
        person.email(tenant.domain): (tenant, person)
        for tenant in TENANTS
        for person in tenant.people
    }
    found = []
    for card in queries.demo_people(actor=queries.DOOR):
        if card.email not in known:
            continue
        tenant, person = known[card.email]
        fits = queries.password_fits(person_id=card.id, password=person.password)
        found.append(
            {
                "name": card.name,
                "email": card.email,
                "roles": [role.value for role in card.roles],
                "groups": list(person.groups),
                "tenant": tenant.name,
                "password": person.password if fits else CHANGED,
            }
        )
    return found
