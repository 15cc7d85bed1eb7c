"""How fresh a session's proof of its person is, and with which passkeys the person signs."""

from math import inf
from uuid import UUID

from django.db.models import F, QuerySet
from webauthn.helpers import bytes_to_base64url

from console.accounts.cards import PasskeyCard, Proof
from console.accounts.errors import StepUpRequired
from console.accounts.models import Passkey
from console.accounts.queries.sessions import open_sessions
from console.accounts.states import Strength
from console.kernel.actors import Actor
from console.kernel.models import DatabaseNow
from console.kernel.transactions import query


@query
def proof(*, actor: Actor) -> Proof | None:
    """Return when and how the session that asks last proved who it is; None if it is not open.

    Both times are the database's own, so that nothing but time makes a proof older.
    """
    if not actor.is_person or not actor.session:
        return None
    row = (
        open_sessions(actor.tenant_id)
        .filter(digest=actor.session, person_id=UUID(actor.id))
        .annotate(age=DatabaseNow() - F("proved_at"))
        .values_list("proved_at", "proved_by", "age")
        .first()
    )
    if row is None:
        return None
    at, by, age = row
    return Proof(at=at, by=Strength(by), age_s=age.total_seconds())


def fresh_for(*, actor: Actor) -> float:
    """Return the seconds since the session that asks proved who it is; infinite if it never did."""
    found = proof(actor=actor)
    return inf if found is None else found.age_s


def require_fresh(*, actor: Actor, within_s: int) -> None:
    """Raise unless the session that asks proved who it is in the last `within_s` seconds.

    Raises:
        StepUpRequired: it did so too long ago, or is no open session of a person.
    """
    if fresh_for(actor=actor) > within_s:
        raise StepUpRequired(within_s)


@query
def passkeys(*, actor: Actor) -> tuple[PasskeyCard, ...]:
    """Return the passkeys with which the person who asks can sign, oldest first."""
    if not actor.is_person:
        return ()
    return tuple(passkey_card(row) for row in own_passkeys(actor).order_by("created_at", "id"))


@query
def passkey(*, actor: Actor, credential_id: bytes) -> PasskeyCard | None:
    """Return one passkey of the person who asks, by the id that browsers know it by."""
    row = own_passkeys(actor).filter(credential_id=credential_id).first()
    return passkey_card(row) if row is not None else None


# -- shared with commands ------------------------------------------------------------------------


def own_passkeys(actor: Actor) -> QuerySet[Passkey]:
    return Passkey.objects.filter(
        tenant_id=actor.tenant_id, person_id=UUID(actor.id), removed_at__isnull=True
    )


def passkey_card(row: Passkey) -> PasskeyCard:
    return PasskeyCard(
        id=row.id,
        name=row.name,
        credential_id=bytes_to_base64url(bytes(row.credential_id)),
        public_key=bytes(row.public_key),
        transports=tuple(row.transports),
        created_at=row.created_at,
        used_at=row.used_at,
    )
