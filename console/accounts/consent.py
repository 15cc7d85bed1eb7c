"""A port: who has to agree before a person may decide more. The room of proposals fills it.

Giving the reviewer role, a review group or a right to review a tool, and waking somebody who has
one, loosens the gate; taking them away only tightens it and asks nobody.
"""

from typing import Final, Protocol
from uuid import UUID

from console.accounts.cards import Gain, Waiting
from console.accounts.errors import NeedsAgreement
from console.kernel.actors import Actor, ActorKind
from console.kernel.errors import Unavailable


class Consent(Protocol):
    """Asks people, and knows what they were asked."""

    def founding(self, *, actor: Actor) -> bool:
        """Say whether the tenant never yet had people enough who could agree to anything."""
        ...

    def ask(self, *, actor: Actor, person_id: UUID, gain: Gain) -> Waiting:
        """Open a proposal in the caller's transaction; what waits for the same person joins it."""
        ...

    def waiting(self, *, actor: Actor, person_id: UUID) -> Waiting | None:
        """Return what people are asked about a person now."""
        ...


_FILLED: Final[list[Consent]] = []


def provide(consent: Consent) -> None:
    """Make known who asks people, when its app is ready."""
    _FILLED[:] = [consent]


def founding(*, actor: Actor) -> bool:
    """Say whether the tenant's first people are still being put together; else two have to agree.

    Without anybody at the port it is no: what nobody can be asked about is not done.
    """
    return any(room.founding(actor=actor) for room in _FILLED)


def ask(*, actor: Actor, person_id: UUID, gain: Gain) -> Waiting:
    if not _FILLED:
        raise Unavailable("Nobody can be asked here, so nothing is changed; try again.")
    return _FILLED[0].ask(actor=actor, person_id=person_id, gain=gain)


def waiting(*, actor: Actor, person_id: UUID) -> Waiting | None:
    return _FILLED[0].waiting(actor=actor, person_id=person_id) if _FILLED else None


def require(actor: Actor, gain: Gain) -> None:
    """Raise if an actor gives on their own what takes the word of two people.

    A part of the product may: it carries out what people agreed to, and on the command line it is
    whoever keeps the installation. The trail names it.
    """
    if gain and actor.kind is not ActorKind.SYSTEM and not founding(actor=actor):
        raise NeedsAgreement
