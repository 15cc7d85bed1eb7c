"""Answering a planted check, which reveals it.

It ends as `withdrawn` with an event of its own. `proposal.decided` is for proposals that somebody
waits for; nobody waits for a check, so no run, notice or webhook ever hears of one.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from approvals import policies
from approvals.cards import VoteReceipt
from approvals.commands import sealing
from approvals.commands.desk import Desk, must_lock
from approvals.commands.noticing import notify
from approvals.commands.signing import voter_of
from approvals.errors import CheckRevealed
from approvals.events import CheckAnswered
from approvals.models import Check
from approvals.queries.checks import ANSWERED
from approvals.queries.notices import leads
from approvals.queries.seeing import row_for
from approvals.states import CheckAnswer, CheckOutcome, Choice, NoticeReason, ProposalState
from audit.commands import record
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError

CAUSE: Final = "check answered"
_BY_CHOICE: Final = {Choice.APPROVE: CheckAnswer.APPROVE, Choice.REJECT: CheckAnswer.REJECT}


def answer_by_vote(
    desk: Desk, choice: Choice, *, at: datetime, expected_s: int, taken_ms: int | None
) -> VoteReceipt:
    """Take a vote that nothing stands against as the answer; part of `cast_vote`."""
    row = _answer(desk, _BY_CHOICE[choice], at=at, expected_s=expected_s, taken_ms=taken_ms)
    return _receipt(desk, row)


def answered_before(desk: Desk, choice: Choice) -> VoteReceipt | None:
    """Return the receipt of the same answer to a check, if there is one."""
    row = Check.objects.get(proposal=desk.row)
    return _receipt(desk, row, repeated=True) if row.answer == _BY_CHOICE[choice] else None


def answer_by_act(*, actor: Actor, proposal_id: UUID, answer: CheckAnswer) -> ConsoleError | None:
    """Take an edit, a question or a request for changes as the answer, if it is about a check.

    Returns:
        What tells who acted that it was a check, for the command to return; None for anything else.
    """
    row = row_for(actor, proposal_id)
    if row is None or not row.is_check:
        return None
    desk = must_lock(actor=actor, proposal_id=proposal_id)
    at = clock.now()
    if desk.settle_clock(at=at) or desk.state is not ProposalState.OPEN:
        return None
    refusal = policies.who_refusal(voter_of(desk, actor), desk.requirement, desk.principals)
    if refusal is not None:
        return None
    return reveal(desk, answer, at=at)


def reveal(desk: Desk, answer: CheckAnswer, *, at: datetime) -> CheckRevealed:
    """Take an act that nothing stands against as the answer; returns what tells who acted."""
    found = _answer(desk, answer, at=at)
    return CheckRevealed(policies.revealed(CheckOutcome(found.outcome), found.wrong))


def _answer(
    desk: Desk,
    answer: CheckAnswer,
    *,
    at: datetime,
    expected_s: int | None = None,
    taken_ms: int | None = None,
) -> Check:
    row = Check.objects.get(proposal=desk.row)
    missed = answer is CheckAnswer.APPROVE
    row.outcome = (CheckOutcome.MISSED if missed else CheckOutcome.CAUGHT).value
    row.answer, row.ended_at = answer.value, at
    row.expected_s, row.taken_ms = expected_s, taken_ms
    desk.move(ProposalState.WITHDRAWN, at=at, cause=CAUSE)
    receipt = record(
        CheckAnswered(
            **sealing.revealed(row, desk.digest),
            answer=row.answer,
            outcome=row.outcome,
            expected_s=expected_s,
            taken_ms=taken_ms,
        ),
        actor=desk.actor,
    )
    row.event_uid = receipt.uid
    row.save(update_fields=sealing.ENDING)
    if missed:
        _tell_if_too_few(desk.actor, row)
    return row


def _tell_if_too_few(actor: Actor, row: Check) -> None:
    """Tell the person and who leads when fewer than 80 % of the last 20 were caught."""
    answered = Check.objects.filter(
        tenant_id=row.tenant_id, person_id=row.person_id, outcome__in=ANSWERED
    )
    newest = answered.order_by("-ended_at", "-id").values_list("outcome", flat=True)
    if policies.too_few_caught([CheckOutcome(one) for one in newest[: policies.LAST]]):
        people = {row.person_id, *leads(actor=actor)}
        # Which miss it was tells two of these notices apart.
        notify(actor=actor, people=people, reason=NoticeReason.CHECKS, no=answered.count())


def _receipt(desk: Desk, row: Check, *, repeated: bool = False) -> VoteReceipt:
    if row.event_uid is None:
        raise RuntimeError("A check that was answered has the event of its answer.")
    return VoteReceipt(
        event_uid=row.event_uid,
        state=desk.state,
        needed=desk.requirement.people,
        given=0,
        repeated=repeated,
        remark=policies.revealed(CheckOutcome(row.outcome), row.wrong),
        check=CheckOutcome(row.outcome),
    )
