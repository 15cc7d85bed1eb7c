"""System checks of the trail: what could alter it, and what its server could lose."""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register

from audit import direct, guards
from audit.cards import Drift


@register(Tags.database)
def trail_is_out_of_reach(
    app_configs: Any = None,  # noqa: ARG001 - Django gives it
    databases: Any = None,
    **_scope: Any,
) -> list[CheckMessage]:
    """Refuse roles that could rewrite the trail, and guards that were taken away."""
    if not databases or settings.AS_OWNER:
        return []
    try:
        with direct.connect("default") as connection:
            drifts = guards.look(connection)
    except psycopg.Error as error:
        hint = "Run `manage.py migrate` first, and see that DATABASE_URL logs in."
        return [Error(f"The trail could not be looked at: {error}", hint=hint, id="console.E009")]
    within = [drift for drift in drifts if drift.place not in guards.SERVER]
    return [
        *_message(within, "Self-attested: the application could alter its own trail", "E005"),
        *_message(
            [drift for drift in drifts if drift not in within],
            "What was committed to the trail may be lost",
            "E010",
        ),
    ]


def _message(drifts: Sequence[Drift], title: str, number: str) -> list[CheckMessage]:
    if not drifts:
        return []
    kind = checks.Warning if settings.ENVIRONMENT == "development" else Error
    said = "\n".join(f"    {drift.sentence} Do: {drift.remedy}" for drift in drifts)
    places = ", ".join(dict.fromkeys(drift.place for drift in drifts))
    hint = "`manage.py check_grants` says this again."
    return [kind(f"{title} ({places}).\n{said}", hint=hint, id=f"console.{number}")]
