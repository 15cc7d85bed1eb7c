"""`manage.py`: finds or starts the servers, then lets Django do what was asked."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from django.core.management import execute_from_command_line

from console.local import databases, environment, places
from console.local.environment import Environment, Source
from console.local.errors import CannotStart
from console.local.preparing import ROLES_REFUSED
from console.local.supervisor import Supervisor

# Whoever owns the tables; everybody else is bound by row-level security.
AS_OWNER = frozenset({"migrate", "makemigrations", "roles", "sqlmigrate", "showmigrations"})
WITHOUT_SERVERS = frozenset({"help", "version", "--help", "-h", "--version"})
ONLY_LOOKS = frozenset({"--plan", "--check", "--help", "-h"})
DEFAULT_PORT = 8000


def main(arguments: Sequence[str]) -> None:
    """Do one command and end the process with its exit code."""
    command = arguments[1] if len(arguments) > 1 else "help"
    try:
        if command == "serve":
            _serve(arguments[2:])
        elif command in WITHOUT_SERVERS:
            os.environ.setdefault("DATABASE_URL", "postgresql:///signalbox")
            _django(arguments)
        else:
            _with_servers(command, arguments)
    except CannotStart as refused:
        sys.exit(f"Cannot start: {refused}")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


def _serve(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="manage.py serve", description="Run everything.")
    port = int(os.environ.get("SIGNALBOX_PORT") or DEFAULT_PORT)
    parser.add_argument("--port", type=int, default=port, help="the first port to try")
    parser.add_argument("--no-demo", action="store_true", help="write no demo data")
    options = parser.parse_args(arguments)
    place = places.at(places.default_local())
    Supervisor(place, first_port=options.port, seed=not options.no_demo).run()


def _with_servers(command: str, arguments: Sequence[str]) -> None:
    found = environment.read(os.environ, places.at(places.default_local()))
    with found.servers:
        os.environ.update(found.urls())
        if found.servers.redis_refused:
            print(f"Going on without Redis: {found.servers.redis_refused}", file=sys.stderr)
        if command in AS_OWNER:
            os.environ["SIGNALBOX_AS_OWNER"] = "1"
        if found.source is Source.EMBEDDED:
            _ensure_database(found)
        _do(command, arguments, found)


def _do(command: str, arguments: Sequence[str], found: Environment) -> None:
    if command == "roles":
        _roles(arguments, found)
        return
    _django(arguments)
    looks_only = bool(ONLY_LOOKS.intersection(arguments))
    if command == "migrate" and found.source is not Source.ALL_GIVEN and not looks_only:
        _roles([arguments[0], "roles"], found)


def _roles(arguments: Sequence[str], found: Environment) -> None:
    """Prepare the roles, and remember when the owner may not: then we log in as the owner."""
    try:
        _django(arguments)
    except SystemExit as end:
        found.mark_unbound(unbound=end.code == ROLES_REFUSED)
        raise
    found.mark_unbound(unbound=False)


def _ensure_database(found: Environment) -> None:
    databases.ensure(found.owner_url)


def _django(arguments: Sequence[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    execute_from_command_line(list(arguments))
