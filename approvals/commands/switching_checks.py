"""Switching planted checks on, which asks nobody, and off, which two people agree to."""

from uuid import UUID

from approvals.cards import CheckSettingCard
from approvals.commands import gating
from approvals.events import ChecksSwitched
from approvals.models import LABEL_LENGTH, CheckSetting
from approvals.queries.checks import check_setting
from approvals.queries.founding import founding
from approvals.states import ProposalState
from audit.commands import record
from console.accounts.queries import require
from console.accounts.states import Permission
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.transactions import command


@command
def switch_checks(*, actor: Actor, is_on: bool) -> CheckSettingCard:
    """Say whether checks are planted in this tenant from now on; those that are there stay.

    Where they are on, two people are asked before they go off; the card names the proposal. Where
    it is so already, nothing changes.

    Raises:
        NotAllowed: the actor may not manage policies.
        PolicyConflict: it takes two people, and no person asks.
    """
    require(actor, Permission.POLICIES_MANAGE)
    if is_on:
        return _switch_on(actor)
    row = CheckSetting.objects.select_for_update().filter(tenant_id=actor.tenant_id).first()
    if row is None or not row.is_on:
        return check_setting(actor=actor)
    if founding(actor=actor):
        return _switch_off(actor, row, by=actor.label)
    asked = gating.ask_to_stop_checks(actor, row)
    blocked = asked.state is ProposalState.BLOCKED
    return CheckSettingCard(
        is_on=True, set_by=row.set_by, set_at=row.set_at, waiting_id=asked.id, blocked=blocked
    )


@command
def stop_checks_agreed(*, actor: Actor, setting_id: UUID, proposal_id: UUID) -> CheckSettingCard:
    """Plant no more, as people agreed; called in the transaction that dispatches their proposal.

    Raises:
        PolicyConflict: nobody agreed to it.
    """
    asker = gating.asker_of(actor, proposal_id, gating.STOP_CHECKS, setting_id)
    row = CheckSetting.objects.select_for_update().get(pk=setting_id)
    return _switch_off(actor, row, by=asker, agreed_by=proposal_id)


def _switch_on(actor: Actor) -> CheckSettingCard:
    row = CheckSetting(
        tenant_id=actor.tenant_id,
        is_on=True,
        set_by=actor.label[:LABEL_LENGTH],
        set_at=clock.now(),
    )
    CheckSetting.objects.bulk_create([row], ignore_conflicts=True)
    kept = CheckSetting.objects.select_for_update().get(tenant_id=actor.tenant_id)
    if kept.is_on and kept.id != row.id:
        return check_setting(actor=actor)
    kept.is_on, kept.agreed_by, kept.set_by, kept.set_at = True, None, row.set_by, row.set_at
    kept.save(update_fields=["is_on", "set_by", "set_at", "agreed_by"])
    record(ChecksSwitched(setting_id=kept.id, is_on=True), actor=actor)
    return check_setting(actor=actor)


def _switch_off(
    actor: Actor, row: CheckSetting, *, by: str, agreed_by: UUID | None = None
) -> CheckSettingCard:
    row.is_on, row.agreed_by = False, agreed_by
    row.set_by, row.set_at = by[:LABEL_LENGTH], clock.now()
    row.save(update_fields=["is_on", "set_by", "set_at", "agreed_by"])
    event = ChecksSwitched(setting_id=row.id, is_on=False, proposal_id=agreed_by)
    record(event, actor=actor)
    return check_setting(actor=actor)
