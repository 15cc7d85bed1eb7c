"""Claims: who is at work on a proposal, so that two people do not read the same thing.

A claim says nothing about votes. It is not given back when its holder votes, nor when they close
the page: it runs out with its lease in either case, so that a claim that ends tells of nothing.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from approvals import policies
from approvals.cards import ClaimCard, ClaimsCard
from approvals.commands.desk import Desk, must_lock
from approvals.commands.refusing import expired, kept, settled_by
from approvals.commands.signing import voter_of
from approvals.errors import AlreadyVoted, ProposalClaimed, VoteByMachine
from approvals.events import CLAIMS, PROPOSAL_CLAIMS, ProposalTakenOver
from approvals.models import LABEL_LENGTH, Claim
from approvals.policies import claiming, planning
from approvals.queries.claims import decisions_of, read_claims
from approvals.queries.people import seen_by
from approvals.states import Choice
from audit.commands import record
from console.kernel import clock, outbox
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError, NotFound
from console.kernel.transactions import command

_HOUR: Final = timedelta(hours=1)


@command
def claim(*, actor: Actor, proposal_id: UUID, by_itself: bool = False) -> ClaimsCard:
    """Be at work on a proposal for five minutes, or for five more.

    Args:
        by_itself: the page asks, because it was opened. Nothing is claimed then, and nothing
            refused, where there is nothing to claim any more; nor of somebody who decided very
            much in the last hour: others come first.

    Raises:
        ProposalClaimed: others hold every place that this person could fill.
        VoteByMachine, VoteByPrincipal, VoteNotEligible, AlreadyVoted, AlreadyDecided: there is
            nothing to decide here for this actor.
        ProposalExpired: the time was over; the expiry is kept.
    """
    desk = lock_for_person(actor, proposal_id)
    at = clock.now()
    refusal = _why_not(desk, actor, at=at)
    if refusal is not None:
        # Returned and not raised: the clock may have taken a lapsed approval back to people.
        return read_claims(actor, desk.row) if by_itself else kept(refusal, ClaimsCard)
    mine = Claim.objects.filter(
        proposal=desk.row, person_id=UUID(actor.id), lease_until__gt=at
    ).update(lease_until=at + policies.LEASE)
    paced = by_itself and decisions_of(actor, since=at - _HOUR) > policies.DECISIONS_AN_HOUR
    if not mine and not paced:
        _take(desk, actor)
    return read_claims(actor, desk.row)


@command
def release(*, actor: Actor, proposal_id: UUID) -> ClaimsCard:
    """Put one's own claim back, so that others can go on; without one nothing happens."""
    desk = lock_for_person(actor, proposal_id)
    if _end(desk, [UUID(actor.id)]):
        _tell(desk)
    return read_claims(actor, desk.row)


@command
def take_over(*, actor: Actor, proposal_id: UUID) -> ClaimsCard:
    """End the claims of others; who may decide the proposal claims it by the way.

    Raises:
        NotAllowed: the actor does not lead the reviewers.
        AlreadyDecided: nobody can be at work on it.
        ProposalExpired: the time was over; the expiry is kept.
    """
    claiming.require_lead(actor)
    desk = lock_for_person(actor, proposal_id)
    at = clock.now()
    if desk.settle_clock(at=at):
        return kept(expired(), ClaimsCard)
    try:
        policies.require_decidable(desk.state, Choice.REJECT, settled_by=settled_by(desk))
    except ConsoleError as refusal:
        return kept(refusal, ClaimsCard)
    others = [one for one in _live(desk, at=at) if str(one.person_id) != actor.id]
    _end(desk, [one.person_id for one in others])
    if others:
        record(
            ProposalTakenOver(
                proposal_id=desk.row.id, people=tuple(str(one.person_id) for one in others)
            ),
            actor=actor,
        )
    if why_not_decide(desk, actor) is None:
        _take(desk, actor)
    _tell(desk)
    return read_claims(actor, desk.row)


def refusal_for(desk: Desk, actor: Actor, choice: Choice, *, at: datetime) -> ConsoleError | None:
    """Return why a claim of somebody else is in the way of this vote; a rejection never is."""
    held = _live(desk, at=at) if choice is not Choice.REJECT else []
    if not held:
        return None
    person = UUID(actor.id)
    way = policies.in_the_way(
        person,
        held,
        requirement=desk.requirement,
        principals=desk.principals,
        voters=desk.voters(among={person, *(one.person_id for one in held)}),
    )
    if way is None:
        return None
    return ProposalClaimed(policies.claimed_by(way), holder=way.name, until=way.until.isoformat())


def require_unclaimed(desk: Desk, actor: Actor, choice: Choice, *, at: datetime) -> None:
    """Raise `ProposalClaimed` if a claim of somebody else is in the way of this vote."""
    refusal = refusal_for(desk, actor, choice, at=at)
    if refusal is not None:
        raise refusal


def why_not_decide(desk: Desk, actor: Actor) -> ConsoleError | None:
    """Return why there is nothing to decide here for this person; other votes do not matter."""
    try:
        policies.require_voter(voter_of(desk, actor), desk.requirement, desk.principals)
        planning.require_whole(desk.row.plan_pos)
        policies.require_decidable(desk.state, Choice.REJECT, settled_by=settled_by(desk))
    except ConsoleError as refusal:
        return refusal
    for vote in desk.votes:
        if str(vote.person_id) == actor.id:
            return AlreadyVoted(
                "You voted on this; withdraw the vote if you want to work on it again.",
                choice=vote.choice,
            )
    return None


def lock_for_person(actor: Actor, proposal_id: UUID) -> Desk:
    """Lock a proposal for a person who may see it."""
    if not actor.is_person:
        raise VoteByMachine("Only people work on a proposal; ask a reviewer to decide this.")
    reach = seen_by(actor)
    desk = must_lock(actor=actor, proposal_id=proposal_id)
    if not reach.covers(desk.row):
        raise NotFound("There is no such proposal here; look at the list of reviews.")
    return desk


def _why_not(desk: Desk, actor: Actor, *, at: datetime) -> ConsoleError | None:
    if desk.settle_clock(at=at):
        return expired()
    return why_not_decide(desk, actor) or refusal_for(desk, actor, Choice.APPROVE, at=at)


# -- writes --------------------------------------------------------------------------------------


def _live(desk: Desk, *, at: datetime) -> list[ClaimCard]:
    rows = Claim.objects.filter(proposal=desk.row, lease_until__gt=at)
    return [row.card() for row in rows.order_by("since", "id")]


def _take(desk: Desk, actor: Actor) -> None:
    at = clock.now()
    row = Claim(
        tenant_id=desk.row.tenant_id,
        proposal=desk.row,
        person_id=UUID(actor.id),
        person_label=actor.label[:LABEL_LENGTH],
        since=at,
        lease_until=at + policies.LEASE,
    )
    Claim.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["tenant_id", "proposal", "person"],
        update_fields=["person_label", "since", "lease_until"],
    )
    _tell(desk)


def _end(desk: Desk, people: list[UUID]) -> int:
    at = clock.now()
    held = Claim.objects.filter(proposal=desk.row, person__in=people, lease_until__gt=at)
    return held.update(lease_until=at)


def _tell(desk: Desk) -> None:
    """Refresh who is at work; topics of their own, because every page follows the queue's."""
    if not desk.row.is_check:  # only one person can be at work on a check, and knows it
        outbox.hint(CLAIMS, id=str(desk.row.id))
    outbox.hint(f"{PROPOSAL_CLAIMS}:{desk.row.id}", id=str(desk.row.id))
