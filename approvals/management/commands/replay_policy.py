"""Ask a version of a policy about past calls, from the command line."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from typing_extensions import override

from approvals import commands
from approvals.cards import ReplayCard
from approvals.states import ReplaySays, ReplayState
from console.kernel import tenancy
from console.kernel.actors import Actor, system
from console.kernel.errors import ConsoleError, NotFound


class Command(BaseCommand):
    help = "Ask a version of a policy about the calls of the last days; nothing follows from it."

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", type=UUID, help="the id in the address of its page")
        parser.add_argument("--days", type=int, default=30)

    @override
    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            actor, card = self._begun(options["version"], options["days"])
            while card.state is ReplayState.RUNNING:
                self._tell(card)
                card = commands.advance_replay(actor=actor, replay_id=card.id)
        except ConsoleError as refusal:
            raise CommandError(refusal.message) from refusal
        self._tell(card, ending="\n")
        for says in ReplaySays:
            self.stdout.write(f"{says.value:>15} {card.counts.get(says.value, 0)}")
        self.stdout.write(f"{card.done} of {card.total} calls; {card.state.value}")

    def _tell(self, card: ReplayCard, *, ending: str = "\r") -> None:
        """Say on a terminal how far it is; a file gets the answer alone."""
        if self.stdout.isatty():
            self.stdout.write(f"{card.percent:>3} % of {card.total} calls", ending=ending)
            self.stdout.flush()

    def _begun(self, version_id: UUID, days: int) -> tuple[Actor, ReplayCard]:
        """Find the tenant that has this version; ids tell of no tenant."""
        for each in tenancy.every_tenant(reason="the id of a version names no tenant"):
            actor = system("cli.replay", each)
            try:
                card = commands.start_replay(actor=actor, version_id=version_id, days=days)
            except NotFound:
                continue
            return actor, card
        raise CommandError("There is no such version; copy the id from the address of its page.")
