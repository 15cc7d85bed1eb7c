"""A passkey in software: what a device with a WebAuthn authenticator would answer, ES256 only."""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from secrets import token_bytes
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from approvals.cards import Signed, VoteChallenge
from console.accounts import commands
from console.accounts.assertions import PasskeyAnswer
from console.accounts.cards import NewPasskey, PasskeyCard, Site
from console.kernel import clock
from console.kernel.actors import Actor

SITE = Site(host="localhost", origin="http://localhost")
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """One key pair; `made` answers a registration, `signed` a challenge."""

    site: Site = SITE
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    credential_id: bytes = field(default_factory=lambda: token_bytes(32))
    count: int = 0
    flags: int = PRESENT | VERIFIED

    def made(self, options: Mapping[str, Any]) -> NewPasskey:
        """Answer `navigator.credentials.create`."""
        attested = bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id
        data = self._data(self.flags | ATTESTED) + attested + self.public_key
        attestation = {"fmt": "none", "attStmt": {}, "authData": data}
        client = self._client("webauthn.create", base64url_to_bytes(options["challenge"]))
        return NewPasskey(
            credential_id=bytes_to_base64url(self.credential_id),
            client_data=bytes_to_base64url(client),
            attestation=bytes_to_base64url(cbor2.dumps(attestation)),
            transports=("internal",),
        )

    def signed(self, challenge: VoteChallenge) -> Signed:
        """Answer `navigator.credentials.get`."""
        self.count += 1
        data = self._data(self.flags)
        client = self._client("webauthn.get", challenge.challenge)
        signature = self.key.sign(data + sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return Signed(
            nonce=challenge.nonce,
            credential_id=bytes_to_base64url(self.credential_id),
            authenticator_data=bytes_to_base64url(data),
            client_data=bytes_to_base64url(client),
            signature=bytes_to_base64url(signature),
            host=SITE.host,
            origin=SITE.origin,
        )

    def proved(self, options: Mapping[str, Any]) -> PasskeyAnswer:
        """Answer a challenge to step up."""
        assert options["userVerification"] == "required"
        found = self.signed(
            VoteChallenge(
                nonce="",
                challenge=base64url_to_bytes(options["challenge"]),
                credentials=(),
                expires_at=clock.now(),
            )
        )
        return PasskeyAnswer(
            credential_id=found.credential_id,
            authenticator_data=found.authenticator_data,
            client_data=found.client_data,
            signature=found.signature,
        )

    def answered(self, asked: Mapping[str, Any]) -> dict[str, str]:
        """Answer a challenge that came by the API, with what a browser's script would send."""
        assert asked["options"]["userVerification"] == "required"
        found = self.signed(
            VoteChallenge(
                nonce=asked["nonce"],
                challenge=base64url_to_bytes(asked["options"]["challenge"]),
                credentials=(),
                expires_at=datetime.fromisoformat(asked["expires_at"]),
            )
        )
        parts = ("nonce", "credential_id", "authenticator_data", "client_data", "signature")
        return {name: getattr(found, name) for name in parts}

    @property
    def public_key(self) -> bytes:
        """Return the COSE form, RFC 9053 section 7.1."""
        numbers = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})

    def _data(self, flags: int) -> bytes:
        return sha256(self.site.host.encode()).digest() + struct.pack(">BI", flags, self.count)

    def _client(self, kind: str, challenge: bytes) -> bytes:
        values = {
            "type": kind,
            "challenge": bytes_to_base64url(challenge),
            "origin": self.site.origin,
            "crossOrigin": False,
        }
        return json.dumps(values, separators=(",", ":")).encode()


def registered(actor: Actor, device: Authenticator, *, name: str = "laptop") -> PasskeyCard:
    """Have a person add the device as a passkey."""
    options = commands.challenge_passkey(actor=actor, site=SITE)
    return commands.add_passkey(actor=actor, name=name, made=device.made(options), site=SITE)
