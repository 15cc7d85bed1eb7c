"""Asking a version about past calls, some thousand at a time, each in a transaction of its own.

Whoever goes on (a worker, pulse after a crash, the command line) locks the row, looks at the next
calls and notes how far it came; two at the same time take turns and count nothing twice.
"""

from collections import Counter
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection

from approvals.cards import ReplayCard
from approvals.errors import PolicyConflict
from approvals.models import PolicyVersion, Replay
from approvals.policies.replaying import Asking, Past, Replayed, measured, replayed
from approvals.policies.sampling import as_turned
from approvals.queries.replaying import how_many, past_calls, stuck_replays
from approvals.queries.sampling import turned_rules
from approvals.states import PolicyState, ReplaySays, ReplayState, Says
from console.accounts.queries import require
from console.accounts.states import Permission
from console.kernel import canonical, clock, outbox
from console.kernel.actors import Actor
from console.kernel.errors import BadInput, NotFound
from console.kernel.ids import uuid7
from console.kernel.transactions import command

MOST_DAYS: Final = 366
CHUNK: Final = 4_000  # about a second: so often the bar moves, and so much a crash repeats
MOST_NAMED: Final = 10_000  # calls of each kind of difference; all are counted
_FIRST: Final = UUID(int=0)
_TASK: Final = "approvals.replay"
_NOT_NAMED: Final = frozenset({ReplaySays.UNCHANGED})
# One statement for thousands of rows; row security has no COPY.
_KEEP: Final = """
INSERT INTO approvals_replaycall (id, tenant_id, replay_id, no, proposal_id, tool, difference,
                                  was, was_people, says, people, rules)
SELECT id, %(tenant)s, %(replay)s, no, proposal_id, tool, difference, was, was_people, says, people,
       rules
  FROM jsonb_to_recordset(%(calls)s::jsonb) AS one(
       id uuid, no integer, proposal_id uuid, tool text, difference text, was text,
       was_people smallint, says text, people smallint, rules text[])
"""


@command
def start_replay(*, actor: Actor, version_id: UUID, days: int) -> ReplayCard:
    """Ask a version about the calls of the last days; one that runs already is returned.

    Raises:
        BadInput: the number of days is not one of 1 to 366.
        NotFound: there is no such version.
        NotAllowed: the actor may not manage policies.
    """
    require(actor, Permission.POLICIES_MANAGE)
    if not 1 <= days <= MOST_DAYS:
        raise BadInput(f"Choose 1 to {MOST_DAYS} days.", fields={"days": f"1 to {MOST_DAYS}."})
    version = PolicyVersion.objects.select_for_update().filter(pk=version_id).first()
    if version is None:
        raise NotFound("There is no such version of a policy here; look at the list of policies.")
    running = Replay.objects.filter(version=version, state=ReplayState.RUNNING.value).first()
    if running is not None:
        return running.card()
    at = clock.now()
    since = at - timedelta(days=days)
    total = how_many(actor.tenant_id, since, at)
    row = Replay.objects.create(
        tenant_id=actor.tenant_id,
        version=version,
        days=days,
        state=(ReplayState.RUNNING if total else ReplayState.DONE).value,
        since=since,
        until=at,
        total=total,
        last_at=since,
        last_id=_FIRST,
        started_by=actor.label,
        moved_at=at,
    )
    if total:
        _go_on(row)
    return row.card()


@command
def advance_replay(*, actor: Actor, replay_id: UUID, most: int = CHUNK) -> ReplayCard:
    """Look at the next calls of a replay; one that ended stays as it is.

    Raises:
        NotFound: there is no such replay.
    """
    row = _locked(actor, replay_id)
    if row.state != ReplayState.RUNNING.value:
        return row.card()
    rows = list(
        PolicyVersion.objects.filter(state=PolicyState.ACTIVE.value).exclude(
            policy=row.version.policy
        )
    )
    active = [one.active() for one in (*rows, row.version)]
    turned = turned_rules(actor.tenant_id, [one.version for one in active])
    asking = Asking(as_turned(active, turned, tier=1))  # what is kept had a proposal
    then: dict[UUID, Any] = {}
    tally = _Tally(row)
    for found in past_calls(row, limit=most):
        asked = {version for _, _, past in found for version in past.versions}.difference(then)
        then |= measured(one.active() for one in PolicyVersion.objects.filter(pk__in=asked))
        for _, _, past in found:
            tally.add(past, replayed(past, asking, then))
        row.last_at, row.last_id, _ = found[-1]
    tally.keep()
    if tally.looked_at < most:
        row.state, row.done = ReplayState.DONE.value, row.total
    return _moved(row)


@command
def cancel_replay(*, actor: Actor, replay_id: UUID) -> ReplayCard:
    """End a replay where it is.

    Raises:
        PolicyConflict: it has ended.
        NotFound: there is no such replay.
        NotAllowed: the actor may not manage policies.
    """
    require(actor, Permission.POLICIES_MANAGE)
    row = _locked(actor, replay_id)
    if row.state != ReplayState.RUNNING.value:
        raise PolicyConflict(f"This replay is {row.state}; there is nothing to cancel.")
    row.state = ReplayState.CANCELLED.value
    return _moved(row)


@command
def resume_replays(*, actor: Actor) -> int:
    """Have workers go on with what nobody has moved for a while; returns how many."""
    rows = Replay.objects.filter(pk__in=stuck_replays(actor=actor))
    for row in rows:
        _go_on(row)
    return len(rows)


class _Tally:
    """Counts what is different, on top of what the row has, and names the calls."""

    def __init__(self, row: Replay) -> None:
        self.row = row
        self.counts: Counter[str] = Counter(row.counts)
        # What committed late may be more than there was to count, so it is not what was done.
        self.place = self.began = self.counts.total()
        self.named: list[dict[str, Any]] = []

    def add(self, past: Past, found: Replayed) -> None:
        says = found.says
        self.place += 1
        self.counts[says.value] += 1
        self.row.held_before += past.says is Says.HOLD
        self.row.held_after += found.verdict is not None and found.verdict.says is Says.HOLD
        if says not in _NOT_NAMED and self.counts[says.value] <= MOST_NAMED:
            self.named.append(_named(past, found, self.place))

    @property
    def looked_at(self) -> int:
        return self.place - self.began

    def keep(self) -> None:
        self.row.counts = dict(self.counts)
        self.row.done = min(self.row.total, self.place)
        if not self.named:
            return
        with connection.cursor() as cursor:
            values: dict[str, Any] = {
                "tenant": self.row.tenant_id,
                "replay": self.row.pk,
                "calls": canonical.dumps(self.named).decode(),
            }
            cursor.execute(_KEEP, values)


def _named(past: Past, found: Replayed, place: int) -> dict[str, Any]:
    verdict = found.verdict
    asked = verdict.requirement if verdict and verdict.says is Says.HOLD else None
    return {
        "id": str(uuid7()),
        "no": place,
        "proposal_id": str(past.proposal_id),
        "tool": past.tool,
        "difference": found.says.value,
        "was": past.says.value,
        "was_people": past.people,
        "says": verdict.says.value if verdict else "",
        "people": asked.people if asked else 0,
        "rules": list(verdict.rules) if verdict else [],
    }


def _locked(actor: Actor, replay_id: UUID) -> Replay:
    rows = Replay.objects.select_for_update().filter(tenant_id=actor.tenant_id)
    row = rows.filter(pk=replay_id).first()
    if row is None:
        raise NotFound("There is no such replay here; start one from a version of a policy.")
    return row


def _moved(row: Replay) -> ReplayCard:
    row.moved_at = clock.now()
    row.save(
        update_fields=["state", "done", "last_at", "last_id", "counts", "held_before", "held_after",
                       "moved_at"]
    )  # fmt: skip
    outbox.hint(f"policies.replay:{row.pk}")
    return row.card()


def _go_on(row: Replay) -> None:
    outbox.enqueue_task(_TASK, replay_id=str(row.pk), tenant_id=str(row.tenant_id))
