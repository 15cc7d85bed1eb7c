"""What `test_twice` does twice: for each command a case that is prepared anew each time."""

from collections.abc import Callable
from typing import Any, Final

from approvals.cards import ProposalCard
from console.kernel.actors import Actor
from console.kernel.ids import uuid7
from tests.cast import Cast

Act = Callable[[], object]
Prepare = Callable[[Cast], Act]
# Each prepares a case of its own, and returns what is done to it.
CASES: Final[dict[str, Prepare]] = {}
# Those that are about all of a tenant, so that the other half of the test needs one of its own.
OF_A_TENANT: Final[set[str]] = set()


def case(name: str, *, of_a_tenant: bool = False) -> Callable[[Prepare], Prepare]:
    def keep(prepare: Prepare) -> Prepare:
        CASES[name] = prepare
        if of_a_tenant:
            OF_A_TENANT.add(name)
        return prepare

    return keep


def word() -> str:
    """Return a name that nothing else has."""
    return f"n{uuid7().hex[-12:]}"


def somebody(cast: Cast, *groups: str) -> Actor:
    """Return another reviewer."""
    return cast.add(word(), roles=("reviewer",), groups=groups)


def about(card: ProposalCard) -> dict[str, Any]:
    return {"proposal_id": card.id}
