"""What pulse does for approvals. Nothing waits for it: every command settles the clock itself."""

from approvals import commands, queries
from console.kernel import tenancy
from console.kernel.actors import system
from console.kernel.pulse import duty


@duty("approvals.settle", every_s=1.0)
def settle() -> int:
    """Let deadlines that have passed take effect and climb ladders; mostly a single question."""
    due = queries.tenants_due()
    if not due:
        return 0
    tenants = tenancy.every_tenant(reason="deadlines pass in every tenant")
    return sum(
        commands.settle_due(actor=system("pulse.approvals", each))
        for each in tenants
        if each in due
    )


@duty("approvals.probe", every_s=30.0)
def probe() -> int:
    """Look at the targets of high-stakes proposals every five minutes, whether or not one reads."""
    tenants = tenancy.every_tenant(reason="targets change in every tenant")
    return sum(commands.probe_due(actor=system("pulse.approvals", each)) for each in tenants)


@duty("approvals.carry_out", every_s=30.0)
def carry_out() -> int:
    """Do what people agreed to about the rules and what was held up: a stop, a crash."""
    tenants = tenancy.every_tenant(reason="rules change in every tenant")
    return sum(commands.carry_out_due(actor=system("approvals.policies", each)) for each in tenants)


@duty("approvals.replays", every_s=30.0)
def replays() -> int:
    """Have workers go on with replays whose worker died."""
    tenants = tenancy.every_tenant(reason="rules are tried in every tenant")
    return sum(commands.resume_replays(actor=system("approvals.replay", each)) for each in tenants)


@duty("approvals.checks", every_s=60.0)
def checks() -> int:
    """Plant a check for whoever drew the lot by what they opened, where checks are on."""
    tenants = tenancy.every_tenant(reason="checks are planted in every tenant that wants them")
    return sum(commands.plant_due(actor=system("pulse.checks", each)) for each in tenants)


@duty("approvals.notify", every_s=2.0)
def notify() -> int:
    """Send notices that are due; what a person is asked does not depend on their mail."""
    due = queries.tenants_to_tell()
    if not due:
        return 0
    tenants = tenancy.every_tenant(reason="people are told in every tenant")
    return sum(
        commands.send_due(actor=system("pulse.notices", each)) for each in tenants if each in due
    )


@duty("approvals.lost", every_s=30.0)
def settle_lost() -> int:
    """Put on record that nobody knows what became of what external agents never reported."""
    tenants = tenancy.every_tenant(reason="agents are lost in every tenant")
    return sum(commands.settle_lost(actor=system("pulse.approvals", each)) for each in tenants)


@duty("approvals.answers", every_s=15.0)
def give_up() -> int:
    """Say that no answer came where nobody answered, whoever should have."""
    waiting = queries.tenants_unanswered(older_than_s=commands.GIVE_UP_S)
    return sum(commands.give_up(actor=system("approvals.answers", each)) for each in waiting)


@duty("approvals.delegations", every_s=30.0)
def delegations() -> int:
    """Put on record which delegations ended by themselves; they let nobody decide since then."""
    tenants = tenancy.every_tenant(reason="delegations end in every tenant")
    return sum(
        commands.lapse_delegations(actor=system("pulse.approvals", each)) for each in tenants
    )


@duty("approvals.sweep", every_s=3600.0)
def sweep() -> int:
    """Delete nonces of yesterday and notices of three months ago, of what is over."""
    tenants = tenancy.every_tenant(reason="old rows lie in every tenant")
    return sum(commands.sweep(actor=system("pulse.approvals", each)) for each in tenants)
