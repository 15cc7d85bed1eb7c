"""Stepping up: an open session proves once more who it is, by password or by passkey."""

from dataclasses import replace
from uuid import UUID

from django.db.models import Q

from audit.commands import record
from console.accounts import events, queries
from console.accounts.cards import Proof
from console.accounts.commands.sign_in import prove
from console.accounts.errors import WrongCredentials, WrongPassword
from console.accounts.models import SessionRecord
from console.accounts.states import Strength
from console.kernel.actors import Actor
from console.kernel.errors import SignedOut
from console.kernel.models import DatabaseNow
from console.kernel.transactions import command


def step_up(*, actor: Actor, password: str) -> Proof:
    """Let the session that asks prove by the password who it is; it counts as a new sign-in.

    Wrong answers are counted with those of the sign-in, so there are five in all.

    Raises:
        WrongPassword: it does not fit.
        TooManyAttempts: five wrong answers from this address within 15 minutes.
        SignedOut: no open session of a person asks.
    """
    if not actor.is_person:
        raise SignedOut("Only a person has a password; sign in first.")
    email = queries.person_card(actor=actor, person_id=UUID(actor.id)).email
    door = replace(queries.DOOR, address=actor.address, request=actor.request)
    try:
        prove(actor=door, email=email, password=password)
    except WrongCredentials as refusal:
        raise WrongPassword from refusal
    return renew_proof(actor=actor, by=Strength.PASSWORD)


@command
def renew_proof(*, actor: Actor, by: Strength, passkey_id: UUID | None = None) -> Proof:
    """Keep that the session that asks has just proved who it is. Called by who checked it.

    Raises:
        SignedOut: the session ended meanwhile.
    """
    open_now = Q(digest=actor.session, person_id=UUID(actor.id))
    rows = queries.open_sessions(actor.tenant_id).filter(open_now)
    changed = rows.update(proved_at=DatabaseNow(), proved_by=by.value)
    if not changed:
        raise SignedOut("This session has ended; sign in again.")
    session_id = SessionRecord.objects.values_list("id", flat=True).get(digest=actor.session)
    record(
        events.SessionProved(
            session_id=session_id,
            person_id=UUID(actor.id),
            by=by.value,
            passkey_id=passkey_id,
        ),
        actor=actor,
    )
    found = queries.proof(actor=actor)
    if found is None:
        raise SignedOut("This session has ended; sign in again.")
    return found
