"""Whether a passkey signed a vote: decided from the stored bytes alone, anywhere, at any time."""

from collections.abc import Mapping
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from webauthn import verify_authentication_response
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, encode_cbor, parse_cbor
from webauthn.helpers.exceptions import WebAuthnException

from approvals.cards import Assertion, Statement
from console.accounts.errors import PasskeyRefused

_AS_BYTES: Final = ("nonce", "authenticator_data", "client_data", "signature", "public_key")
# What the library and its parsers say of bytes that are not what they should be.
_UNREADABLE: Final = (
    WebAuthnException,
    InvalidSignature,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
)


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
        _require_one_spelling(kept)
        return _verified(kept, expected)
    except _UNREADABLE as error:
        raise PasskeyRefused(
            "This signature does not fit the vote; press Sign with passkey and try again."
        ) from error


def _verified(kept: Assertion, expected: Statement) -> int:
    found = verify_authentication_response(
        credential={
            # Nothing signs the id; the key is what counts.
            "id": "AA",
            "rawId": "AA",
            "type": "public-key",
            "response": {
                "clientDataJSON": kept.client_data,
                "authenticatorData": kept.authenticator_data,
                "signature": kept.signature,
            },
        },
        expected_challenge=expected.challenge(kept.nonce),
        expected_rp_id=kept.rp_id,
        expected_origin=kept.origin,
        credential_public_key=base64url_to_bytes(kept.public_key),
        credential_current_sign_count=0,
        require_user_verification=True,
    )
    return int(found.new_sign_count)


def _require_one_spelling(kept: Assertion) -> None:
    """Raise for bytes that are written in another way than the one that they are kept in."""
    for name in _AS_BYTES:
        text = getattr(kept, name)
        if bytes_to_base64url(base64url_to_bytes(text)) != text:
            raise ValueError(f"{name} is no base64url.")
    key = base64url_to_bytes(kept.public_key)
    if encode_cbor(parse_cbor(key)) != key:
        raise ValueError("The public key is not in its only form.")
