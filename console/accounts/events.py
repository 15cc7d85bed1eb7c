"""Facts of accounts, in the past tense."""

from dataclasses import dataclass
from uuid import UUID

from audit.events import Event


@dataclass(frozen=True, kw_only=True)
class TenantCreated(Event):
    """An organisation began to use this installation."""

    name = "tenant.created"
    subject = "tenant_id"

    tenant_id: UUID
    slug: str


@dataclass(frozen=True, kw_only=True)
class PersonAdded(Event):
    """A person became a member of the tenant."""

    name = "person.added"
    subject = "person_id"
    topics = ("accounts.people",)

    person_id: UUID
    roles: tuple[str, ...]
    groups: tuple[str, ...]  # slugs


@dataclass(frozen=True, kw_only=True)
class MembershipChanged(Event):
    """A person's roles, groups or activity in the tenant changed."""

    name = "membership.changed"
    subject = "person_id"
    target_type = "person"
    topics = ("accounts.people",)

    person_id: UUID
    proposal_id: UUID | None = None  # by which people agreed to it


@dataclass(frozen=True, kw_only=True)
class PasswordReset(Event):
    """An administrator gave a person a new initial password; all sessions of the person ended."""

    name = "person.password_reset"
    subject = "person_id"

    person_id: UUID


@dataclass(frozen=True, kw_only=True)
class PasswordChanged(Event):
    """A person chose a new password; their other sessions ended."""

    name = "person.password_changed"
    subject = "person_id"

    person_id: UUID


@dataclass(frozen=True, kw_only=True)
class GroupCreated(Event):
    """A review group was made."""

    name = "group.created"
    subject = "group_id"
    topics = ("accounts.people",)

    group_id: UUID
    slug: str


@dataclass(frozen=True, kw_only=True)
class GrantGiven(Event):
    """A person got a right on a single agent or tool."""

    name = "grant.given"
    subject = "person_id"
    target_type = "person"
    topics = ("accounts.people",)

    person_id: UUID
    object_kind: str
    object_id: UUID
    right: str
    proposal_id: UUID | None = None  # by which people agreed to it


@dataclass(frozen=True, kw_only=True)
class GrantTaken(Event):
    """A person lost a right on a single agent or tool."""

    name = "grant.taken"
    subject = "person_id"
    target_type = "person"
    topics = ("accounts.people",)

    person_id: UUID
    object_kind: str
    object_id: UUID
    right: str


@dataclass(frozen=True, kw_only=True)
class KeyCreated(Event):
    """A service key was made; its secret was shown once."""

    name = "key.created"
    subject = "key_id"
    topics = ("accounts.keys",)

    key_id: UUID
    prefix: str
    scopes: tuple[str, ...]
    expires_at: str  # ISO 8601, UTC


@dataclass(frozen=True, kw_only=True)
class KeyRevoked(Event):
    """A service key stopped working."""

    name = "key.revoked"
    subject = "key_id"
    topics = ("accounts.keys",)

    key_id: UUID
    cause: str  # "asked" or "issuer_left"


@dataclass(frozen=True, kw_only=True)
class SessionStarted(Event):
    """A person signed in to the tenant."""

    name = "session.started"
    subject = "session_id"
    topics = ("accounts.sessions:{person_id}",)

    session_id: UUID
    person_id: UUID


@dataclass(frozen=True, kw_only=True)
class SessionEnded(Event):
    """A session ended; the next request with it is that of a stranger."""

    name = "session.ended"
    subject = "session_id"
    topics = ("accounts.sessions:{person_id}", "session:{digest}")

    session_id: UUID
    person_id: UUID
    digest: str  # SHA-256 of the session key, 64 hex characters
    cause: str  # "signed_out", "elsewhere", "everywhere", "deactivated", "password"


@dataclass(frozen=True, kw_only=True)
class SessionProved(Event):
    """The person of an open session proved once more who they are."""

    name = "session.proved"
    subject = "session_id"

    session_id: UUID
    person_id: UUID
    by: str  # "password" or "passkey"
    passkey_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class PasskeyAdded(Event):
    """A person can sign votes with one more passkey."""

    name = "passkey.added"
    subject = "passkey_id"
    topics = ("accounts.sessions:{person_id}",)

    passkey_id: UUID
    person_id: UUID
    credential_id: str  # base64url
    public_key: str  # base64url of the COSE key, so that signatures can be verified from the trail


@dataclass(frozen=True, kw_only=True)
class PasskeyRemoved(Event):
    """A passkey signs nothing any more."""

    name = "passkey.removed"
    subject = "passkey_id"
    topics = ("accounts.sessions:{person_id}",)

    passkey_id: UUID
    person_id: UUID


@dataclass(frozen=True, kw_only=True)
class SignInRefused(Event):
    """Somebody named this person's address and could not prove to be them."""

    name = "sign_in.refused"
    subject = "person_id"
    target_type = "person"

    person_id: UUID
    code: str
