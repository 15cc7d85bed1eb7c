"""`manage.py stop`: the way to stop when nothing else works; it needs PostgreSQL and nothing more.

It engages and never releases: a release is given by a person whom the console knows.
"""

import getpass
import time
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error
from typing_extensions import override

from agents.controls import commands, queries
from agents.controls.cards import SwitchCard
from agents.controls.forms import scope_of
from agents.controls.states import CONFIRM_WITHIN_S, Progress
from console.accounts.queries import tenant_directory
from console.kernel.actors import Actor, Link, system
from console.kernel.errors import ConsoleError

LOOK_EVERY_S: Final = 0.25


class Command(BaseCommand):
    help = "Stop a tenant, an agent, a tool or a run. Works with Redis, web and workers down."
    requires_system_checks = ()  # nothing may stand between an operator and the stop

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("scope", help="tenant, agent:SLUG, tool:NAME or run:ID")
        parser.add_argument("--reason", required=True, help="why; everybody reads it")
        parser.add_argument("--tenant", default="", help="slug; needed when there are several")
        parser.add_argument(
            "--wait",
            type=int,
            default=CONFIRM_WITHIN_S,
            help="seconds to watch for confirmations, 0 to 60",
        )

    @override
    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            actor = _operator(options["tenant"])
            card = commands.engage(
                actor=actor, scope=scope_of(options["scope"]), reason=options["reason"]
            )
        except ConsoleError as error:
            raise CommandError(f"{error.message} ({error.code})") from error
        except Error as error:
            raise CommandError(
                "PostgreSQL does not answer; create the stop file (SIGNALBOX_STOP_FILE) everywhere."
            ) from error
        self.stdout.write(f"stop ordered   {card.scope}")
        self.stdout.write(f"switch         {card.id}")
        self.stdout.write(f"epoch          {card.epoch}")
        self._watch(actor, card.id, min(max(options["wait"], 0), 60))

    def _watch(self, actor: Actor, switch_id: UUID, wait_s: int) -> None:
        """Say who confirmed; the stop stands whatever comes of this."""
        until = time.monotonic() + wait_s
        card = queries.switch(actor=actor, switch_id=switch_id)
        while card.confirmation.progress is not Progress.CONFIRMED and time.monotonic() < until:
            time.sleep(LOOK_EVERY_S)
            card = queries.switch(actor=actor, switch_id=switch_id)
        self._say(card)

    def _say(self, card: SwitchCard) -> None:
        got = card.confirmation
        self.stdout.write(f"{got.progress.value:<14} {got.confirmed} of {got.of} processes")
        for name in got.missing:
            self.stdout.write(f"not confirmed  {name}")
        if not got.barrier:
            self.stdout.write("still open     work that began before the stop; pulse ends it")
        if not got.of:
            self.stdout.write("nobody         no process is listening, so nothing can confirm it")


def _operator(slug: str) -> Actor:
    """Act as the operator of this machine's shell, by the name that the system gives."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown user"
    return replace(
        system("cli.stop", _tenant(slug)),
        label=f"manage.py stop by {user}",
        via=(Link(kind="shell", id=user, label=user),),
    )


def _tenant(slug: str) -> UUID:
    """Return the tenant that is meant; without a name there must be just one."""
    directory = tenant_directory()
    named = [one for one in directory if one.slug == slug or not slug]
    if len(named) == 1:
        return named[0].id
    known = ", ".join(one.slug for one in directory[:20]) or "none yet"
    raise CommandError(f"Nothing was stopped: name the tenant with --tenant; there are: {known}.")
