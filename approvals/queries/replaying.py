"""Past calls as the rules saw them, and how far replays have come."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection

from approvals.cards import ReplayCard, ReplayedCall
from approvals.models import Evaluation, Replay, ReplayCall
from approvals.policies.replaying import Past
from approvals.states import Purpose, ReplaySays, ReplayState, Says
from console.accounts.queries import require
from console.accounts.states import Permission
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from console.kernel.transactions import query

_PAST: Final = """
SELECT e.created_at, e.id, e.facts::text, e.versions, e.outcome, e.people,
       p.id, p.tool, p.tier, p.agent_id, p.subject_kind, r.args, r.before, r.after
  FROM approvals_evaluation e
  JOIN approvals_proposal p ON p.tenant_id = e.tenant_id AND p.id = e.proposal_id
  JOIN approvals_revision r
    ON r.tenant_id = e.tenant_id AND r.proposal_id = e.proposal_id AND r.no = e.revision_no
 WHERE e.tenant_id = %(tenant)s AND e.purpose = 'propose' AND e.created_at < %(until)s
   AND e.created_at >= %(at)s AND (e.created_at, e.id) > (%(at)s, %(id)s)
 ORDER BY e.created_at, e.id LIMIT %(limit)s
"""
_MOST: Final = 20
_STUCK_S: Final = 20  # many times what a piece takes
_AT_ONCE: Final = 200


@query
def replay(*, actor: Actor, replay_id: UUID) -> ReplayCard:
    """Return how far one replay has come.

    Raises:
        NotFound: there is none of this id in the tenant.
    """
    require(actor, Permission.APPROVALS_VIEW)
    row = Replay.objects.filter(tenant_id=actor.tenant_id, pk=replay_id).first()
    if row is None:
        raise NotFound("There is no such replay here; start one from a version of a policy.")
    return row.card()


@query
def replays_of(*, actor: Actor, version_id: UUID) -> tuple[ReplayCard, ...]:
    """Return the newest replays of a version."""
    require(actor, Permission.APPROVALS_VIEW)
    rows = Replay.objects.filter(tenant_id=actor.tenant_id, version=version_id)
    return tuple(row.card() for row in rows.order_by("-created_at")[:_MOST])


@query
def replayed_calls(
    *,
    actor: Actor,
    replay_id: UUID,
    difference: ReplaySays | None = None,
    after: int = 0,
    limit: int = 50,
) -> tuple[ReplayedCall, ...]:
    """Return calls that would have gone another way, the oldest first, after the one of a number.

    Raises:
        NotFound: there is no such replay in the tenant.
    """
    replay(actor=actor, replay_id=replay_id)
    rows = ReplayCall.objects.filter(tenant_id=actor.tenant_id, replay=replay_id, no__gt=after)
    if difference is not None:
        rows = rows.filter(difference=difference.value)
    return tuple(row.card() for row in rows.order_by("no")[:limit])


@query
def stuck_replays(*, actor: Actor) -> tuple[UUID, ...]:
    """Return replays that should go on and have not for a while: their worker died."""
    rows = Replay.objects.filter(
        tenant_id=actor.tenant_id,
        state=ReplayState.RUNNING.value,
        moved_at__lt=clock.now() - timedelta(seconds=_STUCK_S),
    )
    return tuple(rows.values_list("id", flat=True))


def how_many(tenant_id: UUID, since: datetime, until: datetime) -> int:
    """Return how many past calls there are to look at."""
    return Evaluation.objects.filter(
        tenant_id=tenant_id,
        purpose=Purpose.PROPOSE.value,
        created_at__gte=since,
        created_at__lt=until,
    ).count()


def past_calls(row: Replay, *, limit: int) -> Iterator[list[tuple[datetime, UUID, Past]]]:
    """Yield the calls that come after those a replay has seen, with their place, some at a time.

    What calls change may be long, so that only so many are in memory.
    """
    given: dict[str, Any] = {
        "tenant": row.tenant_id,
        "until": row.until,
        "at": row.last_at,
        "id": row.last_id,
        "limit": limit,
    }
    with connection.chunked_cursor() as cursor:
        cursor.execute(_PAST, given)
        while found := cursor.fetchmany(_AT_ONCE):
            yield [_past(*each) for each in found]


def _past(
    at: datetime, id_: UUID, facts: str, versions: list[UUID], says: str, people: int, *call: Any
) -> tuple[datetime, UUID, Past]:
    proposal_id, tool, tier, agent, kind, args, before, after = call
    past = Past(
        proposal_id=proposal_id,
        tool=tool,
        tier=tier,
        agent=agent,
        subject_kind=kind,
        versions=tuple(versions),
        facts=facts,
        args=bytes(args),
        before=bytes(before),
        after=bytes(after),
        says=Says(says),
        people=people,
    )
    return at, id_, past
