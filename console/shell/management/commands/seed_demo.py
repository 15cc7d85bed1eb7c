"""`manage.py seed_demo`: two tenants, people, shop, agent and rules; into an empty database."""

from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from agents.runtime import commands as runtime
from agents.showcase.retail import commands as shop
from agents.showcase.retail.tools import DOMAIN
from agents.tools import registry
from approvals import commands as approvals
from console.accounts import commands as accounts
from console.accounts import queries
from console.accounts.cards import PersonCard
from console.kernel.actors import system
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant
from console.shell.management.demo import TENANTS, DemoTenant
from console.shell.management.rules import write_rules

AGENT = "support"
POLICY = Path(settings.BASE_DIR) / "agents" / "showcase" / "retail" / "data" / "policy.md"


class Command(BaseCommand):
    help = "Write the demo's tenants, people, shop and agent into an empty database."

    @override
    def handle(self, *_args: Any, **_options: Any) -> None:
        if settings.ENVIRONMENT == "production":
            raise CommandError("This is production; the demo's passwords are printed everywhere.")
        there = {card.slug for card in queries.tenants(actor=queries.DOOR)}
        if there - {tenant.slug for tenant in TENANTS}:
            self.stdout.write("There are tenants already; nothing was written.")
            return
        for tenant in TENANTS:
            if tenant.slug in there:
                self.stdout.write(f"{tenant.name} is there already.")
            else:
                write(tenant)
                self.stdout.write(f"{tenant.name} is written.")


def write(tenant: DemoTenant) -> UUID:
    """Write one tenant in one transaction, so that no start leaves half of it; return its id."""
    keeper = system("cli.seed_demo", uuid7())
    with in_tenant(keeper.tenant_id):
        accounts.create_tenant(actor=keeper, slug=tenant.slug, name=tenant.name)
        for slug, title in tenant.groups:
            accounts.create_group(actor=keeper, slug=slug, title=title)
        people = {
            person.name: accounts.add_person(
                actor=keeper,
                email=person.email(tenant.domain),
                name=person.name,
                roles=person.roles,
                groups=person.groups,
                password_hash=make_password(person.password),
            ).person
            for person in tenant.people
        }
        if tenant.has_shop:
            _open_shop(keeper.tenant_id, owner=people["Dana"])
            write_rules(keeper.tenant_id, people)
    return keeper.tenant_id


def _open_shop(tenant_id: UUID, *, owner: PersonCard) -> None:
    """Fill the shop, register its agent, and let the demo shop's page embed it."""
    keeper = system("cli.seed_demo", tenant_id)
    shop.seed_shop(actor=keeper)
    approvals.switch_checks(actor=keeper, is_on=True)
    runtime.register_agent(
        actor=keeper,
        slug=AGENT,
        title="Meridian support",
        owner=owner.id,
        owner_label=owner.name,
    )
    runtime.register_agent_version(
        actor=keeper,
        agent=AGENT,
        prompt=POLICY.read_text(encoding="utf-8"),
        tools=[tool.name for tool in registry.every(domain=DOMAIN)],
        plan_writes=True,
    )
    # The widget is the shell's neighbour, which it does not know: named here, not imported.
    widget = import_module("console.widget.commands")
    widget.create_key(
        actor=keeper,
        title="Shop help",
        agent=AGENT,
        origins=f"http://{settings.CONSOLE_HOST}:*",
    )
