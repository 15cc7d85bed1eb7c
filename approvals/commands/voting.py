"""Casting a vote, and taking one's own back."""

from datetime import datetime
from uuid import UUID

from approvals import policies
from approvals.cards import Signed, VoteReceipt
from approvals.commands import checking, deciding, laddering, signing, steps
from approvals.commands.ballots import Ballot, known_code, short_text
from approvals.commands.desk import Desk, must_lock
from approvals.commands.grounds import Ground, grounds
from approvals.commands.refusing import expired, kept, settled_by
from approvals.errors import NoVote
from approvals.events import QUEUE, VoteCast, VoteRefused
from approvals.models import MESSAGE_LENGTH, NOTE_LENGTH, Vote
from approvals.queries.batching import require_batchable
from approvals.queries.hearing import count_people
from approvals.queries.seeing import row_for
from approvals.queries.serving import reading_in, revision_at
from approvals.states import LIVE, Choice, ProposalState
from audit.commands import record
from console.accounts.states import Strength
from console.kernel import clock, outbox
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError, NotFound
from console.kernel.transactions import command


@command
def cast_vote(  # noqa: PLR0913 - the parts of a vote, as the page and the API send them
    *,
    actor: Actor,
    proposal_id: UUID,
    revision_no: int,
    seen_digest: str,
    choice: Choice,
    reason_code: str = "",
    note: str = "",
    agent_message: str = "",
    signed: Signed | None = None,
    in_place_of: UUID | None = None,
    batch_of: int = 0,
) -> VoteReceipt:
    """Count one person's vote on exactly what they saw, and settle the proposal if that decides it.

    The same vote again returns the receipt of the first, whatever happened since.

    Args:
        seen_digest: SHA-256 (64 hex characters) of the revision that was on screen.
        note: for the other people; required for a rejection.
        agent_message: what the agent is told of a rejection; the note if empty.
        signed: what a passkey signed for it; counts as a fresh sign-in.
        in_place_of: the person whose place it fills by a delegation; None is one's own.
        batch_of: how many votes this act casts, which the requirement has to allow; they share the
            time since the content was shown. 0: it is a vote by itself.

    Raises:
        VoteByMachine, VoteByPrincipal, VoteNotEligible, NotInPlace: this actor may not vote on
            this, or not in this capacity.
        AlreadyDecided, StaleRevision, AlreadyVoted, SameSession, ProposalFrozen: not so, or not
            now.
        NotFullyShown: an approval of what this session was not shown as a whole.
        StepUpRequired: an approval that needs a fresher sign-in.
        PasskeyRefused: the signature is not of this vote, came too late, or came before.
        ProposalExpired: the lock was granted after the time to decide; the expiry is kept.
        ReasonRequired: a rejection without code or note.
        BatchNever, BatchTooMany: not in a batch of so many.
    """
    choice = Choice(choice)
    seen = revision_at(proposal_id, revision_no)
    ballot = Ballot(
        revision_no=revision_no,
        digest=seen_digest,
        choice=choice,
        reason_code=known_code(reason_code) if choice is Choice.REJECT else "",
        note=short_text(note, "note", NOTE_LENGTH),
        agent_message=short_text(agent_message, "agent_message", MESSAGE_LENGTH),
        signed=signed,
        in_place_of=in_place_of,
        seen=seen,
        reading=reading_in(seen),
        among=batch_of or 1,
    )
    if not policies.is_interactive(actor):
        _require_there(actor, proposal_id)
        return _refused(actor, proposal_id, ballot, signing.machine())
    desk = must_lock(actor=actor, proposal_id=proposal_id, seen=seen)
    if batch_of:
        require_batchable(desk.row, desk.requirement, batch_of)
    at = clock.now()  # after the lock: waiting for it must not make a late vote count
    if (earlier := _said_before(desk, actor, ballot)) is not None:
        return earlier
    if desk.settle_clock(at=at):
        return _refused(actor, proposal_id, ballot, expired())
    ground = grounds(desk, actor, ballot, at=at)
    if isinstance(ground, ConsoleError):
        return _refused(actor, proposal_id, ballot, ground)
    if desk.row.is_check:
        return _answer_check(desk, ballot, ground, at=at)
    vote = _insert(desk, actor, ballot, ground, at=at)
    desk.tally(ground.heard, at=at)
    _hint_unless_blind(desk)
    return _receipt(desk, vote, given=ground.heard.count(desk.approvals))


@command
def withdraw_vote(*, actor: Actor, proposal_id: UUID) -> VoteReceipt:
    """Take back one's own vote, which is possible until the proposal is dispatched.

    Of a plan it is possible while changes of it wait: what was made stays, the rest is withdrawn.

    Raises:
        NoVote: there is no vote of this person that counts.
        AlreadyDecided: it is too late.
        ProposalExpired: the time was over; the expiry is kept.
    """
    if not policies.is_interactive(actor):
        raise signing.machine()
    desk = must_lock(actor=actor, proposal_id=proposal_id)
    at = clock.now()
    if desk.settle_clock(at=at):
        return kept(expired(), VoteReceipt)
    mine = _vote_of(actor, desk)
    if desk.state not in LIVE and not steps.runs(desk.row):
        policies.require_decidable(desk.state, Choice.REJECT, settled_by=settled_by(desk))
    if mine is None:
        # Returned, because the clock may just have taken a lapsed approval back to people.
        return kept(
            NoVote("You have no vote on this that counts; there is nothing to withdraw."),
            VoteReceipt,
        )
    desk.void_votes([mine], cause="withdrawn", at=at)
    if deciding.rests_on_votes(desk.row):
        _stand_without(desk, at=at)
    _hint_unless_blind(desk)
    return _receipt(desk, mine, given=_given(desk))


def _stand_without(desk: Desk, *, at: datetime) -> None:
    """Let an approval, or a plan that runs, follow a vote on it that was taken back."""
    if desk.state is ProposalState.APPROVED:
        desk.reopen("vote withdrawn", at=at)
        # Its own clock went on meanwhile; nobody wins time by taking a vote back.
        if not desk.settle_clock(at=at):
            desk.tally(desk.hear(), at=at)
            laddering.check(desk, at=at)
    elif desk.state is ProposalState.DISPATCHED and desk.assignment() is None:
        steps.call_off(desk.row, actor=desk.actor, at=at, cause="vote withdrawn")


def _said_before(desk: Desk, actor: Actor, ballot: Ballot) -> VoteReceipt | None:
    """Return the receipt of the same vote, if there is one."""
    if desk.row.is_check:
        return checking.answered_before(desk, ballot.choice)
    mine = _vote_of(actor, desk)
    if mine is None or not ballot.says_the_same(mine) or ballot.digest != desk.digest:
        return None
    return _receipt(desk, mine, given=_given(desk), repeated=True)


# -- writes --------------------------------------------------------------------------------------


def _answer_check(desk: Desk, ballot: Ballot, ground: Ground, *, at: datetime) -> VoteReceipt:
    """Take what would have been a vote as the answer to a planted check; there is no vote then."""
    return checking.answer_by_vote(
        desk,
        ballot.choice,
        at=at,
        expected_s=ballot.reading.expected_s,
        taken_ms=ballot.taken_ms(ground.served_at, at=at),
    )


def _insert(desk: Desk, actor: Actor, ballot: Ballot, ground: Ground, *, at: datetime) -> Vote:
    proof, signature = ground.proof, ground.signature
    served_at = ground.served_at
    digest = policies.view_digest(desk.digest, ground.shown) if ground.shown else None
    taken_ms = ballot.taken_ms(served_at, at=at)
    receipt = record(
        VoteCast(
            proposal_id=desk.row.id,
            choice=ballot.choice.value,
            revision_no=ballot.revision_no,
            digest=desk.digest,
            code=ballot.reason_code,
            session=actor.session,
            strength=Strength.PASSKEY.value if signature else actor.strength,
            stepup_at=proof.at.isoformat() if proof else "",
            view_digest=digest.hex() if digest else "",
            served_at=served_at.isoformat() if served_at else "",
            expected_s=ballot.reading.expected_s,
            taken_ms=taken_ms,
            assertion=signature.assertion if signature else {},
            passkey_id=signature.passkey_id if signature else None,
            delegation_id=ground.lent.delegation_id if ground.lent else None,
            in_place_of=ground.lent.person_id if ground.lent else None,
            reason=ballot.note,
        ),
        actor=actor,
    )
    vote = Vote.objects.create(
        tenant_id=desk.row.tenant_id,
        proposal=desk.row,
        revision=desk.revision,
        digest=desk.revision.digest,
        person_id=UUID(actor.id),
        person_label=actor.label,
        choice=ballot.choice.value,
        reason_code=ballot.reason_code,
        note=ballot.note,
        agent_message=ballot.agent_message,
        session=actor.session,
        stepup_at=proof.at if proof else None,
        served_at=served_at,
        view_digest=digest,
        expected_s=ballot.reading.expected_s,
        taken_ms=taken_ms,
        assertion=signature.assertion if signature else None,
        signed_with=signature.name if signature else "",
        delegation_id=ground.lent.delegation_id if ground.lent else None,
        in_place_of=ground.lent.name if ground.lent else "",
        event_uid=receipt.uid,
        cast_at=at,
    )
    desk.votes.append(vote)
    return vote


def _refused(actor: Actor, proposal_id: UUID, ballot: Ballot, refusal: ConsoleError) -> VoteReceipt:
    """Keep that somebody tried, and refuse after the commit."""
    digest = ballot.digest[:64] if ballot.digest[:64].isascii() else ""
    record(
        VoteRefused(
            proposal_id=proposal_id,
            choice=ballot.choice.value,
            code=refusal.code,
            digest=digest.replace("\x00", ""),
        ),
        actor=actor,
    )
    return kept(refusal, VoteReceipt)


def _require_there(actor: Actor, proposal_id: UUID) -> None:
    if row_for(actor, proposal_id) is None:
        raise NotFound("There is no such proposal here; look at the list of reviews.")


def _hint_unless_blind(desk: Desk) -> None:
    """Refresh open pages, unless that would tell of a vote that is still hidden.

    What settles the proposal has an event with hints of its own.
    """
    if desk.requirement.blind or desk.state not in {ProposalState.OPEN, ProposalState.STALE}:
        return
    for topic in (QUEUE, f"proposal:{desk.row.id}"):
        outbox.hint(topic, id=str(desk.row.id), rev=desk.row.row_version)


def _vote_of(actor: Actor, desk: Desk) -> Vote | None:
    return next((vote for vote in desk.votes if str(vote.person_id) == actor.id), None)


def _given(desk: Desk) -> int:
    return count_people([(vote.person_id, vote.cast_at) for vote in desk.approvals])


def _receipt(desk: Desk, vote: Vote, *, given: int, repeated: bool = False) -> VoteReceipt:
    return VoteReceipt(
        event_uid=vote.event_uid,
        state=desk.state,
        needed=desk.requirement.people,
        given=given,
        repeated=repeated,
        in_place_of=vote.in_place_of,
        remark=policies.remark(Choice(vote.choice), vote.expected_s, vote.taken_ms),
    )
