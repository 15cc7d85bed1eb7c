"""What a vote rests on, and the first reason not to count it; no vote is written here."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from approvals import policies
from approvals.cards import Lent, ViewServed
from approvals.commands import signing
from approvals.commands.ballots import Ballot
from approvals.commands.claiming import require_unclaimed
from approvals.commands.desk import Desk
from approvals.commands.refusing import settled_by
from approvals.errors import AlreadyVoted, SameSession, StaleRevision
from approvals.policies import planning
from approvals.policies.delegating import capacity
from approvals.queries.changes import interdiff
from approvals.queries.delegating import hold_lent
from approvals.queries.hearing import Heard
from approvals.queries.people import as_voter
from approvals.queries.serving import views_served
from console.accounts import queries as people
from console.accounts.cards import Proof
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a vote rests on: what its session was shown, and how fresh its proof is."""

    shown: tuple[ViewServed, ...]
    proof: Proof | None
    signature: signing.Signature | None = None
    lent: Lent | None = None  # the place of somebody else that it fills
    heard: Heard  # the voter among those who voted before

    @property
    def served_at(self) -> datetime | None:
        """Return since when all that was shown had been shown."""
        return max((one.served_at for one in self.shown), default=None)


def grounds(desk: Desk, actor: Actor, ballot: Ballot, *, at: datetime) -> Ground | ConsoleError:
    """Return what the vote rests on, or the first reason not to count it."""
    try:
        ground = _checked(desk, actor, ballot, at=at)
        if ballot.signed is None:
            return ground
        signature = signing.verified(desk, actor, ballot.choice, ballot.signed)
    except ConsoleError as refusal:
        return refusal
    # Taken last: a signature that is used up belongs to a vote that counts.
    if not signing.take(desk, actor, ballot.choice, signature, at=at):
        return signing.refused()
    return replace(ground, signature=signature, proof=people.proof(actor=actor))


def _checked(desk: Desk, actor: Actor, ballot: Ballot, *, at: datetime) -> Ground:
    """Return what the vote rests on but for a signature; nothing has been written yet.

    What is read for a refusal is read when its turn comes: most of what is refused is decided.
    """
    # First who asks: the refusals below tell who decided, and what the content is now.
    if ballot.in_place_of:
        hold_lent(actor, ballot.in_place_of)  # before it is read: nobody ends it meanwhile
    heard = desk.hear((UUID(actor.id), at))
    voter = as_voter(actor, heard.now(at=at))
    policies.require_voter(voter, desk.requirement, desk.principals)
    lent = capacity(voter, desk.requirement, ballot.in_place_of)
    planning.require_whole(desk.row.plan_pos)
    policies.require_decidable(desk.state, ballot.choice, settled_by=settled_by(desk))
    _require_same_content(desk, ballot)
    shown = views_served(actor, desk.revision)
    policies.require_fully_shown(ballot.needed, shown, ballot.choice)
    policies.require_not_frozen(desk.window, ballot.choice)
    require_unclaimed(desk, actor, ballot.choice, at=at)
    proof = people.proof(actor=actor)
    if ballot.signed is None:  # a signature counts as a fresh sign-in; it is checked after this
        policies.require_fresh(proof, desk.requirement.stepup_s, ballot.choice)
    policies.require_reason(ballot.choice, ballot.reason_code, ballot.note)
    _require_first_vote(desk, actor)
    return Ground(shown=shown, proof=proof, lent=lent, heard=heard)


def _require_same_content(desk: Desk, ballot: Ballot) -> None:
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
