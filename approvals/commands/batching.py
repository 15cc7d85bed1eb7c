"""One act for several proposals: a vote for each, on its own digest, in its own transaction."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from approvals import policies
from approvals.cards import BatchResult, Listed, VoteReceipt
from approvals.commands import signing
from approvals.commands.desk import must_lock
from approvals.commands.refusing import kept
from approvals.commands.voting import cast_vote
from approvals.queries.batching import checked_titles, require_batchable
from approvals.states import Choice
from console.kernel.actors import Actor
from console.kernel.errors import BadInput, ConsoleError
from console.kernel.transactions import command


def cast_batch(
    *,
    actor: Actor,
    items: Sequence[Listed],
    choice: Choice,
    reason_code: str = "",
    note: str = "",
    agent_message: str = "",
    in_place_of: UUID | None = None,
) -> tuple[BatchResult, ...]:
    """Vote the same on every item, one after the other; what is refused stops no other item.

    Not one transaction: each item has its own, with its own receipt or refusal. The same batch
    again returns the receipts of the first.

    Args:
        in_place_of: as for a single vote; an item that the delegation does not fit is refused.

    Raises:
        VoteByMachine: only people who are signed in decide.
        BadInput: nothing was listed, or one of them twice.
        BatchNever, BatchMixed, BatchTooMany: they are not one batch, and nothing was voted on.
        ReasonRequired: a rejection without code or note.
    """
    if not policies.is_interactive(actor):
        raise signing.machine()
    if not items or len({item.proposal_id for item in items}) != len(items):
        raise BadInput(
            "List every proposal once, and at least one of them.", fields={"items": "Once each."}
        )
    policies.require_reason(choice, reason_code, note)
    titles = checked_titles(actor=actor, items=items)
    said = {
        "reason_code": reason_code,
        "note": note,
        "agent_message": agent_message,
        "in_place_of": in_place_of,
    }
    results = []
    for item in items:
        title = titles.get(item.proposal_id, "")
        try:
            receipt = _cast(actor=actor, item=item, count=len(items), choice=choice, said=said)
        except ConsoleError as refusal:
            results.append(
                BatchResult(
                    proposal_id=item.proposal_id,
                    title=title,
                    receipt=None,
                    code=refusal.code,
                    message=refusal.message,
                )
            )
        else:
            results.append(BatchResult(proposal_id=item.proposal_id, title=title, receipt=receipt))
    return tuple(results)


@command
def _cast(
    *, actor: Actor, item: Listed, count: int, choice: Choice, said: Mapping[str, Any]
) -> VoteReceipt:
    """Cast one vote while what it takes is as it was: rules may have asked for more meanwhile."""
    desk = must_lock(actor=actor, proposal_id=item.proposal_id)
    require_batchable(desk.row, desk.requirement, count)
    try:
        return cast_vote(
            actor=actor,
            proposal_id=item.proposal_id,
            revision_no=item.revision_no,
            seen_digest=item.digest,
            choice=choice,
            among=count,  # one look at one table, so the time is shared
            **said,
        )
    except ConsoleError as refusal:
        return kept(refusal, VoteReceipt)  # that somebody tried stays on record
