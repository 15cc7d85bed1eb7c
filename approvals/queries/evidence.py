"""What a change rests on, from the tables of this room."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import F

from approvals.cards import AgentRecord, Diff, Earlier, Evidence, RevisionLine
from approvals.models import Proposal, Revision
from approvals.queries.people import Reach, seen_by
from approvals.queries.seeing import row_for
from approvals.states import REJECT_LABELS, ProposalState
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from console.kernel.transactions import query

_DAYS: Final = 30
_MOST_COUNTED: Final = 1_000
_MOST_SEARCHED: Final = 200
_MOST_SHOWN: Final = 5
# Why a revision was made, other than by the agent or because its target changed.
_EDITED: Final = ("edited", "edit")
_AGREED: Final = frozenset({ProposalState.APPROVED, ProposalState.DISPATCHED})


@query
def evidence(*, actor: Actor, proposal_id: UUID, diff: Diff) -> Evidence:
    """Return what stands beside the content of a proposal; nothing here depends on its votes.

    Raises:
        NotFound: there is none in the reader's tenant, or of no tool that the reader may see.
    """
    row = row_for(actor, proposal_id)
    reach = seen_by(actor)
    if row is None or not reach.covers(row):
        raise NotFound("There is no such proposal here; look at the list of reviews.")
    return evidence_of(row, reach, diff, at=clock.now())


def evidence_of(row: Proposal, reach: Reach, diff: Diff, *, at: datetime) -> Evidence:
    """Return what `evidence` does of a row that was read already."""
    since = at - timedelta(days=_DAYS)
    revisions = tuple(
        RevisionLine(no=each.no, author=each.author, cause=each.cause, at=each.created_at)
        for each in Revision.objects.filter(proposal=row)
        .only("no", "author", "cause", "created_at", "tenant_id")
        .order_by("no")
    )
    earlier, looked_at = _earlier(row, reach, diff, since)
    return Evidence(
        read_at=revisions[-1].at,
        revisions=revisions,
        agent=_record_of(row.agent_id, since),
        earlier=earlier,
        looked_at=looked_at,
    )


def _record_of(agent_id: str, since: datetime) -> AgentRecord:
    newest = list(
        Proposal.objects.filter(agent_id=agent_id, created_at__gte=since, plan__isnull=True)
        .order_by("-created_at")
        .values_list("id", "state")[:_MOST_COUNTED]
    )
    states = Counter(ProposalState(state) for _, state in newest)
    edited = Revision.objects.filter(proposal_id__in=[pk for pk, _ in newest], cause__in=_EDITED)
    return AgentRecord(
        days=_DAYS,
        approved=sum(states[state] for state in _AGREED),
        rejected=states[ProposalState.REJECTED],
        expired=states[ProposalState.EXPIRED],
        edited=edited.values("proposal_id").distinct().count(),
        counted=len(newest),
        most=_MOST_COUNTED,
    )


def _earlier(
    row: Proposal, reach: Reach, diff: Diff, since: datetime
) -> tuple[tuple[Earlier, ...], int]:
    """Return the newest other proposals of the tool that touched one of the same records."""
    others = (
        Proposal.objects.filter(reach.rows, tool=row.tool, created_at__gte=since)
        .exclude(pk=row.pk)
        .order_by("-created_at")
    )
    if row.plan_id is not None:
        others = others.exclude(plan_id=row.plan_id)  # the page shows them anyway
    rows = list(others[:_MOST_SEARCHED])
    paths = dict(
        Revision.objects.filter(proposal__in=rows, no=F("proposal__revision_no")).values_list(
            "proposal_id", "changed_paths"
        )
    )
    records = tuple({f"{change.kind} {change.record} " for change in diff.changes})
    found = [other for other in rows if _touches(paths.get(other.pk, ()), records)]
    return tuple(_line(other) for other in found[:_MOST_SHOWN]), len(rows)


def _touches(paths: Iterable[str], records: tuple[str, ...]) -> bool:
    return any(path.startswith(records) for path in paths)


def _line(row: Proposal) -> Earlier:
    codes = {code.value: label for code, label in REJECT_LABELS.items()}
    return Earlier(
        id=row.pk,
        title=row.title,
        state=ProposalState(row.state),
        at=row.moved_at,
        why=codes.get(row.close_cause, "") if row.state == ProposalState.REJECTED.value else "",
    )
