"""What a passkey signs, and what it signed, as it is kept beside the vote and in the trail."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from console.accounts.assertions import options_for
from console.kernel import canonical

STATEMENT_TYPE: Final = "signalbox/vote/1"
ASSERTION_TYPE: Final = "signalbox/assertion/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One person's word on one digest."""

    tenant_id: UUID
    proposal_id: UUID
    revision_no: int
    digest: str  # SHA-256 of the revision, 64 hex characters
    choice: str  # approvals.states.Choice
    person_id: UUID

    def challenge(self, nonce: str) -> bytes:
        """Return the 32 bytes that a passkey signs for this statement."""
        return canonical.digest(
            {
                "type": STATEMENT_TYPE,
                "tenant": str(self.tenant_id),
                "proposal": str(self.proposal_id),
                "revision": self.revision_no,
                "digest": self.digest,
                "choice": self.choice,
                "person": str(self.person_id),
                "nonce": nonce,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What a browser hands in with a vote; base64url, but for where it says it is."""

    nonce: str
    credential_id: str
    authenticator_data: str
    client_data: str
    signature: str
    host: str  # the relying party of WebAuthn, as the server sees it
    origin: str  # scheme, host and port, as the server sees them

    def assertion(self, public_key: str) -> "Assertion":
        return Assertion(
            nonce=self.nonce,
            origin=self.origin,
            rp_id=self.host,
            authenticator_data=self.authenticator_data,
            client_data=self.client_data,
            signature=self.signature,
            public_key=public_key,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """All that is needed to verify a signature without this installation; bytes as base64url."""

    nonce: str
    origin: str
    rp_id: str
    authenticator_data: str
    client_data: str
    signature: str
    public_key: str  # COSE

    def as_dict(self) -> dict[str, str]:
        """Return the assertion as JSON, the form in which it is kept."""
        return {"type": ASSERTION_TYPE, **asdict(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Assertion":
        """Read what `as_dict` wrote.

        Raises:
            ValueError: a field is missing, unknown or no text, or it is another type of thing.
        """
        texts = {name: value for name, value in values.items() if isinstance(value, str)}
        if texts.pop("type", "") != ASSERTION_TYPE or len(texts) != len(values) - 1:
            raise ValueError("This is no assertion of a vote.")
        if set(texts) != set(cls.__slots__):
            raise ValueError("An assertion has other fields than these.")
        return cls(**texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteChallenge:
    """What `navigator.credentials.get` is to sign, by one of these passkeys, until then."""

    nonce: str  # base64url
    challenge: bytes  # of the statement with the nonce
    credentials: tuple[tuple[str, tuple[str, ...]], ...]  # id in base64url, transports
    expires_at: datetime

    def options(self, host: str) -> dict[str, Any]:
        """Return the `publicKey` of `navigator.credentials.get`, WebAuthn level 3 section 5.5."""
        return options_for(self.challenge, host=host, credentials=self.credentials)
