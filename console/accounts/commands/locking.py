"""One change of who may decide after the other, so that what such a change rests on still holds."""

from django.db import connection

from console.kernel import canonical
from console.kernel.actors import Actor


def lock_people(actor: Actor) -> None:
    """Wait for whoever changes people, groups or rights of the tenant; held until the commit.

    Take it before rows of people, and those before proposals.
    """
    key = int.from_bytes(canonical.digest([str(actor.tenant_id), "people"])[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])
