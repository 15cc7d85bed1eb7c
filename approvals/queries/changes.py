"""What differs between two revisions of a proposal, for somebody who saw the older one."""

from typing import Any, Final
from uuid import UUID

from approvals import diffs
from approvals.cards import Content, Diff
from approvals.models import Proposal, Revision
from approvals.queries.people import seen_by
from approvals.queries.seeing import row_for
from console.kernel.actors import Actor
from console.kernel.transactions import query

_MOST_LINES: Final = 50
_MOST_TEXT: Final = 500


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


def _contents(row: Proposal, seen_no: int) -> dict[int, Content]:
    rows = Revision.objects.filter(proposal=row, no__in=[seen_no, row.revision_no])
    return {revision.no: revision.content(row.tool) for revision in rows}


def _as_image(content: Content) -> dict[str, Any]:
    """Return everything that a reviewer saw as one image, so that one diff covers it."""
    return {
        "call": {content.tool: {"arguments": content.args, "contract": content.contract_hash}},
        **{f"{kind}, as it is": records for kind, records in content.before.items()},
        **{f"{kind}, as proposed": records for kind, records in content.after.items()},
    }
