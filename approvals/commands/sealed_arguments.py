"""Hiding arguments behind stand-ins, and erasing what stands behind them.

Salt and value go into a table of their own before anything else is stored, so that no other row,
page, event or notice ever held the value. Erasing takes the word of two people (`gating`); what was
decided still verifies, and what was not run yet cannot run any more.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from approvals.cards import ProposalCard, Subject
from approvals.commands import gating
from approvals.errors.sealed import NothingSealed
from approvals.events import ArgumentsErased, ArgumentsSealed
from approvals.models import REASON_LENGTH, Sealed
from approvals.policies import sealed
from approvals.queries.checks import origin_of
from approvals.queries.editing import seen_row
from approvals.queries.founding import founding
from approvals.queries.sealed import box_of
from audit.commands import record
from console.accounts.queries import require, require_fresh
from console.accounts.states import Permission
from console.kernel import canonical, clock
from console.kernel.actors import Actor
from console.kernel.errors import BadInput
from console.kernel.ids import uuid7
from console.kernel.transactions import command

STEPUP_S = 300


@command
def seal(
    *, actor: Actor, subject: Subject, args: Mapping[str, Any], pointers: Sequence[str]
) -> dict[str, Any]:
    """Return arguments with a stand-in in the place of each value that a contract hides.

    Whatever stands there is hidden, also what looks like a stand-in itself.

    Args:
        subject: of the proposal that they are for, whether it is there yet or not.
        pointers: JSON pointers of the contract; one that leads nowhere hides nothing.
    """
    found = dict(args)
    rows = []
    for pointer in pointers:
        value = sealed.value_at(args, pointer)
        if value is None:
            continue
        salt, key = secrets.token_bytes(sealed.SALT_BYTES), uuid7()
        row = Sealed(
            id=key,
            tenant_id=actor.tenant_id,
            subject_kind=subject.kind,
            subject_id=subject.id,
            pointer=pointer,
            mac=sealed.mac_of(salt, pointer, value),
            box=box_of(key).encrypt(salt + canonical.dumps(value)),
        )
        rows.append(row)
        found = sealed.with_value(found, pointer, sealed.text_of(bytes(row.mac)))
    if rows:
        Sealed.objects.bulk_create(rows)
        bound = tuple(f"{row.pointer} {bytes(row.mac).hex()}" for row in rows)
        record(ArgumentsSealed(request_id=subject.id, stand_ins=bound), actor=actor)
    return found


@command
def erase_sealed(*, actor: Actor, proposal_id: UUID, reason: str) -> ProposalCard | None:
    """Have two people agree that the hidden values of a proposal are erased for good.

    Until a tenant has the people who could agree, one person does it at once.

    Returns:
        The proposal that asks them, or None where it was done at once.

    Raises:
        NotAllowed: the actor may not manage policies.
        StepUpRequired: the person proved too long ago who they are.
        NotFound: there is no such proposal here.
        NothingSealed: nothing of it is hidden, or all of it was erased.
        PolicyConflict: it takes two people, and no person asks.
    """
    require(actor, Permission.POLICIES_MANAGE)
    reason = reason.strip()
    if not reason or len(reason) > REASON_LENGTH:
        said = f"Say why, in {REASON_LENGTH} characters at most."
        raise BadInput(said, fields={"reason": [said]})
    row = seen_row(actor, proposal_id)
    require_fresh(actor=actor, within_s=STEPUP_S)
    subject = origin_of(row)
    kept = Sealed.objects.filter(
        subject_kind=subject.kind, subject_id=subject.id, box__isnull=False
    )
    if not kept.exists():
        raise NothingSealed("Nothing of this is hidden that could be erased.")
    if founding(actor=actor):
        _erase(actor, subject.id)
        return None
    return gating.ask_to_erase(actor, subject.id, reason)


@command
def erase_agreed(*, actor: Actor, subject_id: UUID, proposal_id: UUID) -> None:
    """Erase what people agreed to; called in the transaction that dispatches their proposal.

    Raises:
        PolicyConflict: nobody agreed to it.
    """
    gating.asker_of(actor, proposal_id, gating.ERASE, subject_id)
    _erase(actor, subject_id, agreed_by=proposal_id)


def _erase(actor: Actor, subject_id: UUID, *, agreed_by: UUID | None = None) -> None:
    rows = list(
        Sealed.objects.select_for_update()
        .filter(subject_id=subject_id, box__isnull=False)
        .order_by("id")
    )
    at = clock.now()
    Sealed.objects.filter(pk__in=[row.pk for row in rows]).update(
        box=None, erased_at=at, erased_by=agreed_by
    )
    pointers = tuple(row.pointer for row in rows)
    event = ArgumentsErased(request_id=subject_id, pointers=pointers, proposal_id=agreed_by)
    record(event, actor=actor)
