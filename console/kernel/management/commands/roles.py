"""`manage.py roles`: let the roles that row-level security binds log in with the passwords we use.

The first migration makes the roles without a login. This gives each one the password of the URL
that names it, so the server and the environment agree; without a password in the URL (the kernel
or a certificate tells who connects) there is none.
"""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connections
from django.db.backends.utils import CursorWrapper
from psycopg import errors, sql
from typing_extensions import override

from console.kernel import env

MAY_NOT = 3  # the exit code that console.local takes for "log in as the owner, and say so"
TRIES = 20
ROLES = {
    "signalbox_app": "DATABASE_URL",
    "signalbox_sealer": "SIGNALBOX_SEALER_URL",
    "signalbox_signer": "SIGNALBOX_SIGNER_URL",
}


class Command(BaseCommand):
    help = "Let the roles of this product log in, with the passwords in the environment."

    @override
    def handle(self, *_args: Any, **_options: Any) -> None:
        for role, variable in ROLES.items():
            if not env.text(variable):
                self.stdout.write(f"{role}: left as it is, {variable} is not set")
                continue
            login = env.postgres(variable)
            if login["USER"] != role:
                raise CommandError(
                    f"{variable} logs in as {login['USER']}, which this command leaves alone; "
                    f"write {role} there."
                )
            _let_log_in(role, str(login["PASSWORD"]))
            self.stdout.write(f"{role}: may log in")


def _let_log_in(role: str, password: str) -> None:
    """Change one role as the owner; the password is hashed here, so no server log ever shows it."""
    connection = connections["default" if settings.AS_OWNER else "owner"]
    with connection.cursor() as cursor:
        change = sql.SQL("ALTER ROLE {} LOGIN").format(sql.Identifier(role))
        if password:
            pgconn = cursor.connection.pgconn
            hashed = pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
            change += sql.SQL(" PASSWORD {}").format(sql.Literal(hashed.decode()))
        _execute(cursor, role, change)


def _execute(cursor: CursorWrapper, role: str, change: sql.Composed) -> None:
    """Change the role; it belongs to the whole server, so others may do it just now too."""
    for _ in range(TRIES):
        try:
            cursor.execute(change)
        except DatabaseError as error:
            if not isinstance(error.__cause__, errors.InternalError_):
                raise _refusal(role, error) from error
        else:
            return
    raise CommandError(f"Others keep changing the role {role}; run this again in a moment.")


def _refusal(role: str, error: DatabaseError) -> CommandError:
    match error.__cause__:
        case errors.UndefinedObject():
            return CommandError(f"There is no role {role} yet; run `manage.py migrate` first.")
        case errors.InsufficientPrivilege():
            return CommandError(
                f"The login in SIGNALBOX_OWNER_URL may not change the role {role}; "
                "run this command as a superuser, or as the role that made it.",
                returncode=MAY_NOT,
            )
        case _:
            return CommandError(f"The role {role} was not changed: {error}")
