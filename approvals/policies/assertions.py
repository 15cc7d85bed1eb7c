"""Whether a passkey signed a vote: decided from the stored bytes alone, anywhere, at any time."""

from collections.abc import Mapping
from typing import Any

from webauthn.helpers import base64url_to_bytes

from approvals.cards import Assertion, Statement
from console.accounts.assertions import (
    UNREADABLE,
    PasskeyAnswer,
    require_one_spelling,
    verified_count,
)
from console.accounts.cards import Site
from console.accounts.errors import PasskeyRefused


def verify_offline(assertion: Mapping[str, Any], expected: Statement) -> int:
    """Verify that the holder of the assertion's public key signed exactly the expected vote.

    Needs no database, network or clock: auditors call it with what the trail holds. It does not
    say whose key that is; the event `passkey.added` does.

    Args:
        assertion: as `Assertion.as_dict` gives it.
        expected: what the vote said, from its event.

    Returns:
        The authenticator's counter that was signed with it; 0 where it does not count.

    Raises:
        PasskeyRefused: some byte is another than what was signed, or the device did not check
            the person.
    """
    try:
        kept = Assertion.from_dict(assertion)
        return _verified(kept, expected)
    except UNREADABLE as error:
        raise PasskeyRefused(
            "This signature does not fit the vote; press Sign with passkey and try again."
        ) from error


def _verified(kept: Assertion, expected: Statement) -> int:
    require_one_spelling(kept.nonce)
    require_one_spelling(kept.public_key)
    return verified_count(
        PasskeyAnswer(
            credential_id="",  # nothing signs the id; the key is what counts
            authenticator_data=kept.authenticator_data,
            client_data=kept.client_data,
            signature=kept.signature,
        ),
        challenge=expected.challenge(kept.nonce),
        public_key=base64url_to_bytes(kept.public_key),
        site=Site(host=kept.rp_id, origin=kept.origin),
    )
