"""What pulse does for the trail: seal, project into the search table, look at its guards.

It does not sign: `signing.py` is a process of its own, and the key is out of pulse's reach.
"""

import time
from uuid import UUID

from audit import alarms, commands, direct, guards
from audit.patrol import Patrol
from audit.projection import Parity, Projector
from audit.sealing import Sealer
from console.kernel import tenancy
from console.kernel.actors import system
from console.kernel.pulse import duty

SEAL_EVERY_S = 0.2
PROJECT_EVERY_S = 0.2
TELL_EVERY_S = 1.0
LOOK_EVERY_S = 3600.0
SIGNED_EVERY_S = 30.0
COMPARE_EVERY_S = 30.0
FLUSH_EVERY_S = 30.0
PATROL_EVERY_S = 1.0

# Each has a session of its own that lives as long as its thread.
_sealer = Sealer()
_projector = Projector()
_untold: set[UUID] = set()
_told_at: dict[UUID, float] = {}
_signer_watch = alarms.SignerWatch()
_patrol = Patrol()


@duty("audit.seal", every_s=SEAL_EVERY_S)
def seal() -> int:
    card = _sealer.run_round()
    return card.entry_count if card else 0


@duty("audit.project", every_s=PROJECT_EVERY_S)
def project() -> int:
    """Make sealed entries searchable, and tell open lists at most once a second."""
    count = _projector.catch_up()
    _untold.update(_projector.news())
    now = time.monotonic()
    for tenant_id in [one for one in _untold if now - _told_at.get(one, 0.0) >= TELL_EVERY_S]:
        commands.tell_of_entries(actor=system("audit.project", tenant_id))
        _told_at[tenant_id] = now
        _untold.discard(tenant_id)
    return count


@duty("audit.guards", every_s=LOOK_EVERY_S)
def look_at_guards() -> int:
    """Check grants, roles and triggers at the start and every hour; a drift is an alarm."""
    with direct.connect("default") as connection:
        drifts = guards.look(connection)
    alarms.tell_of_guards(drifts)
    return 0  # nothing waits: the next look is in an hour


@duty("audit.signed", every_s=SIGNED_EVERY_S)
def look_for_the_signer() -> int:
    """Raise an alarm when what was sealed stays unsigned; the signer is a process of its own."""
    with direct.connect("sealer") as connection:
        _signer_watch.look(connection)
    return 0


@duty("audit.parity", every_s=COMPARE_EVERY_S)
def compare_search() -> int:
    """Compare the search table with the entries; what differs is repaired and told."""
    with direct.connect("sealer") as connection:
        found = Parity().run(connection)
    alarms.tell_of_search(found.repairs, in_order=found.in_order)
    return 0


@duty("audit.repeats", every_s=FLUSH_EVERY_S)
def flush_repeats() -> int:
    """Record the counts of equal reads and refusals that nobody repeats any more."""
    tenants = tenancy.every_tenant(reason="people read in every tenant")
    return sum(commands.flush_repeats(actor=system("audit.repeats", each)) for each in tenants)


@duty("audit.patrol", every_s=PATROL_EVERY_S)
def verify_a_stretch() -> int:
    """Verify one stretch, then pause: the newest day every five minutes, everything every day."""
    _patrol.step()
    return 0  # the pause is the limit of its rate
