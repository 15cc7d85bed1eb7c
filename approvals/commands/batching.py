"""One act for several proposals: a vote for each, on its own digest, in its own transaction."""

from collections.abc import Sequence
from uuid import UUID

from approvals import policies
from approvals.cards import BatchResult, Listed
from approvals.commands import signing
from approvals.commands.voting import cast_vote
from approvals.queries.batching import checked_titles
from approvals.states import Choice
from console.kernel.actors import Actor
from console.kernel.errors import BadInput, ConsoleError


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
    results = []
    for item in items:
        title = titles.get(item.proposal_id, "")
        try:
            receipt = cast_vote(
                actor=actor,
                proposal_id=item.proposal_id,
                revision_no=item.revision_no,
                seen_digest=item.digest,
                choice=choice,
                batch_of=len(items),  # what it takes is asked again: rules may ask for more by now
                reason_code=reason_code,
                note=note,
                agent_message=agent_message,
                in_place_of=in_place_of,
            )
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
