"""System checks: what only looking can tell, each with an id that is never reused and a hint."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DEFAULT_DB_ALIAS, connections

from console.kernel import tenancy

OLDEST_POSTGRESQL = 150000  # 15, as the server counts its versions


@register(Tags.security)
def secret_key_is_set(**_scope: Any) -> list[CheckMessage]:
    if settings.SECRET_KEY_IS_SET or settings.ENVIRONMENT == "development":
        return []
    hint = "Set SIGNALBOX_SECRET_KEY to 50 random characters and keep it."
    return [
        Error(
            "There is no secret key; sessions would end at each start.",
            hint=hint,
            id="console.E001",
        )
    ]


@register(Tags.database)
def postgresql_is_new_enough(**scope: Any) -> list[CheckMessage]:
    if not scope.get("databases"):
        return []
    version = connections["default"].cursor().connection.info.server_version
    if version >= OLDEST_POSTGRESQL:
        return []
    hint = "Use PostgreSQL 15 or newer."
    return [Error(f"PostgreSQL {version // 10000} is too old.", hint=hint, id="console.E002")]


@register(Tags.database)
def other_tenants_are_hidden(**scope: Any) -> list[CheckMessage]:
    """Refuse a database role that row-level security does not bind."""
    if not scope.get("databases") or settings.AS_OWNER or not tenancy.role_sees_everything():
        return []
    hint = "Connect as the role that `manage.py roles` prepares; see console/kernel/README.md."
    kind = checks.Warning if settings.ENVIRONMENT == "development" else Error
    return [kind("The role in DATABASE_URL sees every tenant.", hint=hint, id="console.E003")]


@register(Tags.security)
def demo_is_not_production(**_scope: Any) -> list[CheckMessage]:
    if not settings.DEMO or settings.ENVIRONMENT != "production":
        return []
    hint = "Unset SIGNALBOX_DEMO; it offers sign-in without a password."
    return [Error("The demo sign-in is on in production.", hint=hint, id="console.E008")]


@register(Tags.security)
def widget_has_its_own_origin(**_scope: Any) -> list[CheckMessage]:
    if settings.WIDGET_HOST != settings.CONSOLE_HOST:
        return []
    hint = "Set SIGNALBOX_WIDGET_HOST to a host name of its own."
    return [checks.Warning("The widget shares the console's origin.", hint=hint, id="console.W007")]


def require_sound() -> None:
    """End a process that is about to serve people, if a check finds that it must not.

    In development it starts, and the pages say what is wrong.
    """
    if settings.ENVIRONMENT == "development":
        return
    # A web process loads us inside its event loop, where Django asks no database.
    with ThreadPoolExecutor(1) as apart:
        found = apart.submit(_run_checks).result()
    wrong = [message for message in found if message.level >= checks.ERROR]
    if wrong:
        raise SystemExit("Cannot start:\n" + "\n".join(str(message) for message in wrong))


def _run_checks() -> list[CheckMessage]:
    try:
        tags = [Tags.database, Tags.security]
        return checks.run_checks(tags=tags, databases=[DEFAULT_DB_ALIAS])
    finally:
        connections.close_all()
