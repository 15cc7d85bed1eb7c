"""Passkeys: registering a public key, noting its use, removing it."""

from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from secrets import token_bytes
from typing import Any, Final
from uuid import UUID

from django.db.models import Q
from webauthn import generate_registration_options, verify_registration_response
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    options_to_json_dict,
    parse_client_data_json,
)
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from audit.commands import record
from console.accounts import events, policies, queries
from console.accounts.assertions import UNREADABLE
from console.accounts.cards import NewPasskey, PasskeyCard, Site
from console.accounts.commands.proofs import renew_proof
from console.accounts.errors import AlreadyThere, PasskeyRefused
from console.accounts.models import Membership, Passkey, PasskeyChallenge
from console.accounts.states import ChallengeFor, Strength
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import NotAllowed, NotFound
from console.kernel.lines import require_plain_line
from console.kernel.models import DatabaseNow
from console.kernel.transactions import command

PRODUCT: Final = "Signalbox"
_TIMEOUT_MS: Final = policies.CHALLENGE_S * 1000
_ID_BYTES: Final = range(16, 1024)  # as the constraints of the table say
_KEY_BYTES: Final = range(32, 2049)


@command
def challenge_passkey(*, actor: Actor, site: Site) -> Mapping[str, Any]:
    """Return what `navigator.credentials.create` takes, with a challenge for this session alone.

    Raises:
        StepUpRequired: the session proved too long ago who it is; a key is a lasting proof.
    """
    _require_person(actor)
    queries.require_fresh(actor=actor, within_s=policies.STEPUP_S)
    person_id = UUID(actor.id)
    row = PasskeyChallenge.objects.create(
        tenant_id=actor.tenant_id,
        person_id=person_id,
        session=actor.session,
        purpose=ChallengeFor.ADD.value,
        challenge=token_bytes(32),
        expires_at=clock.now() + timedelta(seconds=policies.CHALLENGE_S),
    )
    known = queries.passkeys(actor=actor)
    options = generate_registration_options(
        rp_id=site.host,
        rp_name=PRODUCT,
        user_name=queries.person_card(actor=actor, person_id=person_id).email,
        user_display_name=actor.label,
        user_id=_handle(actor),
        challenge=bytes(row.challenge),
        timeout=_TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.credential_id)) for one in known
        ],
    )
    return options_to_json_dict(options)


@command
def add_passkey(*, actor: Actor, name: str, made: NewPasskey, site: Site) -> PasskeyCard:
    """Keep a new passkey of the person who asks, once its signature over the challenge fits.

    Raises:
        StepUpRequired: the session proved too long ago who it is.
        PasskeyRefused: another challenge, place or form than asked for, or without a check of
            the person by the device.
        AlreadyThere: the key or its name is there, or there are ten already.
    """
    _require_person(actor)
    queries.require_fresh(actor=actor, within_s=policies.STEPUP_S)
    require_plain_line("name", name)
    found = _verified(made, site, _take_challenge(actor, made))
    # Locked, so that the count below holds when two are added at once.
    Membership.objects.select_for_update().get(person_id=UUID(actor.id))
    if queries.own_passkeys(actor).count() >= policies.PASSKEYS_MOST:
        raise AlreadyThere(
            f"You have {policies.PASSKEYS_MOST} passkeys; remove one that you no longer use."
        )
    row = Passkey(
        tenant_id=actor.tenant_id,
        person_id=UUID(actor.id),
        name=name,
        credential_id=found.credential_id,
        public_key=found.credential_public_key,
        sign_count=found.sign_count,
        transports=sorted(set(made.transports)),
    )
    Passkey.objects.bulk_create([row], ignore_conflicts=True)
    stored = Passkey.objects.filter(pk=row.pk).first()
    if stored is None:
        raise AlreadyThere("You have this passkey already, or one of this name; choose another.")
    record(
        events.PasskeyAdded(
            passkey_id=row.id,
            person_id=row.person_id,
            credential_id=bytes_to_base64url(found.credential_id),
            public_key=bytes_to_base64url(found.credential_public_key),
        ),
        actor=actor,
    )
    return queries.passkey_card(stored)


@command
def remove_passkey(*, actor: Actor, passkey_id: UUID) -> None:
    """Let a passkey of the person who asks sign nothing any more; what it signed stays valid.

    Raises:
        NotFound: the person has no such passkey.
    """
    _require_person(actor)
    rows = queries.own_passkeys(actor).filter(pk=passkey_id)
    if not rows.update(removed_at=DatabaseNow()):
        raise NotFound("You have no such passkey; look at the list.")
    record(
        events.PasskeyRemoved(passkey_id=passkey_id, person_id=UUID(actor.id)),
        actor=actor,
    )


@command
def use_passkey(*, actor: Actor, passkey_id: UUID, sign_count: int) -> bool:
    """Note that a passkey has signed; the session has proved by it who it is.

    Args:
        sign_count: the counter that was signed. One that has not gone up is that of a copy;
            passkeys that do not count send 0 for ever.

    Returns:
        False if the passkey is removed or its counter did not go up; nothing was changed then.
    """
    went_up = Q(sign_count__lt=sign_count)
    if sign_count == 0:
        went_up = Q(sign_count=0)
    rows = queries.own_passkeys(actor).filter(went_up, pk=passkey_id)
    if not rows.update(sign_count=sign_count, used_at=DatabaseNow()):
        return False
    renew_proof(actor=actor, by=Strength.PASSKEY, passkey_id=passkey_id)
    return True


def _take_challenge(actor: Actor, made: NewPasskey) -> bytes:
    """Return the challenge that was signed, if it was this session's and nobody used it."""
    try:
        signed = parse_client_data_json(base64url_to_bytes(made.client_data)).challenge
    except UNREADABLE as error:
        raise _refused() from error
    rows = PasskeyChallenge.objects.filter(
        challenge=signed,
        person_id=UUID(actor.id),
        session=actor.session,
        purpose=ChallengeFor.ADD.value,
        used_at__isnull=True,
        expires_at__gt=clock.now(),
    )
    if not rows.update(used_at=clock.now()):
        raise _refused()
    return signed


def _verified(made: NewPasskey, site: Site, challenge: bytes) -> VerifiedRegistration:
    try:
        found = verify_registration_response(
            credential={
                "id": made.credential_id,
                "rawId": made.credential_id,
                "type": "public-key",
                "response": {
                    "clientDataJSON": made.client_data,
                    "attestationObject": made.attestation,
                },
            },
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except UNREADABLE as error:
        raise _refused() from error
    fits = (
        bytes_to_base64url(found.credential_id) == made.credential_id
        and len(found.credential_id) in _ID_BYTES
        and len(found.credential_public_key) in _KEY_BYTES
    )
    if not fits:
        raise _refused()
    return found


def _handle(actor: Actor) -> bytes:
    """Return the name by which a device knows the account: one for each tenant, telling nothing."""
    return sha256(f"{actor.tenant_id}\0{actor.id}".encode()).digest()


def _require_person(actor: Actor) -> None:
    if not actor.is_person:
        raise NotAllowed("Only a person has passkeys; sign in to the console and do it there.")


def _refused() -> PasskeyRefused:
    return PasskeyRefused("This passkey was not accepted; press Add a passkey and try again.")
