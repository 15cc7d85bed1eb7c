"""Service keys: a program's way in, shown once and stored as a hash."""

import secrets
from collections.abc import Iterable
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from audit.commands import record
from console.accounts import events, policies, queries
from console.accounts.cards import NewKey
from console.accounts.errors import AlreadyThere
from console.accounts.models import KeyUse, ServiceKey
from console.accounts.states import Permission
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import NotAllowed, NotFound
from console.kernel.ids import uuid7
from console.kernel.lines import require_plain_line
from console.kernel.transactions import command

PREFIX = "sb_"
SHOWN = 10  # characters of a key that lists show: `sb_` and seven of 43


@command
def create_key(*, actor: Actor, name: str, scopes: Iterable[str], days: int) -> NewKey:
    """Make a key that carries the scopes for this many days; its secret is in the receipt only.

    Raises:
        ScopeRefused: a scope that machines never get, or that the maker does not have.
        AlreadyThere: a live key has this name.
    """
    queries.require(actor, Permission.KEYS_MANAGE)
    if not actor.is_person:
        raise NotAllowed("Only a person makes service keys; sign in and make it there.")
    require_plain_line("name", name)
    wanted = frozenset(scopes)
    policies.require_scopes(wanted, held=actor.permissions)
    policies.require_key_days(days)

    secret = PREFIX + secrets.token_urlsafe(32)
    now = clock.now()
    row = ServiceKey(
        tenant_id=actor.tenant_id,
        name=name,
        prefix=secret[:SHOWN],
        key_hash=sha256(secret.encode()).digest(),
        scopes=sorted(wanted),
        issued_by_id=UUID(actor.id),
        expires_at=now + timedelta(days=days),
    )
    ServiceKey.objects.bulk_create([row], ignore_conflicts=True)
    stored = ServiceKey.objects.filter(pk=row.pk).select_related("issued_by").first()
    if stored is None:
        raise AlreadyThere(f"A key named {name} is in use; revoke it or choose another name.")
    record(
        events.KeyCreated(
            key_id=row.id,
            prefix=row.prefix,
            scopes=tuple(row.scopes),
            expires_at=row.expires_at.isoformat(),
        ),
        actor=actor,
    )
    return NewKey(key=queries.key_card(stored, at=now), secret=secret)


@command
def revoke_key(*, actor: Actor, key_id: UUID) -> bool:
    """Stop a key for good; say whether it was not stopped before.

    Raises:
        NotFound: no such key in this tenant.
    """
    queries.require(actor, Permission.KEYS_MANAGE)
    row = ServiceKey.objects.select_for_update().filter(pk=key_id).first()
    if row is None:
        raise NotFound("There is no such key here; look at the list of keys.")
    if row.revoked_at is not None:
        return False
    ServiceKey.objects.filter(pk=row.pk).update(revoked_at=clock.now())
    record(events.KeyRevoked(key_id=row.id, cause="asked"), actor=actor)
    return True


@command
def revoke_keys_of(*, actor: Actor, person_id: UUID) -> int:
    """Stop every key that a person made: whoever leaves may still know the secrets."""
    rows = ServiceKey.objects.select_for_update().filter(
        tenant_id=actor.tenant_id, issued_by_id=person_id, revoked_at__isnull=True
    )
    ids = [row.id for row in rows.order_by("id")]
    ServiceKey.objects.filter(pk__in=ids).update(revoked_at=clock.now())
    for key_id in ids:
        record(events.KeyRevoked(key_id=key_id, cause="issuer_left"), actor=actor)
    return len(ids)


@command
def note_key_use(*, actor: Actor) -> None:
    """Note that the key which asks was used, at most once a minute; no event, nothing changed."""
    now = clock.now()
    use = KeyUse(id=uuid7(), tenant_id=actor.tenant_id, key_id=UUID(actor.id), used_at=now)
    KeyUse.objects.bulk_create([use], ignore_conflicts=True)
    KeyUse.objects.filter(
        key_id=use.key_id, used_at__lt=now - timedelta(seconds=policies.SEEN_EVERY_S)
    ).update(used_at=now)
