"""Giving people more time to decide."""

from uuid import UUID

from approvals import policies
from approvals.cards import ProposalCard
from approvals.commands.desk import Desk, must_lock
from approvals.commands.refusing import expired, kept, settled_by
from approvals.errors import AlreadyDecided, ClockMoved, ProposalFrozen
from approvals.events import ProposalExtended
from approvals.models import REASON_LENGTH
from approvals.policies import planning
from approvals.queries.people import oneself
from approvals.states import DECIDABLE
from audit.commands import record
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import BadInput, ConsoleError
from console.kernel.transactions import command


@command
def extend(
    *, actor: Actor, proposal_id: UUID, reason: str, clock_no: int | None = None
) -> ProposalCard:
    """Add half the window to the time to decide; twice at most, and the rungs of the ladder move.

    Args:
        reason: for the record, 1 to 500 characters.
        clock_no: which clock was on screen; None does not say. Two who extend at the same time then
            extend once.

    Raises:
        ExtendNotEligible: neither a voter of this nor somebody who may extend, or in the chain.
        ProposalExpired: the time is over; the expiry is kept.
        AlreadyDecided, ProposalFrozen, ExtensionsSpent, ClockMoved
        BadInput: the reason is empty or too long.
    """
    desk = must_lock(actor=actor, proposal_id=proposal_id)
    at = clock.now()
    if desk.settle_clock(at=at):
        return kept(expired(), ProposalCard)
    try:
        said = _checked(desk, reason, clock_no)
    except ConsoleError as refusal:
        return kept(refusal, ProposalCard)  # the clock may just have moved it
    added_s = desk.requirement.decide_s // 2
    desk.row.window_s += added_s
    desk.row.extensions += 1
    desk.row.clock_no += 1
    desk.date_deadline(at=at)
    desk.save()
    record(
        ProposalExtended(
            proposal_id=desk.row.id,
            extension_no=desk.row.extensions,
            added_s=added_s,
            decide_by=desk.row.decide_by.isoformat(),
            reason=said,
        ),
        actor=actor,
    )
    return desk.card()


def _checked(desk: Desk, reason: str, clock_no: int | None) -> str:
    """Return the reason if this actor may extend this proposal now."""
    mine = desk.voters(among=oneself(desk.actor))
    policies.require_extender(desk.actor, mine, desk.requirement, desk.principals)
    planning.require_whole(desk.row.plan_pos)
    if desk.state not in DECIDABLE:
        raise AlreadyDecided(
            f"{settled_by(desk)} There is nothing to wait for; look at the list of reviews.",
            state=desk.state.value,
        )
    if desk.window.causes:
        raise ProposalFrozen(
            "A stop holds the clock and no time is lost; extend it after the release if need be."
        )
    if clock_no is not None and clock_no != desk.row.clock_no:
        raise ClockMoved(
            "The time to decide was changed while you were reading; look at it and extend again.",
            clock_no=desk.row.clock_no,
        )
    policies.require_extensions_left(desk.row.extensions)
    return _reason(reason)


def _reason(text: str) -> str:
    said = text.replace("\r\n", "\n").strip()
    wrong = ""
    if not said:
        wrong = "Say why more time is needed."
    elif len(said) > REASON_LENGTH:
        wrong = f"At most {REASON_LENGTH} characters."
    elif "\x00" in said:
        wrong = "It holds a NUL character; remove it."
    if wrong:
        raise BadInput(f"Reason: {wrong}", fields={"reason": wrong})
    return said
