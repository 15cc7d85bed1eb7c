"""Frozen values that leave accounts."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from console.accounts.states import ObjectKind, Role, Strength
from console.kernel.actors import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantCard:
    id: UUID
    slug: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonCard:
    """A person as one tenant knows them."""

    id: UUID
    name: str
    email: str
    roles: tuple[Role, ...]
    groups: tuple[str, ...]  # slugs, sorted
    active: bool
    sessions: int = 0  # open sessions in this tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewer:
    """An active person who may review now, as far as rules ask about them."""

    id: UUID
    name: str
    groups: frozenset[str]  # slugs


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a member is in a tenant, as far as it says what they may decide."""

    roles: frozenset[Role] = frozenset()
    groups: frozenset[str] = frozenset()  # slugs
    tools: frozenset[UUID] = frozenset()  # that they may review by a right of their own
    active: bool = True

    def gaining(self, gain: "Gain") -> "Standing":
        """Return what somebody is once people agreed to a gain."""
        return Standing(
            roles=self.roles | set(gain.roles),
            groups=self.groups | set(gain.groups),
            tools=self.tools | set(gain.tools),
            active=self.active or gain.active,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """By what of a change a person may decide more than before; nothing of it may be empty."""

    roles: tuple[Role, ...] = ()
    groups: tuple[str, ...] = ()
    tools: tuple[UUID, ...] = ()
    active: bool = False

    def __bool__(self) -> bool:
        return bool(self.roles or self.groups or self.tools or self.active)

    def joined(self, other: "Gain") -> "Gain":
        """Return both in one."""
        return Gain(
            roles=tuple(sorted({*self.roles, *other.roles})),
            groups=tuple(sorted({*self.groups, *other.groups})),
            tools=tuple(sorted({*self.tools, *other.tools})),
            active=self.active or other.active,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordSet:
    """Somebody else set a person's password, and could sign in with it."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A gain about which people are asked."""

    proposal_id: UUID
    title: str
    gain: Gain
    blocked: bool = False  # people said no to the same in the last day, so nobody is asked again


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What counts at once, and what waits for people."""

    person: PersonCard
    waiting: Waiting | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPerson:
    """The receipt for an added person; the password is shown this once and kept nowhere."""

    person: PersonCard
    password: str  # "" when they have an account already, or when it was given
    waiting: Waiting | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCard:
    id: UUID
    slug: str
    title: str
    people: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantCard:
    """A right on one agent or one tool, given to one person."""

    person_id: UUID
    kind: ObjectKind
    object_id: UUID
    codename: str
    granted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectCard:
    """An agent or a tool that a right can be given on."""

    id: UUID
    kind: ObjectKind
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCard:
    """A service key without its secret."""

    id: UUID
    name: str
    prefix: str
    scopes: tuple[str, ...]
    issued_by_id: UUID
    issued_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None  # None: never; otherwise at most a minute old
    live: bool  # neither expired nor revoked at the moment of reading


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """The receipt for a service key; the secret is shown this once and kept nowhere."""

    key: KeyCard
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCard:
    id: UUID
    person_id: UUID
    person: str
    address: str
    user_agent: str  # as it was sent; anybody can claim anything
    browser: str  # what that sounds like, in two words
    created_at: datetime
    seen_at: datetime
    here: bool  # the session that is asking


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """When and how a session last proved who it is."""

    at: datetime
    by: Strength
    age_s: float  # by the database's clock, at the moment of reading


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyCard:
    """A passkey without its counter."""

    id: UUID
    name: str
    credential_id: str  # base64url, as the browser names it
    public_key: bytes  # COSE
    transports: tuple[str, ...]
    created_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where the browser says it is; a passkey signs for one place alone."""

    host: str  # the relying party of WebAuthn
    origin: str  # scheme, host and port


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPasskey:
    """What a browser sends of a passkey it has made; all base64url."""

    credential_id: str
    client_data: str
    attestation: str
    transports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Who a live session stands for, and whether its "last seen" is due to be written again."""

    actor: Actor
    seen_long_ago: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Who proved who they are, and where they may go."""

    person_id: UUID
    name: str
    tenants: tuple[TenantCard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPerson:
    """Somebody of the demo whom one click signs in."""

    id: UUID
    name: str
    email: str
    tenant_id: UUID
    tenant: str
    roles: tuple[Role, ...]
