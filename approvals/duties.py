"""What pulse does for approvals. Nothing waits for it: every command settles the clock itself."""

from approvals import commands
from console.kernel import tenancy
from console.kernel.actors import system
from console.kernel.pulse import duty


@duty("approvals.settle", every_s=1.0)
def settle() -> int:
    """Let deadlines that have passed take effect, so that runs learn of them."""
    tenants = tenancy.every_tenant(reason="deadlines pass in every tenant")
    return sum(commands.settle_due(actor=system("pulse.approvals", each)) for each in tenants)
