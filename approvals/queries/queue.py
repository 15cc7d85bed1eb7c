"""The lists of proposals: my turn, waiting on others, decided."""

import base64
import binascii
import json
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from approvals import policies
from approvals.cards import ProposalCard, QueuePage, QueueRow, Subject
from approvals.models import Freeze, PrincipalRow, Proposal, RequirementRow, Revision, Vote
from approvals.queries.people import decided_by, seen_by
from approvals.states import DECIDABLE, LIVE, ProposalState
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import BadInput
from console.kernel.transactions import query

PAGE_ROWS: Final = 50
_MOST_DUE: Final = 200
_MOST_CURSOR: Final = 400
_NOBODY: Final = UUID(int=0)
_DECIDABLE: Final = sorted(state.value for state in DECIDABLE)


class View(StrEnum):
    """Which list."""

    MINE = "mine"
    WAITING = "waiting"
    DECIDED = "decided"


@query
def awaiting_review(
    *, actor: Actor, view: View, after: str = "", as_of: datetime | None = None
) -> QueuePage:
    """Return a page of a list, in the order deadline, tier; decided ones newest first.

    Args:
        after: the cursor of the page before, or "".
        as_of: when the list was opened. Later arrivals are counted and held back, and what left it
            since stays in place, so that nothing moves under a pointer.

    Raises:
        NotAllowed: the actor may see no proposal at all.
        BadInput: the cursor was not made here.
    """
    reach = seen_by(actor)
    now = clock.now()
    opened = as_of or now
    turn = _my_turn(actor)
    everything = _of(actor)
    mine = everything.filter(turn)
    rows = {
        View.MINE: everything.filter(turn | _left_since(actor, opened)),
        View.WAITING: everything.filter(state__in=_DECIDABLE).exclude(turn),
        View.DECIDED: everything.exclude(state__in=_DECIDABLE),
    }[view].filter(reach.rows)
    if view is not View.DECIDED:
        rows = rows.filter(created_at__lte=opened)
    page = list(_ordered(_annotated(rows, actor), view, after)[: PAGE_ROWS + 1])
    shown = page[:PAGE_ROWS]
    return QueuePage(
        rows=tuple(QueueRow(card=card, note=note) for card, note in _cards(shown)),
        next=_cursor(shown[-1], view) if len(page) > PAGE_ROWS else "",
        mine=mine.count(),
        fresh=mine.filter(created_at__gt=opened).count() if view is View.MINE else 0,
        as_of=opened,
    )


@query
def turn_count(*, actor: Actor) -> int:
    """Return how many proposals wait for this person."""
    return _of(actor).filter(_my_turn(actor)).count()


@query
def proposal_for_subject(*, actor: Actor, subject: Subject) -> ProposalCard | None:
    """Return the newest proposal about something, live or not."""
    row = (
        _of(actor)
        .filter(subject_kind=subject.kind, subject_id=subject.id)
        .order_by("-created_at", "-id")
        .first()
    )
    return cards_of([row])[0] if row else None


@query
def live_of_runs(*, actor: Actor, run_ids: Iterable[UUID]) -> tuple[ProposalCard, ...]:
    """Return the live proposals of these runs, by id: what a stop freezes, and an end withdraws."""
    rows = _of(actor).filter(run_id__in=list(run_ids), state__in=[state.value for state in LIVE])
    return tuple(cards_of(list(rows.order_by("id"))))


@query
def due_proposals(*, actor: Actor, limit: int = _MOST_DUE) -> tuple[UUID, ...]:
    """Return proposals whose deadline has passed, longest overdue first.

    A clock that stands still is not due; it is looked at when the stop ends.
    """
    now = clock.now()
    held = Freeze.objects.filter(proposal=OuterRef("pk"), until__isnull=True)
    undecided = (
        _of(actor)
        .filter(~Exists(held), state__in=_DECIDABLE, decide_by__lte=now)
        .order_by("decide_by")
    )
    unrun = (
        _of(actor)
        .filter(state=ProposalState.APPROVED.value, execute_by__lte=now)
        .order_by("execute_by")
    )
    return tuple(
        list(undecided.values_list("id", flat=True)[:limit])
        + list(unrun.values_list("id", flat=True)[:limit])
    )


def cards_of(rows: list[Proposal]) -> list[ProposalCard]:
    """Return cards for rows, with three queries however many they are."""
    revisions = {
        (revision.proposal_id, revision.no): revision
        for revision in Revision.objects.filter(proposal__in=rows).only(
            "proposal_id", "no", "digest"
        )
    }
    people = dict(
        RequirementRow.objects.filter(proposal__in=rows).values_list("proposal_id", "people")
    )
    held = set(
        Freeze.objects.filter(proposal__in=rows, until__isnull=True).values_list(
            "proposal_id", flat=True
        )
    )
    return [
        row.card(
            revision=revisions[row.id, row.revision_no],
            needs=people[row.id],
            frozen=row.id in held,
        )
        for row in rows
    ]


def _of(actor: Actor) -> QuerySet[Proposal]:
    # Row-level security says the same; said here as well, the planner finds the index.
    return Proposal.objects.filter(tenant_id=actor.tenant_id)


# -- whose turn ----------------------------------------------------------------------------------


def _my_turn(actor: Actor) -> Q:
    """Select what this person can approve or reject now and has not voted on."""
    return Q(state=ProposalState.OPEN.value) & _entitled(actor) & ~_voted(actor) & ~_held()


def _left_since(actor: Actor, opened: datetime) -> Q:
    """Select what was this person's turn when they opened the list and is nobody's any more."""
    return ~Q(state__in=_DECIDABLE) & Q(moved_at__gt=opened) & _entitled(actor)


def _entitled(actor: Actor) -> Q:
    asked = RequirementRow.objects.filter(
        proposal=OuterRef("pk"),
        asked_groups__overlap=sorted(policies.answers_to(actor.groups)),
    )
    return decided_by(actor).rows & Q(Exists(asked)) & ~_in_chain(actor)


def _in_chain(actor: Actor) -> Q:
    return Q(Exists(PrincipalRow.objects.filter(proposal=OuterRef("pk"), person_id=_person(actor))))


def _voted(actor: Actor) -> Q:
    mine = Vote.objects.filter(
        proposal=OuterRef("pk"), person_id=_person(actor), voided_at__isnull=True
    )
    return Q(Exists(mine))


def _held() -> Q:
    return Q(Exists(Freeze.objects.filter(proposal=OuterRef("pk"), until__isnull=True)))


def _person(actor: Actor) -> UUID:
    return UUID(actor.id) if actor.is_person else _NOBODY


def _annotated(rows: QuerySet[Proposal], actor: Actor) -> QuerySet[Proposal]:
    return rows.annotate(voted=_voted(actor), in_chain=_in_chain(actor), held=_held())


def _cards(rows: list[Proposal]) -> list[tuple[ProposalCard, str]]:
    return [(card, _note(row)) for card, row in zip(cards_of(rows), rows, strict=True)]


def _note(row: Any) -> str:
    """Say why it is not this reader's turn; nothing here depends on votes of other people."""
    if row.state == ProposalState.STALE.value:
        return "the target changed"
    if row.state != ProposalState.OPEN.value:
        return ""
    if row.held:
        return "held by a stop"
    if row.in_chain:
        return "you have a part in it"
    return "you voted" if row.voted else ""


# -- order and pages -----------------------------------------------------------------------------


def _ordered(rows: QuerySet[Proposal], view: View, after: str) -> QuerySet[Proposal]:
    if view is View.DECIDED:
        rows = rows.order_by("-moved_at", "-id")
        if after:
            at, last = _decided_key(after)
            rows = rows.filter(Q(moved_at__lt=at) | Q(moved_at=at, id__lt=last))
        return rows
    rows = rows.order_by("decide_by", "-tier", "id")
    if after:
        at, tier, last = _deadline_key(after)
        rows = rows.filter(
            Q(decide_by__gt=at)
            | Q(decide_by=at, tier__lt=tier)
            | Q(decide_by=at, tier=tier, id__gt=last)
        )
    return rows


def _cursor(row: Proposal, view: View) -> str:
    key: list[Any] = (
        [row.moved_at.isoformat(), str(row.id)]
        if view is View.DECIDED
        else [row.decide_by.isoformat(), row.tier, str(row.id)]
    )
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def _decided_key(cursor: str) -> tuple[datetime, UUID]:
    at, last = _parts(cursor, 2)
    return _at(at), _uuid(last)


def _deadline_key(cursor: str) -> tuple[datetime, int, UUID]:
    at, tier, last = _parts(cursor, 3)
    if not isinstance(tier, int):
        raise _unknown_cursor()
    return _at(at), tier, _uuid(last)


def _parts(cursor: str, count: int) -> list[Any]:
    try:
        raw = base64.urlsafe_b64decode(cursor[:_MOST_CURSOR].encode() + b"=" * (-len(cursor) % 4))
        parts = json.loads(raw)
    except (binascii.Error, ValueError) as error:
        raise _unknown_cursor() from error
    if not isinstance(parts, list) or len(parts) != count:
        raise _unknown_cursor()
    return parts


def _at(value: object) -> datetime:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise _unknown_cursor() from error
    if at.tzinfo is None:
        raise _unknown_cursor()
    return at


def _uuid(value: object) -> UUID:
    try:
        return UUID(str(value))
    except ValueError as error:
        raise _unknown_cursor() from error


def _unknown_cursor() -> BadInput:
    return BadInput(
        "This page cannot be continued from there; start at the first page.",
        fields={"after": ["Take the cursor from the page before."]},
    )
