"""What the frame of every page shows, and whether the database answers."""

from uuid import UUID

from django.db import connection

from agents.controls import queries as controls
from approvals import queries as approvals
from audit import queries as audit
from console.accounts import queries as accounts
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.templatetags.signalbox import short
from console.kernel.transactions import query
from console.shell.cards import Counts, StopLine, Who


@query
def counts(*, actor: Actor, part: str, turns: int | None) -> Counts:
    """Return who is signed in, what waits for them, and which stops stand, all at one moment.

    Args:
        part: of a page, that is refetched most and shows no names; the banner no counts either.
        turns: how many proposals wait for the person, where the page has counted them.
    """
    if turns is None:
        counted = part != "banner" and actor.has("approvals.vote")
        turns = approvals.turn_count(actor=actor) if counted else 0
    return Counts(
        person=None if part else _who(actor),
        tenant="" if part else _tenant(actor),
        within_reach=not part and audit.guards(actor=actor).is_within_reach,
        turns=turns,
        stops=stops(actor=actor),
        at=None if part else clock.now(),
    )


def _who(actor: Actor) -> Who:
    card = accounts.person_card(actor=actor, person_id=UUID(actor.id))
    roles = tuple(role.value for role in card.roles)
    return Who(id=card.id, name=card.name, email=card.email, roles=roles)


def _tenant(actor: Actor) -> str:
    mine = accounts.tenants_of(actor=actor, person_id=UUID(actor.id))
    return next((tenant.name for tenant in mine if tenant.id == actor.tenant_id), "")


@query
def stops(*, actor: Actor) -> tuple[StopLine, ...]:
    """Return the stops that stand, newest first."""
    lines = [
        StopLine(
            target=_target(str(card.scope)),
            who=card.engaged_by,
            why=card.reason,
            at=card.engaged_at,
            confirmed=card.confirmation.confirmed,
            of=card.confirmation.of,
        )
        for card in controls.banner(actor=actor)
    ]
    return tuple(sorted(lines, key=lambda line: line.at, reverse=True))


def parts() -> dict[str, str]:
    """Ask the database whether it answers.

    Raises:
        django.db.Error: it does not.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return {"database": "ok"}


def _target(scope: str) -> str:
    kind, _, value = scope.partition(":")
    if kind == "run":
        value = short(value)
    return f"{kind} {value}" if value else "everything"
