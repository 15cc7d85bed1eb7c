"""What a proposal changes, what changed in it since somebody saw it, and what its target did."""

from typing import Any, Final
from uuid import UUID

from approvals import diffs
from approvals.cards import Content, Diff, Difference, DriftLine, Interdiff, ThreeWay
from approvals.models import Proposal, Revision
from approvals.queries.editing import seen_row
from approvals.queries.people import seen_by
from approvals.queries.seeing import row_for
from approvals.states import ProposalState
from console.kernel import canonical
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from console.kernel.transactions import query

_MOST_LINES: Final = 50
_MOST_TEXT: Final = 500


@query
def difference(*, actor: Actor, proposal_id: UUID) -> Difference:
    """Return what the current revision changes; nothing in it depends on votes.

    Raises:
        NotFound, NotAllowed: as for the proposal itself.
    """
    row = seen_row(actor, proposal_id)
    found = _current(row)
    content = found.content(row.tool)
    return Difference(
        revision_no=found.no,
        digest=bytes(found.digest).hex(),
        content=content,
        diff=diffs.between(content.before, content.after),
    )


@query
def changes_since(*, actor: Actor, proposal_id: UUID, seen_no: int | None) -> Interdiff:
    """Return what the current revision says otherwise than one that was seen.

    Args:
        seen_no: None is the one before the current; of the first that one itself.

    Raises:
        NotFound, NotAllowed: as for the proposal itself; or it has no such revision.
    """
    row = seen_row(actor, proposal_id)
    seen_no = max(row.revision_no - 1, 1) if seen_no is None else seen_no
    found = {one.no: one for one in _revisions(row, seen_no)}
    if seen_no not in found:
        raise NotFound("This proposal has no such revision; look at the proposal.")
    now = found[row.revision_no]
    seen, current = (_as_image(one.content(row.tool)) for one in (found[seen_no], now))
    return Interdiff(
        seen_no=seen_no,
        revision_no=now.no,
        digest=bytes(now.digest).hex(),
        diff=diffs.between(seen, current),
    )


@query
def three_way(*, actor: Actor, proposal_id: UUID) -> ThreeWay:
    """Return what a stale proposal was based on, proposes, and what is there now.

    Raises:
        NotFound, NotAllowed: as for the proposal itself.
    """
    row = seen_row(actor, proposal_id)
    found = _current(row)
    return ThreeWay(
        state=row.state,
        revision_no=found.no,
        digest=bytes(found.digest).hex(),
        lines=drift_lines(row, found.content(row.tool)),
    )


@query
def since(*, actor: Actor, proposal_id: UUID, seen_no: int) -> Diff | None:
    """Return what differs from a revision that was seen to the current one; None without such."""
    row = row_for(actor, proposal_id)
    if row is None or not seen_by(actor).covers(row):
        return None
    found = _contents(row, seen_no)
    if seen_no not in found or seen_no == row.revision_no:
        return None
    return diffs.between(_as_image(found[seen_no]), _as_image(found[row.revision_no]))


def interdiff(row: Proposal, *, seen_no: int) -> list[dict[str, Any]]:
    """Return [{path, before, after}] from the seen revision to the current one; no more than 50."""
    found = _contents(row, seen_no)
    if seen_no not in found or seen_no == row.revision_no:
        return []
    changes = diffs.between(_as_image(found[seen_no]), _as_image(found[row.revision_no])).changes
    return [
        {
            "path": f"{change.kind} {change.record} {change.path}",
            "before": change.before.text[:_MOST_TEXT] if change.before else None,
            "after": change.after.text[:_MOST_TEXT] if change.after else None,
        }
        for change in changes[:_MOST_LINES]
    ]


def drift_lines(row: Proposal, content: Content) -> tuple[DriftLine, ...]:
    """Return how a target that changed differs; nothing of a proposal that is not stale."""
    if row.state != ProposalState.STALE.value or row.observed_before is None:
        return ()
    now = canonical.loads(bytes(row.observed_before))
    return diffs.three_way(content.before, content.after, now)


def _current(row: Proposal) -> Revision:
    return Revision.objects.get(proposal=row, no=row.revision_no)


def _revisions(row: Proposal, seen_no: int) -> list[Revision]:
    return list(Revision.objects.filter(proposal=row, no__in=[seen_no, row.revision_no]))


def _contents(row: Proposal, seen_no: int) -> dict[int, Content]:
    return {revision.no: revision.content(row.tool) for revision in _revisions(row, seen_no)}


def _as_image(content: Content) -> dict[str, Any]:
    """Return everything that a reviewer saw as one image, so that one diff covers it."""
    return {
        "call": {content.tool: {"arguments": content.args, "contract": content.contract_hash}},
        **{f"{kind}, as it is": records for kind, records in content.before.items()},
        **{f"{kind}, as proposed": records for kind, records in content.after.items()},
    }
