"""Stepping up by a passkey: a challenge for this alone, signed once by a key of the person."""

from collections.abc import Mapping
from datetime import timedelta
from secrets import token_bytes
from typing import Any
from uuid import UUID

from webauthn.helpers import base64url_to_bytes, parse_client_data_json

from console.accounts import policies, queries
from console.accounts.assertions import UNREADABLE, PasskeyAnswer, options_for, verified_count
from console.accounts.cards import PasskeyCard, Proof, Site
from console.accounts.commands.passkeys import use_passkey
from console.accounts.errors import NoPasskey, PasskeyRefused
from console.accounts.models import PasskeyChallenge
from console.accounts.states import ChallengeFor
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import SignedOut
from console.kernel.transactions import command


@command
def challenge_step_up(*, actor: Actor, site: Site) -> Mapping[str, Any]:
    """Return what `navigator.credentials.get` takes, with a challenge for this session alone.

    Raises:
        SignedOut: no open session of a person asks.
        NoPasskey: the person has none.
    """
    _require_session(actor)
    known = queries.passkeys(actor=actor)
    if not known:
        raise NoPasskey("You have no passkey; add one to your account, or use your password.")
    row = PasskeyChallenge.objects.create(
        tenant_id=actor.tenant_id,
        person_id=UUID(actor.id),
        session=actor.session,
        purpose=ChallengeFor.STEP_UP.value,
        challenge=token_bytes(32),
        expires_at=clock.now() + timedelta(seconds=policies.CHALLENGE_S),
    )
    return options_for(
        bytes(row.challenge),
        host=site.host,
        credentials=[(one.credential_id, one.transports) for one in known],
    )


@command
def step_up_by_passkey(*, actor: Actor, answer: PasskeyAnswer, site: Site) -> Proof:
    """Let the session that asks prove by a passkey who it is; it counts as a new sign-in.

    Raises:
        SignedOut: no open session of a person asks.
        PasskeyRefused: another key, challenge, place or counter than asked for, too late, again,
            or without a check of the person by the device.
    """
    _require_session(actor)
    key = _key(actor, answer)
    try:
        challenge = parse_client_data_json(base64url_to_bytes(answer.client_data)).challenge
        count = verified_count(answer, challenge=challenge, public_key=key.public_key, site=site)
    except UNREADABLE as error:
        raise _refused() from error
    at = clock.now()
    asked = PasskeyChallenge.objects.filter(
        challenge=challenge,
        purpose=ChallengeFor.STEP_UP.value,
        person_id=UUID(actor.id),
        session=actor.session,
        used_at__isnull=True,
        expires_at__gt=at,
    )
    if not asked.update(used_at=at):
        raise _refused()
    if not use_passkey(actor=actor, passkey_id=key.id, sign_count=count):
        raise _refused()
    found = queries.proof(actor=actor)
    if found is None:
        raise _ended()
    return found


def _key(actor: Actor, answer: PasskeyAnswer) -> PasskeyCard:
    try:
        credential = base64url_to_bytes(answer.credential_id)
    except ValueError as error:
        raise _refused() from error
    found = queries.passkey(actor=actor, credential_id=credential)
    if found is None:
        raise _refused()
    return found


def _require_session(actor: Actor) -> None:
    if queries.proof(actor=actor) is None:
        raise _ended()


def _ended() -> SignedOut:
    return SignedOut("Only a person in an open session confirms who they are; sign in first.")


def _refused() -> PasskeyRefused:
    return PasskeyRefused(
        "This passkey did not confirm that it is you, or too late; try again, or use your password."
    )
