"""What the trail of a tenant says, read back as the application's own role can."""

import json
from typing import Any

from django.db import connection

from console.kernel import tenancy
from tests.cast import Cast


def actions(cast: Cast, prefix: str = "") -> list[str]:
    """Return the names of the tenant's events in order, those that begin with `prefix`."""
    return [event["action"] for event in events(cast) if event["action"].startswith(prefix)]


def events(cast: Cast) -> list[dict[str, Any]]:
    with tenancy.scope(cast.tenant_id, read_only=True), connection.cursor() as cursor:
        cursor.execute(
            "SELECT envelope FROM audit_event WHERE tenant_id = %s ORDER BY id", [cast.tenant_id]
        )
        return [json.loads(bytes(row[0])) for row in cursor.fetchall()]
