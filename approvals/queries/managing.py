"""What one reader may do about the rules, each with the sentence of its refusal."""

from uuid import UUID

from approvals.cards import May, VersionActs
from approvals.models import PolicyVersion
from approvals.policies import versions
from approvals.states import PolicyState
from console.accounts.queries import require
from console.accounts.states import Permission
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from console.kernel.transactions import query


def may_manage(actor: Actor) -> May:
    """Say whether the reader writes, tries and proposes versions at all."""
    return May.after(lambda: require(actor, Permission.POLICIES_MANAGE))


@query
def version_acts(*, actor: Actor, version_id: UUID) -> VersionActs:
    """Return what the reader may do about a version as it stands now.

    Raises:
        NotFound: there is no such version.
    """
    row = PolicyVersion.objects.filter(pk=version_id).first()
    if row is None:
        raise NotFound("There is no such version of a policy here; look at the list of policies.")
    state, manages = PolicyState(row.state), may_manage(actor)
    speaks, over = state is PolicyState.ACTIVE, state is PolicyState.RETIRED
    others = PolicyVersion.objects.filter(policy=row.policy).exclude(pk=row.pk)

    def shadow() -> None:
        if state is not PolicyState.SHADOW:
            taken = others.filter(state=PolicyState.SHADOW.value).exists()
            versions.require_empty_shadow(taken=taken)

    def propose() -> None:
        versions.require_proposable(state, retire=speaks)

    return VersionActs(
        draft=manages,
        propose=manages and May.after(propose),
        shadow=None if speaks or over else manages and May.after(shadow),
        discard=None if speaks or over else manages,
        replay=manages,
    )
