"""Proving who one is: counted attempts, an answer that takes the same time, one sentence for all.

Several transactions on purpose: an attempt must stay counted when it fails, and a password is
hashed while no transaction is open.
"""

from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from secrets import token_urlsafe
from typing import Final
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.db import connection

from audit.commands import record
from console.accounts import events, policies, queries
from console.accounts.cards import SignedIn
from console.accounts.errors import NoMembership, TooManyAttempts, WrongCredentials
from console.accounts.models import Person, RefusedSignIn
from console.kernel import tenancy
from console.kernel.actors import Actor, system
from console.kernel.ids import uuid7
from console.kernel.transactions import command

# One statement counts and answers, so parallel guesses cannot all see "four so far".
_TAKE: Final = """
INSERT INTO accounts_signinattempt AS a (bucket, failures, window_ends_at)
VALUES (%(bucket)s, 1, clock_timestamp() + make_interval(secs => %(lock_s)s))
ON CONFLICT (bucket) DO UPDATE SET
  failures = CASE WHEN a.window_ends_at <= clock_timestamp() THEN 1 ELSE a.failures + 1 END,
  window_ends_at = CASE WHEN a.window_ends_at <= clock_timestamp() OR a.failures < %(most)s
                        THEN clock_timestamp() + make_interval(secs => %(lock_s)s)
                        ELSE a.window_ends_at END
RETURNING failures, ceil(extract(epoch FROM window_ends_at - clock_timestamp()))::int
"""
_FORGET: Final = "DELETE FROM accounts_signinattempt WHERE bucket = %s"
_GIVE_BACK: Final = """
UPDATE accounts_signinattempt SET failures = greatest(failures - 1, 0) WHERE bucket = %s
"""


@dataclass(frozen=True, slots=True)
class _Buckets:
    """Digests, so that the table holds no addresses of people or machines."""

    pair: bytes
    address: bytes


def prove(*, actor: Actor, email: str, password: str) -> SignedIn:
    """Return who has this address and password, and the tenants they may enter.

    The attempt is counted before the password is looked at and taken back when it was right. A
    known address and an unknown one cost one hash each and get the same sentence.

    Args:
        actor: `queries.DOOR` with the network address and request of whoever asks.

    Raises:
        TooManyAttempts: five wrong answers for this account from this address within 15 minutes.
        WrongCredentials: no such account, an inactive one, or another password.
        NoMembership: the account is right, but belongs to no tenant.
    """
    email = email.strip().lower()
    buckets = _buckets(email, actor.address)
    wait_s = _take(buckets)
    person = _account(email)
    if wait_s:
        _keep_refusal(actor, person, TooManyAttempts.code)
        raise TooManyAttempts(wait_s)
    nobodys = _nobodys_hash()  # for both, so that the first unknown address takes no longer
    if not check_password(password, person.password if person else nobodys) or not person:
        _keep_refusal(actor, person, WrongCredentials.code)
        raise WrongCredentials
    _forgive(buckets)
    tenants = queries.tenants_of(actor=actor, person_id=person.id)
    if not tenants:
        raise NoMembership("Your account belongs to no tenant; ask an administrator to add you.")
    return SignedIn(person_id=person.id, name=person.name, tenants=tenants)


def note_refusals(*, limit: int = 100) -> int:
    """Put waiting refusals into the trails of the tenants they concern; return how many."""
    with tenancy.unscoped():
        waiting = list(RefusedSignIn.objects.order_by("id")[:limit])
        nobodys = [row.pk for row in waiting if row.tenant_id is None]
        RefusedSignIn.objects.filter(pk__in=nobodys).delete()
    for row in waiting:
        if row.tenant_id is not None and row.person_id is not None:
            part = system("accounts.door", row.tenant_id)
            note_refusal(
                actor=replace(part, address=row.address, request=row.request),
                refusal_id=row.id,
                person_id=row.person_id,
                code=row.code,
            )
    return len(waiting)


@command
def note_refusal(*, actor: Actor, refusal_id: UUID, person_id: UUID, code: str) -> None:
    """Record one refused sign-in; deleting the waiting row here makes it happen once."""
    gone, _by_model = RefusedSignIn.objects.filter(pk=refusal_id).delete()
    if gone:
        record(events.SignInRefused(person_id=person_id, code=code), actor=actor)


def _buckets(email: str, address: str) -> _Buckets:
    return _Buckets(
        pair=sha256(f"pair\0{email}\0{address}".encode()).digest(),
        address=sha256(f"address\0{address}".encode()).digest(),
    )


def _take(buckets: _Buckets) -> int:
    """Count one attempt under both buckets; return the seconds to wait, 0 to go on."""
    waits = [0]
    with tenancy.unscoped(), connection.cursor() as cursor:
        # Always in this order, so that two attempts never wait for each other in a circle.
        for bucket, most in (
            (buckets.address, policies.ATTEMPTS_PER_ADDRESS),
            (buckets.pair, policies.ATTEMPTS_PER_PAIR),
        ):
            cursor.execute(_TAKE, {"bucket": bucket, "most": most, "lock_s": policies.LOCK_S})
            failures, wait_s = cursor.fetchone()
            waits.append(max(wait_s, 1) if failures > most else 0)
    return max(waits)


def _forgive(buckets: _Buckets) -> None:
    with tenancy.unscoped(), connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK, [buckets.address])
        cursor.execute(_FORGET, [buckets.pair])


def _account(email: str) -> Person | None:
    with tenancy.unscoped():
        return Person.objects.filter(email=email, is_active=True).first()


@cache
def _nobodys_hash() -> str:
    """Return a hash that no password fits, made with the same cost as a real one."""
    return make_password(token_urlsafe(32))


def _keep_refusal(actor: Actor, person: Person | None, code: str) -> None:
    """Leave a refusal for the trail; the same statements run whether or not the account exists."""
    tenants = queries.tenants_of(actor=actor, person_id=person.id if person else uuid7())
    concerned: list[UUID | None] = [tenant.id for tenant in tenants] or [None]
    with tenancy.unscoped():
        RefusedSignIn.objects.bulk_create(
            RefusedSignIn(
                tenant_id=tenant_id,
                person=person,
                code=code,
                address=actor.address,
                request=actor.request,
            )
            for tenant_id in concerned
        )
