"""Signing a vote with a passkey: the challenge, the check, and its use, which is once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_bytes
from typing import Final
from uuid import UUID

from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from approvals import policies
from approvals.cards import Signed, Statement, VoteChallenge, Voter
from approvals.commands.desk import Desk, must_lock
from approvals.commands.refusing import expired, kept
from approvals.errors import StaleRevision, VoteByMachine
from approvals.models import VoteNonce
from approvals.queries.people import as_voter, oneself
from approvals.states import Choice
from console.accounts import commands as accounts
from console.accounts import queries as people
from console.accounts.errors import NoPasskey, PasskeyRefused
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.transactions import command

NONCE_S: Final = 120
_NONCE_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A signature that fits the vote; it counts once its nonce and counter are taken."""

    passkey_id: UUID
    name: str  # of the passkey
    nonce: str
    sign_count: int
    assertion: Mapping[str, str]


@command
def challenge_vote(
    *, actor: Actor, proposal_id: UUID, revision_no: int, seen_digest: str, choice: Choice
) -> VoteChallenge:
    """Return what a passkey of the person has to sign for this vote, within two minutes.

    It decides nothing: the vote itself is cast, and checked, with the signature.

    Raises:
        VoteByMachine, VoteByPrincipal, VoteNotEligible: this actor may not vote on this.
        StaleRevision: the content is another one by now.
        ProposalExpired: the time was over; the expiry is kept.
        NoPasskey: the person has none.
    """
    if not policies.is_interactive(actor):
        raise machine()
    desk = must_lock(actor=actor, proposal_id=proposal_id)
    at = clock.now()
    if desk.settle_clock(at=at):
        return kept(expired(), VoteChallenge)
    policies.require_voter(voter_of(desk, actor), desk.requirement, desk.principals)
    if (revision_no, seen_digest) != (desk.row.revision_no, desk.digest):
        raise StaleRevision(
            "What you saw is not what would run; reload the page and vote on what it shows.",
            revision=desk.row.revision_no,
            digest=desk.digest,
        )
    known = people.passkeys(actor=actor)
    if not known:
        raise NoPasskey("You have no passkey; add one to your account, or vote without.")
    row = VoteNonce.objects.create(
        tenant_id=actor.tenant_id,
        proposal=desk.row,
        revision=desk.revision,
        digest=desk.revision.digest,
        person_id=UUID(actor.id),
        session=actor.session,
        choice=choice.value,
        nonce=bytes_to_base64url(token_bytes(_NONCE_BYTES)),
        expires_at=at + timedelta(seconds=NONCE_S),
    )
    return VoteChallenge(
        nonce=row.nonce,
        challenge=_statement(desk, actor, choice).challenge(row.nonce),
        credentials=tuple((one.credential_id, one.transports) for one in known),
        expires_at=row.expires_at,
    )


def verified(desk: Desk, actor: Actor, choice: Choice, signed: Signed) -> Signature:
    """Return the signature of the current content by a passkey of the actor. Writes nothing.

    Raises:
        PasskeyRefused: it is not that.
    """
    try:
        credential = base64url_to_bytes(signed.credential_id)
    except ValueError as error:
        raise refused() from error
    found = people.passkey(actor=actor, credential_id=credential)
    if found is None:
        raise refused()
    assertion = signed.assertion(bytes_to_base64url(found.public_key)).as_dict()
    return Signature(
        passkey_id=found.id,
        name=found.name,
        nonce=signed.nonce,
        sign_count=policies.verify_offline(assertion, _statement(desk, actor, choice)),
        assertion=assertion,
    )


def take(desk: Desk, actor: Actor, choice: Choice, signature: Signature, *, at: datetime) -> bool:
    """Use up the nonce and move the counter on; say whether both were still to be had."""
    rows = VoteNonce.objects.filter(
        nonce=signature.nonce,
        proposal=desk.row,
        revision=desk.revision,
        person_id=UUID(actor.id),
        session=actor.session,
        choice=choice.value,
        used_at__isnull=True,
        expires_at__gt=at,
    )
    return bool(rows.update(used_at=at)) and accounts.use_passkey(
        actor=actor, passkey_id=signature.passkey_id, sign_count=signature.sign_count
    )


def voter_of(desk: Desk, actor: Actor) -> Voter:
    """Return the actor as the rules see them; somebody without rights if they are no reviewer."""
    return as_voter(actor, desk.voters(among=oneself(actor)))


def machine() -> VoteByMachine:
    return VoteByMachine("Only people who are signed in vote; ask a reviewer to decide this.")


def refused() -> PasskeyRefused:
    return PasskeyRefused(
        "This signature does not fit the vote, or came too late; sign again, or vote without."
    )


def _statement(desk: Desk, actor: Actor, choice: Choice) -> Statement:
    return Statement(
        tenant_id=desk.row.tenant_id,
        proposal_id=desk.row.id,
        revision_no=desk.row.revision_no,
        digest=desk.digest,
        choice=choice.value,
        person_id=UUID(actor.id),
    )
