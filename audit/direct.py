"""Connections of the sealer and the signer: roles of their own, not pooled, not Django's."""

from typing import Any, Literal

import psycopg
from django.conf import settings

Role = Literal["sealer", "signer", "owner", "default"]


def connect(role: Role) -> "psycopg.Connection[Any]":
    """Open a session as a role of the trail; the caller closes it.

    It begins in autocommit, so that a lock can be taken before the transaction that it guards.
    """
    database = settings.DATABASES[role]
    return psycopg.connect(
        host=database["HOST"] or None,
        port=database["PORT"] or None,
        user=database["USER"] or None,
        password=database["PASSWORD"] or None,
        dbname=database["NAME"],
        autocommit=True,
        application_name=f"signalbox {role}",
        options="-c synchronous_commit=on -c TimeZone=UTC",
    )
