"""What pulse does for the switches: report that it lives, and carry stops on to confirmed."""

from uuid import UUID

from agents.controls import acknowledge, commands, permits
from console.kernel import tenancy
from console.kernel.actors import system
from console.kernel.pulse import duty

_left: dict[int, frozenset[UUID]] = {}  # tenants with a stop to confirm, at the epoch looked at


@duty("controls.acknowledge", every_s=acknowledge.EVERY_S, leased=False)
def acknowledge_pulse() -> int:
    acknowledge.acknowledge("pulse")
    return 0  # never "more to do": once a second is right


@duty("controls.confirm", every_s=0.5)
def confirm_stops() -> int:
    """Look at every tenant once after a stop or release, then at those not confirmed yet."""
    with tenancy.unscoped():
        epoch = permits.current_epoch()
    waiting = _left.get(epoch)
    if waiting is None:
        reason = "Stops of every tenant have to be confirmed."
        waiting = frozenset(tenancy.every_tenant(reason=reason))
        acknowledge.drop_forgotten()
    left = {
        tenant_id
        for tenant_id in waiting
        if commands.confirm_stops(actor=system("pulse.controls", tenant_id))
    }
    _left.clear()
    _left[epoch] = frozenset(left)
    return 0
