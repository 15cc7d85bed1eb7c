"""Whether a tenant has people enough to change its own gate by."""

from approvals import policies
from approvals.cards import Principal
from approvals.models import Quorum
from approvals.queries.people import voters_of
from approvals.states import PrincipalRole
from console.accounts import queries as accounts
from console.accounts.cards import PersonCard
from console.kernel.actors import Actor
from console.kernel.transactions import query

_TIER = 2


@query
def founding(*, actor: Actor) -> bool:
    """Say whether the tenant never yet had the people who could agree to more of them."""
    return not had_quorum(actor=actor) and not has_quorum(actor=actor)


@query
def had_quorum(*, actor: Actor) -> bool:
    """Say whether it ever had them, as far as that was noted."""
    return Quorum.objects.filter(tenant_id=actor.tenant_id).exists()


@query
def has_quorum(*, actor: Actor) -> bool:
    """Say whether, whichever administrator asks, others could agree now.

    An administrator may be a reviewer too: were they counted, the tenant could end up with nobody
    who can agree to what they ask.
    """
    requirement = policies.requirement_for(_TIER)
    voters = list(voters_of(actor=actor, tools=()).values())
    return policies.can_be_filled(requirement, voters, ()) and all(
        policies.can_be_filled(requirement, voters, (_asker(one),))
        for one in accounts.administrators(actor=actor)
    )


def _asker(person: PersonCard) -> Principal:
    return Principal(
        role=PrincipalRole.STARTER,
        actor_kind="person",
        actor_id=str(person.id),
        label=person.name,
        person_id=person.id,
    )
