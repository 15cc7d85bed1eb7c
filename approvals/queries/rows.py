"""Rows of the lists: what each tells one reader, with the same number of questions for any page."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from approvals.cards import ClaimCard, ProposalCard, QueueRow, StandingWord, Turn
from approvals.models import Attention, Claim, Proposal, Snooze
from approvals.queries.queue import cards_of
from approvals.queries.standing import words_of
from approvals.queries.turns import Reader
from approvals.states import DECIDABLE, AttentionReason, ProposalState


def annotated(rows: QuerySet[Proposal], reader: Reader) -> QuerySet[Proposal]:
    """Add how each row stands to the reader; worked out for the rows of a page only."""
    snoozed = Snooze.objects.filter(
        tenant_id=OuterRef("tenant_id"),
        person_id=reader.person,
        proposal=OuterRef("pk"),
        until__gt=reader.at,
        row_version=OuterRef("row_version"),
    )
    return rows.annotate(
        voted=reader.voted,
        in_chain=reader.in_chain,
        covered=reader.covered,
        snoozed_until=Subquery(snoozed.values("until")[:1]),
    )


def queue_rows(
    rows: Sequence[Proposal], reader: Reader, groups: Mapping[UUID, UUID] | None = None
) -> Iterator[QueueRow]:
    """Yield what a list shows of its rows.

    Args:
        groups: the first of its group for every row that is in one.
    """
    claims = _claims(rows, reader)
    turns = _turns(rows, reader)
    # What waits was decided by nothing, so nobody has to be asked about it.
    words = words_of([row.id for row in rows if row.state not in DECIDABLE])
    annotated_rows: Sequence[Any] = rows
    for card, row in zip(cards_of(list(rows)), annotated_rows, strict=True):
        note = _note(card, row, reader)
        is_turn = not (card.settled or note or row.snoozed_until) and _is_asked(row, reader)
        yield QueueRow(
            card=card,
            note=note or _settled_by(words.get(row.id)),
            turn=(turns.get(row.id) or _usual(row)) if is_turn else None,
            claims=() if card.settled else tuple(claims[row.id]),
            snoozed_until=row.snoozed_until,
            group=(groups or {}).get(row.id),
            in_place_of=reader.in_place_of(row.asked_groups) if is_turn else "",
        )


def _is_asked(row: Any, reader: Reader) -> bool:
    return row.covered and not reader.names.isdisjoint(row.asked_groups)


def _note(card: ProposalCard, row: Any, reader: Reader) -> str:
    """Say why it is not this reader's turn; nothing here depends on votes of other people."""
    if card.state is ProposalState.STALE:
        return "the target changed"
    if card.state is not ProposalState.OPEN:
        return ""
    if card.frozen:
        return "held by a stop"
    if row.in_chain:
        return "you have a part in it"
    if row.voted:
        return "you voted"
    return "for other groups" if reader.actor.groups and not _is_asked(row, reader) else ""


def _settled_by(word: StandingWord | None) -> str:
    return f"by the standing approval of {word.maker}" if word else ""


def _usual(row: Any) -> Turn:
    """Return why it is anybody's turn for whom nothing else is kept."""
    if row.moved_at > row.created_at:
        return Turn(reason=AttentionReason.REOPENED, cause="", at=row.moved_at)
    return Turn(reason=AttentionReason.OPENED, cause="", at=row.created_at)


def _claims(rows: Sequence[Proposal], reader: Reader) -> Mapping[UUID, list[ClaimCard]]:
    live = Claim.objects.filter(
        tenant_id=reader.actor.tenant_id, proposal__in=_ids(rows), lease_until__gt=reader.at
    )
    found: dict[UUID, list[ClaimCard]] = defaultdict(list)
    for claim in live.order_by("since", "id"):
        found[claim.proposal_id].append(claim.card())
    return found


def _turns(rows: Sequence[Proposal], reader: Reader) -> Mapping[UUID, Turn]:
    kept = Attention.objects.filter(
        tenant_id=reader.actor.tenant_id, person_id=reader.person, proposal__in=_ids(rows)
    )
    return {
        one.proposal_id: Turn(reason=AttentionReason(one.reason), cause=one.cause, at=one.at)
        for one in kept
    }


def _ids(rows: Sequence[Proposal]) -> list[UUID]:
    return [row.id for row in rows]
