"""What passkeys sign (WebAuthn level 3): asking for it, and verifying it from bytes alone.

No database, network or clock; rooms above say what a challenge stands for.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from webauthn import verify_authentication_response
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, encode_cbor, parse_cbor
from webauthn.helpers.exceptions import WebAuthnException

from console.accounts.cards import Site

TIMEOUT_MS: Final = 120_000
# What the library and its parsers say of bytes that are not what they should be.
UNREADABLE: Final = (
    WebAuthnException,
    InvalidSignature,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyAnswer:
    """What a browser hands in of a signature; all base64url."""

    credential_id: str
    authenticator_data: str
    client_data: str
    signature: str


def options_for(
    challenge: bytes, *, host: str, credentials: Iterable[tuple[str, tuple[str, ...]]]
) -> dict[str, Any]:
    """Return the `publicKey` of `navigator.credentials.get`, WebAuthn level 3 section 5.5.

    Args:
        credentials: ids in base64url with their transports.
    """
    return {
        "challenge": bytes_to_base64url(challenge),
        "rpId": host,
        "timeout": TIMEOUT_MS,
        "userVerification": "required",
        "allowCredentials": [
            {"type": "public-key", "id": name, "transports": list(transports)}
            for name, transports in credentials
        ],
    }


def verified_count(
    answer: PasskeyAnswer, *, challenge: bytes, public_key: bytes, site: Site
) -> int:
    """Return the counter that was signed, once the key signed this challenge at this site.

    The device has to have checked the person.

    Raises:
        one of `UNREADABLE`: some byte is another one, or is written in another way.
    """
    for name in ("authenticator_data", "client_data", "signature"):
        require_one_spelling(getattr(answer, name))
    if encode_cbor(parse_cbor(public_key)) != public_key:
        raise ValueError("The public key is not in its only form.")
    found = verify_authentication_response(
        credential={
            # Nothing signs the id; the key is what counts.
            "id": "AA",
            "rawId": "AA",
            "type": "public-key",
            "response": {
                "clientDataJSON": answer.client_data,
                "authenticatorData": answer.authenticator_data,
                "signature": answer.signature,
            },
        },
        expected_challenge=challenge,
        expected_rp_id=site.host,
        expected_origin=site.origin,
        credential_public_key=public_key,
        credential_current_sign_count=0,
        require_user_verification=True,
    )
    return int(found.new_sign_count)


def require_one_spelling(text: str) -> None:
    """Raise for bytes that are written in another way than the one that they are kept in."""
    if bytes_to_base64url(base64url_to_bytes(text)) != text:
        raise ValueError("This is no base64url.")
