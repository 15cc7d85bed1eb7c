"""Proposals as cards: of a subject, of runs."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef

from approvals.cards import ProposalCard, Subject
from approvals.models import Freeze, Proposal, Revision, Vote
from approvals.states import DECIDABLE, LIVE
from console.kernel.actors import Actor
from console.kernel.transactions import query

_MOST_DUE: Final = 200
_DECIDABLE: Final = sorted(state.value for state in DECIDABLE)


@query
def proposal_for_subject(*, actor: Actor, subject: Subject) -> ProposalCard | None:
    """Return the newest proposal about something, live or not."""
    row = (
        Proposal.objects.filter(
            tenant_id=actor.tenant_id, subject_kind=subject.kind, subject_id=subject.id
        )
        .order_by("-created_at", "-id")
        .first()
    )
    return cards_of([row])[0] if row else None


@query
def settled(*, actor: Actor, proposal_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Return which of these people have decided about, but for what a stop holds."""
    over = Proposal.objects.filter(tenant_id=actor.tenant_id, pk__in=list(proposal_ids))
    over = over.exclude(state__in=_DECIDABLE)
    held = Freeze.objects.filter(proposal=OuterRef("pk"), until__isnull=True)
    return frozenset(over.filter(~Exists(held)).values_list("id", flat=True))


@query
def live_of_runs(*, actor: Actor, run_ids: Iterable[UUID]) -> tuple[ProposalCard, ...]:
    """Return the live proposals of these runs, by id: what a stop freezes, and an end withdraws."""
    rows = Proposal.objects.filter(
        tenant_id=actor.tenant_id,
        run_id__in=list(run_ids),
        state__in=[state.value for state in LIVE],
    )
    return tuple(cards_of(list(rows.order_by("id"))))


@query
def runs_voted_at(*, actor: Actor) -> datetime | None:
    """Return when somebody last voted on what a run asked for; None: nobody ever did."""
    rows = Vote.objects.filter(tenant_id=actor.tenant_id, proposal__run_id__isnull=False)
    return rows.order_by("-id").values_list("cast_at", flat=True).first()


def cards_of(rows: list[Proposal]) -> list[ProposalCard]:
    """Return cards for rows, with two queries however many they are."""
    ids = [row.id for row in rows]
    revisions = {
        (revision.proposal_id, revision.no): revision
        for revision in Revision.objects.filter(proposal__in=ids).only(
            "proposal_id", "no", "digest", "children"
        )
    }
    held = set(
        Freeze.objects.filter(proposal__in=ids, until__isnull=True).values_list(
            "proposal_id", flat=True
        )
    )
    return [
        row.card(
            revision=revisions[row.id, row.revision_no],
            needs=row.needs,
            frozen=row.id in held,
        )
        for row in rows
    ]
