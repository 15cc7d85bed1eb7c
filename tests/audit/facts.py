"""Events and small acts for the trail's tests; tenants are just ids, the trail needs no more."""

import time
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import psycopg

from audit import direct, growing
from audit.commands import Receipt, record
from audit.events import Change, Event
from audit.projection import Projector
from audit.sealing import Sealer
from audit.signer import Signer, trusted_key
from audit.verification import Verification
from console.kernel.actors import Actor, ActorKind
from console.kernel.transactions import command


@dataclass(frozen=True, kw_only=True)
class ThingNoted(Event):
    """Something was noted about a thing, in a test."""

    name = "test.noted"
    subject = "thing_id"
    topics = ("test.things", "test.thing:{thing_id}")

    thing_id: UUID
    n: int = 0
    note: Any = ""


def person(name: str = "Noor", *permissions: str, tenant_id: UUID | None = None) -> Actor:
    return Actor(
        tenant_id=tenant_id or uuid4(),
        kind=ActorKind.PERSON,
        id=str(uuid4()),
        label=name,
        strength="password",
        permissions=frozenset(permissions),
    )


@command
def note(
    *,
    actor: Actor,
    n: int = 1,
    thing_id: UUID | None = None,
    text: Any = "",
    changes: tuple[Change, ...] = (),
) -> list[Receipt]:
    """Record n events in one transaction."""
    thing = thing_id or uuid4()
    return [
        record(ThingNoted(thing_id=thing, n=i, note=text, changes=changes), actor=actor)
        for i in range(n)
    ]


def seal() -> int:
    """Seal everything that is committed now; returns the number of rounds that wrote something."""
    sealer, rounds = Sealer(), 0
    try:
        while sealer.run_round() is not None:
            rounds += 1
    finally:
        sealer.close()
    return rounds


def log_of(actor: Actor) -> UUID:
    with direct.connect("owner") as owner:
        query = "SELECT id FROM audit_log WHERE tenant_id = %s"
        row = owner.execute(query, [actor.tenant_id]).fetchone()
    assert row is not None
    found: UUID = row[0]
    return found


def sign(actor: Actor) -> int:
    signer = Signer()
    try:
        return signer.sign_heads(only=[log_of(actor)])
    finally:
        signer.close()


def project() -> None:
    projector = Projector()
    try:
        while projector.catch_up():
            pass
    finally:
        projector.close()


def settle(actor: Actor) -> None:
    """Seal, sign and project, as pulse does all the time."""
    seal()
    sign(actor)
    project()


def settle_meta(actor: Actor, *, again: bool = False) -> None:
    """Seal until the meta log names this tenant's head, which it does at most once a second.

    Args:
        again: it has to be the newest head, and not just any of them.
    """
    deadline = time.monotonic() + 20
    newest = "(SELECT max(round_no) FROM audit_head WHERE log_id = %(log)s)" if again else "0"
    with direct.connect("owner") as owner:
        query = f"""SELECT count(*) FROM audit_meta_leaf
                     WHERE log_id = %(log)s AND round_no >= {newest}"""
        while not (owner.execute(query, {"log": log_of(actor)}).fetchone() or (0,))[0]:
            assert time.monotonic() < deadline, "the meta log never named the head"
            seal()


def vouch(actor: Actor) -> None:
    """Seal and sign until the newest head is under a signed head of the meta log, and searchable.

    The meta log takes a head in every round here; once a second would be waited for in vain.
    """
    with patch.object(growing, "META_EVERY_US", 0):
        seal()
        settle_meta(actor, again=True)
    signer = Signer()
    try:
        with direct.connect("owner") as owner:
            row = owner.execute("SELECT id FROM audit_log WHERE kind = 'meta'").fetchone()
        signer.sign_heads(only=[log_of(actor), *(row or ())])
    finally:
        signer.close()
    project()


def found_wrong(connection: "psycopg.Connection[Any]", actor: Actor) -> set[tuple[int | None, str]]:
    """Verify one tenant over a connection; returns (index, field) of every mismatch."""

    def keys(origin: str) -> list[Any]:
        own = trusted_key(origin)
        return [own] if own else []

    report = Verification(connection, keys=keys, tenant_id=actor.tenant_id).run()
    return {(wrong.index, wrong.field) for wrong in report.mismatches}
