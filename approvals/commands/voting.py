"""Casting a vote, and taking one's own back."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from approvals import policies
from approvals.cards import Voter, VoteReceipt
from approvals.commands.desk import Desk, expired, kept, must_lock, settled_by
from approvals.errors import (
    AlreadyVoted,
    NoVote,
    SameSession,
    StaleRevision,
    VoteByMachine,
)
from approvals.events import QUEUE, VoteCast, VoteRefused
from approvals.models import MESSAGE_LENGTH, NOTE_LENGTH, Proposal, Vote
from approvals.queries.changes import interdiff
from approvals.states import LIVE, Choice, ProposalState, RejectCode
from audit.commands import record
from console.kernel import clock, outbox
from console.kernel.actors import Actor
from console.kernel.errors import BadInput, ConsoleError, NotFound
from console.kernel.transactions import command

_SESSION: Final = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ballot:
    """A vote as it was handed in."""

    revision_no: int
    digest: str
    choice: Choice
    reason_code: str
    note: str
    agent_message: str

    def says_the_same(self, vote: Vote) -> bool:
        return (self.choice.value, self.reason_code, self.note, self.agent_message) == (
            vote.choice,
            vote.reason_code,
            vote.note,
            vote.agent_message,
        )


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
) -> VoteReceipt:
    """Count one person's vote on exactly what they saw, and settle the proposal if that decides it.

    The same vote again returns the receipt of the first, whatever happened since.

    Args:
        seen_digest: SHA-256 (64 hex characters) of the revision that was on screen.
        note: for the other people; required for a rejection.
        agent_message: what the agent is told of a rejection; the note if empty.

    Raises:
        VoteByMachine, VoteByPrincipal, VoteNotEligible: this actor may not vote on this.
        AlreadyDecided, StaleRevision, AlreadyVoted, SameSession, ProposalFrozen: not so, or not
            now.
        ProposalExpired: the lock was granted after the time to decide; the expiry is kept.
        ReasonRequired: a rejection without code or note.
    """
    choice = Choice(choice)
    ballot = _Ballot(
        revision_no=revision_no,
        digest=seen_digest,
        choice=choice,
        reason_code=_code(reason_code) if choice is Choice.REJECT else "",
        note=_short(note, "note", NOTE_LENGTH),
        agent_message=_short(agent_message, "agent_message", MESSAGE_LENGTH),
    )
    if not _is_interactive(actor):
        return _refused(actor, proposal_id, ballot, _machine())
    desk = must_lock(actor=actor, proposal_id=proposal_id)
    at = clock.now()  # after the lock: waiting for it must not make a late vote count
    mine = _vote_of(actor, desk)
    if mine is not None and ballot.says_the_same(mine) and ballot.digest == desk.digest:
        return _receipt(desk, mine, repeated=True)
    if desk.settle_clock(at=at):
        return _refused(actor, proposal_id, ballot, expired())
    refusal = _first_refusal(desk, actor, ballot)
    if refusal is not None:
        return _refused(actor, proposal_id, ballot, refusal)
    vote = _insert(desk, actor, ballot, at=at)
    desk.tally(at=at)
    _hint_unless_blind(desk)
    return _receipt(desk, vote)


@command
def withdraw_vote(*, actor: Actor, proposal_id: UUID) -> VoteReceipt:
    """Take back one's own vote, which is possible until the proposal is dispatched.

    Raises:
        NoVote: there is no vote of this person that counts.
        AlreadyDecided: it is too late.
        ProposalExpired: the time was over; the expiry is kept.
    """
    if not _is_interactive(actor):
        raise _machine()
    desk = must_lock(actor=actor, proposal_id=proposal_id)
    at = clock.now()
    if desk.settle_clock(at=at):
        return kept(expired(), VoteReceipt)
    mine = _vote_of(actor, desk)
    if desk.state not in LIVE:
        policies.require_decidable(desk.state, Choice.REJECT, settled_by=settled_by(desk))
    if mine is None:
        # Returned, because the clock may just have taken a lapsed approval back to people.
        return kept(
            NoVote("You have no vote on this that counts; there is nothing to withdraw."),
            VoteReceipt,
        )
    desk.void_votes([mine], cause="withdrawn", at=at)
    if desk.state is ProposalState.APPROVED:
        desk.reopen("vote withdrawn", at=at)
        # Its own clock went on meanwhile; nobody wins time by taking a vote back.
        if not desk.settle_clock(at=at):
            desk.tally(at=at)
    _hint_unless_blind(desk)
    return _receipt(desk, mine)


# -- checks --------------------------------------------------------------------------------------


def _first_refusal(desk: Desk, actor: Actor, ballot: _Ballot) -> ConsoleError | None:
    """Return the first reason not to count this vote; nothing has been written yet."""
    try:
        # First who asks: the refusals below tell who decided, and what the content is now.
        policies.require_voter(_voter(desk, actor), desk.requirement, desk.principals)
        policies.require_decidable(desk.state, ballot.choice, settled_by=settled_by(desk))
        _require_same_content(desk, ballot)
        policies.require_not_frozen(desk.window, ballot.choice)
        policies.require_reason(ballot.choice, ballot.reason_code, ballot.note)
        _require_first_vote(desk, actor)
    except ConsoleError as refusal:
        return refusal
    return None


def _require_same_content(desk: Desk, ballot: _Ballot) -> None:
    if (ballot.revision_no, ballot.digest) == (desk.row.revision_no, desk.digest):
        return
    changes = interdiff(desk.row, seen_no=ballot.revision_no)
    count = "1 field differs" if len(changes) == 1 else f"{len(changes)} fields differ"
    raise StaleRevision(
        f"This changed while you were reading: revision {ballot.revision_no} is not revision "
        f"{desk.row.revision_no}; {count}. Look at the change and vote again."
        if ballot.revision_no != desk.row.revision_no
        else "What you saw is not what would run; reload the page and vote on what it shows.",
        revision=desk.row.revision_no,
        digest=desk.digest,
        changes=changes,
    )


def _voter(desk: Desk, actor: Actor) -> Voter:
    person = UUID(actor.id)
    nobody = Voter(
        person_id=person, name=actor.label, groups=frozenset(), active=True, may_vote=False
    )
    return desk.voters().get(person, nobody)


def _require_first_vote(desk: Desk, actor: Actor) -> None:
    for vote in desk.votes:
        if str(vote.person_id) == actor.id:
            raise AlreadyVoted(
                f"You voted to {vote.choice} this already; withdraw that vote to change it.",
                choice=vote.choice,
            )
    if any(vote.session == actor.session for vote in desk.votes):
        raise SameSession(
            "Another person voted from this session; sign in on a device or browser of your own."
        )


def _is_interactive(actor: Actor) -> bool:
    return actor.is_person and _SESSION.fullmatch(actor.session) is not None


def _machine() -> VoteByMachine:
    return VoteByMachine("Only people who are signed in vote; ask a reviewer to decide this.")


def _code(code: str) -> str:
    if code and code not in {known.value for known in RejectCode}:
        raise BadInput(
            "Reason code: choose one of the listed reasons.",
            fields={"reason_code": "Choose one of the listed reasons."},
        )
    return code


def _short(text: str, name: str, most: int) -> str:
    # A browser counts a line break as one character and sends two.
    text = text.replace("\r\n", "\n").strip()
    if "\x00" in text:
        raise BadInput("A text holds a NUL character; remove it.", fields={name: "No NUL."})
    if len(text) > most:
        said = f"At most {most} characters."
        raise BadInput(f"{name.replace('_', ' ').capitalize()}: {said}", fields={name: said})
    return text


# -- writes --------------------------------------------------------------------------------------


def _insert(desk: Desk, actor: Actor, ballot: _Ballot, *, at: datetime) -> Vote:
    receipt = record(
        VoteCast(
            proposal_id=desk.row.id,
            choice=ballot.choice.value,
            revision_no=ballot.revision_no,
            digest=desk.digest,
            code=ballot.reason_code,
            session=actor.session,
            strength=actor.strength,
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
        event_uid=receipt.uid,
        cast_at=at,
    )
    desk.votes.append(vote)
    return vote


def _refused(
    actor: Actor, proposal_id: UUID, ballot: _Ballot, refusal: ConsoleError
) -> VoteReceipt:
    """Keep that somebody tried, and refuse after the commit."""
    if not Proposal.objects.filter(pk=proposal_id).exists():
        raise NotFound("There is no such proposal here; look at the list of reviews.")
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


def _receipt(desk: Desk, vote: Vote, *, repeated: bool = False) -> VoteReceipt:
    given = sum(1 for vote in desk.votes if vote.choice == Choice.APPROVE.value)
    return VoteReceipt(
        event_uid=vote.event_uid,
        state=desk.state,
        needed=desk.requirement.people,
        given=given,
        repeated=repeated,
    )
