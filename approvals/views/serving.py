"""What of a change this session was shown: a vote to approve rests on all of it."""

from approvals import commands, policies, queries
from approvals.cards import ProposalDetail, ViewServed
from approvals.states import DECIDABLE, Choice
from approvals.views.changes import Change
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError


def may_decide(found: ProposalDetail) -> bool:
    """Say whether this reader can approve it: by a vote, or in place of those who vote."""
    return found.card.state in DECIDABLE and (not found.refusal or found.glass is not None)


def parts_seen(actor: Actor, found: ProposalDetail) -> frozenset[str]:
    """Return the parts of this revision that this session was shown before."""
    if not may_decide(found):
        return frozenset()
    return queries.served_parts(
        actor=actor, proposal_id=found.card.id, revision_no=found.card.revision_no
    )


def keep_shown(actor: Actor, found: ProposalDetail, change: Change) -> None:
    """Record the parts that an answer shows for the first time."""
    if may_decide(found) and (change.shown | {policies.PAGE}) - change.seen:
        commands.serve_parts(
            actor=actor,
            proposal_id=found.card.id,
            revision_no=found.card.revision_no,
            parts=tuple(sorted(change.shown)),
            view=change.address.view,
        )


def approve_refusal(found: ProposalDetail, change: Change) -> str:
    """Return why approving is refused though rejecting is not: what the command would say."""
    if found.approve_refusal or not may_decide(found):
        return found.approve_refusal
    names = tuple(sorted(change.seen | change.shown))
    shown = ViewServed(view=change.address.view, parts=names, served_at=found.read_at)
    try:
        needed = [part.name for part in change.parts]
        policies.require_fully_shown(needed, [shown], Choice.APPROVE)
    except ConsoleError as refusal:
        return refusal.message
    return ""
