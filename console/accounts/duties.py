"""What pulse does for accounts."""

from console.accounts import commands
from console.kernel import rest, tenancy
from console.kernel.actors import system
from console.kernel.pulse import duty


@duty("accounts.refusals", every_s=1.0)
def note_refusals() -> int:
    """Bring refused sign-ins into the trail."""
    return commands.note_refusals()


@duty("accounts.sweep", every_s=600.0)
def sweep() -> int:
    """Delete expired browser sessions and lapsed attempt counts."""
    return commands.sweep()


@duty("accounts.answers", every_s=3600.0)
def forget_answers() -> int:
    """Delete stored answers of the API whose idempotency keys are over a day old."""
    tenants = tenancy.every_tenant(reason="stored answers lie in each tenant's own rows")
    return sum(
        rest.forget_answers(actor=system("accounts.answers", tenant_id)) for tenant_id in tenants
    )
