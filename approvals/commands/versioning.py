"""Versions of policies: writing them down, trying them in the shadow, letting them speak.

Anybody with the right may write a version and have it asked in the shadow, where nothing depends on
it. To speak, or to fall silent after it spoke, a version needs people: `activate_version` and
`retire_version` are carried out by a proposal of tier 2 about that very version, in the transaction
that dispatches it, and there is no other way in. Who calls them without such a proposal is refused,
and so is raw SQL that activates: the trigger `policy_only_moves` reads the same proposal. That is
why they take no permission: what entitles them is the dispatched proposal, which holds the votes of
two people on the version's digest.
"""

from typing import Any, Final
from uuid import UUID

from approvals import policies
from approvals.cards import PolicyVersionCard
from approvals.commands.desk import lock
from approvals.errors import PolicyConflict, PolicyInvalid
from approvals.events import PolicyActivated, PolicyDrafted, PolicyRetired, PolicyShadowed
from approvals.models import LABEL_LENGTH, NAME_LENGTH, NOTE_LENGTH, PolicyVersion
from approvals.policies import versions
from approvals.states import PolicyState, ProposalState
from audit.commands import record
from console.accounts.queries import require
from console.accounts.states import Permission
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from console.kernel.transactions import command

SUBJECT: Final = policies.GOVERNED_KIND  # of a proposal that carries one of these out
ACTIVATE: Final = "policy.activate"  # its tools
RETIRE: Final = "policy.retire"
_TIER: Final = 2


@command
def add_version(*, actor: Actor, body: Any, note: str = "") -> PolicyVersionCard:
    """Write down a draft; the same body as the newest version returns that one.

    Raises:
        PolicyInvalid: the body is refused, with the pointer of the fault.
        NotAllowed: the actor may not manage policies.
    """
    require(actor, Permission.POLICIES_MANAGE)
    policy = policies.parse(body)
    if len(policy.name) > NAME_LENGTH or len(note) > NOTE_LENGTH or "\x00" in note:
        raise PolicyInvalid(f"The note is longer than {NOTE_LENGTH} characters.", pointer="/note")
    # The newest row is what two that write at the same time wait for; who comes second meets
    # `policy_no_once`, as the first two of a policy do, and looks again.
    newest = (
        PolicyVersion.objects.select_for_update().filter(policy=policy.name).order_by("-no").first()
    )
    digest = policies.body_digest(body)
    if newest is not None and bytes(newest.digest) == digest and newest.state in _LIVING:
        return newest.card()
    row = PolicyVersion(
        tenant_id=actor.tenant_id,
        policy=policy.name,
        no=newest.no + 1 if newest else 1,
        body=policies.body_bytes(body),
        digest=digest,
        state=PolicyState.DRAFT.value,
        note=note,
        author=actor.label[:LABEL_LENGTH],
        author_id=actor.id,
        moved_at=clock.now(),
    )
    PolicyVersion.objects.bulk_create([row], ignore_conflicts=True)
    stored = PolicyVersion.objects.filter(pk=row.pk).first()
    if stored is None:  # of this number there is one by now
        return add_version(actor=actor, body=body, note=note)
    record(PolicyDrafted(**_what(stored)), actor=actor)
    return stored.card()


@command
def shadow_version(*, actor: Actor, version_id: UUID, on: bool) -> PolicyVersionCard:
    """Have a draft asked beside the active version, or no longer; where it is so, nothing happens.

    Raises:
        PolicyConflict: it is no draft, or another one of this policy is in the shadow.
        NotAllowed: the actor may not manage policies.
    """
    require(actor, Permission.POLICIES_MANAGE)
    row = _locked(version_id)
    to = PolicyState.SHADOW if on else PolicyState.DRAFT
    if row.state == to.value:
        return row.card()
    taken = on and any(other.state == to for other in _siblings(row) if other.pk != row.pk)
    versions.require_empty_shadow(taken=taken)
    _move(row, to)
    record(PolicyShadowed(**_what(row), on=on), actor=actor)
    return row.card()


@command
def discard_version(*, actor: Actor, version_id: UUID) -> PolicyVersionCard:
    """Put away a version that never spoke.

    Raises:
        PolicyConflict: it speaks; that takes `retire_version`, and people who agree.
        NotAllowed: the actor may not manage policies.
    """
    require(actor, Permission.POLICIES_MANAGE)
    row = _locked(version_id)
    versions.require_silent(PolicyState(row.state))
    _move(row, PolicyState.RETIRED)
    record(PolicyRetired(**_what(row), proposal_id=None), actor=actor)
    return row.card()


@command
def activate_version(*, actor: Actor, version_id: UUID, proposal_id: UUID) -> PolicyVersionCard:
    """Let a version speak in place of the one before it; open proposals are not loosened by it.

    Call it from the proposal that is carried out, in the transaction that dispatched it; see the
    docstring of this module.

    Raises:
        PolicyConflict: no dispatched proposal of tier 2 says so, or the version is retired.
    """
    _require_agreed(actor, version_id, proposal_id, ACTIVATE)
    row = _locked(version_id)
    if row.state == PolicyState.ACTIVE.value and row.activated_by == proposal_id:
        return row.card()
    before = next((one for one in _siblings(row) if one.state == PolicyState.ACTIVE.value), None)
    if before is not None and before.pk != row.pk:
        _move(before, PolicyState.RETIRED)
    row.activated_by = proposal_id
    _move(row, PolicyState.ACTIVE)
    retired = before.pk if before else None
    event = PolicyActivated(**_what(row), proposal_id=proposal_id, retired_id=retired)
    record(event, actor=actor)
    return row.card()


@command
def retire_version(*, actor: Actor, version_id: UUID, proposal_id: UUID) -> PolicyVersionCard:
    """Let an active version fall silent with nothing in its place; called as `activate_version` is.

    Raises:
        PolicyConflict: no dispatched proposal of tier 2 says so, or the version is not active.
    """
    _require_agreed(actor, version_id, proposal_id, RETIRE)
    row = _locked(version_id)
    _move(row, PolicyState.RETIRED)
    record(PolicyRetired(**_what(row), proposal_id=proposal_id), actor=actor)
    return row.card()


# -- parts ---------------------------------------------------------------------------------------

_LIVING: Final = {PolicyState.DRAFT.value, PolicyState.SHADOW.value, PolicyState.ACTIVE.value}


def _require_agreed(actor: Actor, version_id: UUID, proposal_id: UUID, tool: str) -> None:
    desk = lock(actor=actor, proposal_id=proposal_id)
    agreed = desk is not None and (
        desk.state is ProposalState.DISPATCHED
        and (desk.row.subject_kind, desk.row.subject_id) == (SUBJECT, version_id)
        and (desk.row.tool, desk.row.tier) == (tool, _TIER)
    )
    if not agreed:
        raise PolicyConflict("Nobody agreed to this; propose it, so that two people decide.")


def _locked(version_id: UUID) -> PolicyVersion:
    """Lock a version together with all of its policy, in one order for everybody."""
    found = PolicyVersion.objects.filter(pk=version_id).first()
    if found is None:
        raise NotFound("There is no such version of a policy here; look at the list of policies.")
    return next(row for row in _siblings(found) if row.pk == found.pk)


def _siblings(row: PolicyVersion) -> list[PolicyVersion]:
    rows = PolicyVersion.objects.select_for_update().filter(policy=row.policy)
    return list(rows.order_by("no"))


def _move(row: PolicyVersion, to: PolicyState) -> None:
    versions.require_move(PolicyState(row.state), to)
    row.state, row.moved_at = to.value, clock.now()
    row.save(update_fields=["state", "moved_at", "activated_by"])


def _what(row: PolicyVersion) -> dict[str, Any]:
    return {
        "version_id": row.pk,
        "policy": row.policy,
        "no": row.no,
        "digest": bytes(row.digest).hex(),
    }
