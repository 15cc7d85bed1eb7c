"""The fixed cast: Ruth, Ines, Omar and Noor, and Mallory elsewhere.

`make_cast` gives new people in two new tenants, made by the same commands as real ones, so tests
commit for real and never see each other.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache, cached_property
from uuid import UUID

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import Client
from rest_framework.test import APIClient

from console.accounts import commands, policies
from console.accounts.cards import PersonCard, TenantCard
from console.accounts.models import SessionRecord
from console.kernel import clock
from console.kernel.actors import Actor, ActorKind, system
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant

PASSWORD = "levers and bells 1874"
HOST = "localhost"


class QuickArgon2(Argon2PasswordHasher):
    """Argon2 at its lowest cost: being slow is its purpose, but not what these tests look at."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1


@cache
def password_hash() -> str:
    """Return one hash for everybody; checking it goes the same way as for a slow one."""
    hasher = QuickArgon2()
    return hasher.encode(PASSWORD, hasher.salt())


@dataclass(frozen=True, slots=True)
class Member:
    """One person of the cast: the actor for commands, address and password for the test client."""

    actor: Actor
    email: str
    password: str = PASSWORD

    @property
    def id(self) -> UUID:
        return UUID(self.actor.id)


class Members(dict[str, Member]):
    """People by name. Mallory and her tenant are made when a test first asks: most never do."""

    @cached_property
    def elsewhere(self) -> TenantCard:
        return make_tenant("Harbour Books", "harbour")

    def __missing__(self, name: str) -> Member:
        if name != "mallory":
            raise KeyError(name)
        every_role = ("reviewer", "operator", "auditor", "admin")
        self[name] = _member(self.elsewhere, name, "harbour", every_role, ())
        return self[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Two tenants and their people; `cast.ruth` is an Actor, `cast.client("ruth")` her browser."""

    tenant: TenantCard
    members: Members = field(default_factory=Members)

    @property
    def elsewhere(self) -> TenantCard:
        """The other tenant."""
        return self.members.elsewhere

    @property
    def tenant_id(self) -> UUID:
        return self.tenant.id

    @property
    def ruth(self) -> Actor:
        """Reviewer, group `care`."""
        return self.members["ruth"].actor

    @property
    def ines(self) -> Actor:
        """Reviewer, group `finance`."""
        return self.members["ines"].actor

    @property
    def omar(self) -> Actor:
        """Operator."""
        return self.members["omar"].actor

    @property
    def noor(self) -> Actor:
        """Auditor and administrator."""
        return self.members["noor"].actor

    @property
    def mallory(self) -> Actor:
        """Everything at once, in another tenant."""
        return self.members["mallory"].actor

    @property
    def system(self) -> Actor:
        """A part of the product, in the cast's tenant."""
        return system("tests", self.tenant.id)

    def email(self, name: str) -> str:
        return self.members[name].email

    def client(self, name: str, *, enforce_csrf_checks: bool = False) -> Client:
        """Return a browser that has signed in with address and password, on the console's host."""
        client = Client(SERVER_NAME=HOST, enforce_csrf_checks=enforce_csrf_checks)
        return sign_in(client, self.members[name])

    def api(self, name: str) -> APIClient:
        """Return an API client with a person's session; CSRF is off, as in Django's own client."""
        client = APIClient(SERVER_NAME=HOST)
        sign_in(client, self.members[name])
        return client

    def key_client(self, *scopes: str) -> APIClient:
        """Return an API client with a new service key of these scopes, made by Noor."""
        made = commands.create_key(actor=self.noor, name=f"k{uuid7()}", scopes=scopes, days=1)
        client = APIClient(SERVER_NAME=HOST)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {made.secret}")
        return client

    def add(self, name: str, *, roles: tuple[str, ...], groups: tuple[str, ...] = ()) -> Actor:
        """Add one more person to the cast's tenant; also reachable as `client(name)`."""
        self.members[name] = _member(self.tenant, name, "meridian", roles, groups)
        return self.members[name].actor


def sign_in(client: Client, member: Member) -> Client:
    """Sign a client in by the real form."""
    answer = client.post("/sign-in/", {"email": member.email, "password": member.password})
    assert answer.status_code == 302, answer.content.decode()[:2000]
    return client


def actor_for(tenant_id: UUID, person: PersonCard, *, session: str) -> Actor:
    """Return the actor that a session of this person would give."""
    return Actor(
        tenant_id=tenant_id,
        kind=ActorKind.PERSON,
        id=str(person.id),
        label=person.name,
        session=session,
        strength="password",
        permissions=policies.permissions_of(person.roles),
        groups=frozenset(person.groups),
    )


def signed_in(tenant_id: UUID, person: PersonCard) -> Actor:
    """Return the actor of a person who has just signed in, without the hashing of a password."""
    # Without the event of a sign-in, so that a test's trail begins with what the test does.
    row = SessionRecord.objects.create(
        digest=uuid7().hex * 2,
        person_id=person.id,
        tenant_id=tenant_id,
        user_agent="tests",
        expires_at=clock.now() + timedelta(hours=12),
    )
    return actor_for(tenant_id, person, session=row.digest)


def make_tenant(name: str, slug: str) -> TenantCard:
    return commands.create_tenant(
        actor=system("tests", uuid7()), slug=f"{slug}-{uuid7().hex[-12:]}", name=name
    )


def make_cast(founding: Callable[[Cast], object] = lambda _cast: None) -> Cast:
    """Return new people in two new tenants.

    Args:
        founding: what the tenant sets before it has people who could agree to it.
    """
    cast = Cast(tenant=make_tenant("Meridian Retail", "meridian"))
    with in_tenant(cast.tenant_id):
        founding(cast)
        for slug, title in (("care", "Customer care"), ("finance", "Finance")):
            commands.create_group(actor=cast.system, slug=slug, title=title)
        cast.add("ruth", roles=("reviewer",), groups=("care",))
        cast.add("ines", roles=("reviewer",), groups=("finance",))
        cast.add("omar", roles=("operator",))
        cast.add("noor", roles=("auditor", "admin"))
    return cast


def with_permissions(actor: Actor, *more: str) -> Actor:
    """Return the actor with further permissions, for a policy that no role of the cast has."""
    return replace(actor, permissions=actor.permissions | set(more))


def _member(
    tenant: TenantCard, name: str, domain: str, roles: tuple[str, ...], groups: tuple[str, ...]
) -> Member:
    email = f"{name}.{uuid7().hex[-12:]}@{domain}.example"
    made = commands.add_person(
        actor=system("tests", tenant.id),
        email=email,
        name=name.capitalize(),
        roles=roles,
        groups=groups,
        password_hash=password_hash(),
    )
    # A session for each person: two votes need two, and a fresh one where the tier is high.
    return Member(actor=signed_in(tenant.id, made.person), email=email)
