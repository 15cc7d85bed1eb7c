"""Approving calls like one that was just approved, in advance; and ending that."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from approvals import policies
from approvals.cards import StandingCard, StandingTerms
from approvals.commands import judging, remarks, reviewers, signing
from approvals.commands.desk import Desk, must_lock
from approvals.commands.refusing import expired, kept
from approvals.errors import (
    AlreadyDecided,
    StandingInvalid,
    StandingTaken,
)
from approvals.errors.delegating import NotInPlace
from approvals.events import StandingMade, StandingRevoked
from approvals.models import LABEL_LENGTH, REASON_LENGTH, Standing, Vote
from approvals.queries.editing import seen_row
from approvals.queries.standing import AGREED, card_of, not_found, require_revoker, vote_of
from approvals.states import Choice
from audit.commands import record
from console.accounts import queries as people
from console.kernel import canonical, clock
from console.kernel.actors import Actor
from console.kernel.errors import BadInput, ConsoleError
from console.kernel.transactions import command

_MOST_PATHS: Final = 50  # named in an event; the row itself holds all


@command
def make_standing(
    *,
    actor: Actor,
    proposal_id: UUID,
    revision_no: int,
    seen_digest: str,
    terms: StandingTerms,
    reason: str,
) -> StandingCard:
    """Let calls like one that this person approved run without asking them again.

    It speaks for the same tool, contract and agent, where one person in the maker's place would
    be enough, and never for a call behind which the maker stands.

    Args:
        seen_digest: SHA-256 (64 hex characters) of the revision that the person approved.

    Raises:
        VoteByMachine, VoteByPrincipal, VoteNotEligible: this actor may not decide this.
        StandingNotAllowed: of its tier, or because a rule says so, or because it takes two people.
        StandingNotApproved: the person has no approval of it that counts.
        StandingTaken: that approval carries one already.
        StandingInvalid: the conditions cannot be read, or leave out the call they come from.
        StepUpRequired: approving this needs a fresher sign-in.
        StaleRevision, AlreadyDecided: it is not what the person saw, or ended otherwise.
        ProposalExpired: the time was over; the expiry is kept.
        NotAllowed, NotFound: there is none of that id, or none that the actor may see.
        BadInput: number, time or reason.
    """
    if not policies.is_interactive(actor):
        raise signing.machine()
    seen_row(actor, proposal_id)
    said = _reason(reason)
    _require_bounds(terms)
    read = policies.terms_of(terms.conditions, terms.free)
    desk = must_lock(actor=actor, proposal_id=proposal_id)
    at = clock.now()
    if desk.settle_clock(at=at):
        return kept(expired(), StandingCard)
    try:
        vote = _vote(desk, actor, revision_no, seen_digest)
    except ConsoleError as refusal:
        # Returned, because the clock may just have taken a lapsed approval back to people.
        return kept(refusal, StandingCard)
    if not read.covers(judging.facts_of(desk, desk.content)):
        raise StandingInvalid(
            "The conditions do not fit the request that you approved; let them cover it and all "
            "its arguments.",
            pointer="/when",
        )
    row = _row(desk, vote, actor, terms, said)
    row.made_at, row.ends_at = at, at + timedelta(days=terms.days)
    Standing.objects.bulk_create([row])  # nobody else can: the proposal is held
    record(_made(row, vote, read, actor), actor=actor)
    return card_of(actor, row, at=at)


@command
def revoke_standing(*, actor: Actor, standing_id: UUID, reason: str) -> StandingCard:
    """End a standing approval: what it approved and did not run yet goes back to people.

    Doing it again changes nothing.

    Raises:
        VoteByMachine: only people end it.
        NotFound: there is none of that id, or none that this actor may see.
        StandingNotYours: neither its maker nor somebody who leads the reviewers.
        BadInput: the reason is empty or too long.
    """
    if not policies.is_interactive(actor):
        raise signing.machine()
    said = _reason(reason)
    row = Standing.objects.select_for_update(no_key=True).filter(pk=standing_id).first()
    if row is None:
        raise not_found()
    require_revoker(actor, row)
    if row.revoked_at is None:
        row.revoked_at = clock.now()
        row.revoked_by = actor.label[:LABEL_LENGTH]
        row.revoke_reason = said
        row.save(update_fields=["revoked_at", "revoked_by", "revoke_reason"])
        record(
            StandingRevoked(standing_id=row.id, uses_left=row.uses_left, reason=said), actor=actor
        )
    return card_of(actor, row, at=clock.now())


# -- parts ---------------------------------------------------------------------------------------


def _vote(desk: Desk, actor: Actor, revision_no: int, seen_digest: str) -> Vote:
    """Return the vote that carries it, or raise the first reason why there is none."""
    policies.require_voter(signing.voter_of(desk, actor), desk.requirement, desk.principals)
    policies.require_standing_allowed(desk.row.tier, desk.requirement)
    reviewers.require_current(desk, revision_no, seen_digest)
    vote = vote_of(actor, desk.row, desk.revision)
    if vote is None:
        raise policies.standing_not_approved()
    if vote.delegation_id is not None:
        raise NotInPlace(
            "You approved this in somebody else's place; a standing approval is given in one's own "
            "name only."
        )
    if desk.state not in AGREED:
        raise AlreadyDecided(
            f"This is {desk.state}; only what was approved can be approved in advance.",
            state=desk.state.value,
        )
    if Standing.objects.filter(vote=vote, revoked_at__isnull=True).exists():
        raise StandingTaken(
            "Your approval of this carries a standing approval already; revoke that one first."
        )
    policies.require_fresh(people.proof(actor=actor), desk.requirement.stepup_s, Choice.APPROVE)
    return vote


def _row(desk: Desk, vote: Vote, actor: Actor, terms: StandingTerms, reason: str) -> Standing:
    return Standing(
        tenant_id=desk.row.tenant_id,
        vote=vote,
        proposal=desk.row,
        maker_id=UUID(actor.id),
        maker_label=actor.label[:LABEL_LENGTH],
        tier=desk.row.tier,
        tool=desk.row.tool,
        contract_hash=desk.revision.contract_hash,
        agent_id=desk.row.agent_id,
        agent_label=desk.row.agent_label,
        conditions=[dict(one) for one in terms.conditions],
        free=list(terms.free),
        uses=terms.uses,
        uses_left=terms.uses,
        stepup_s=desk.requirement.stepup_s,
        reason=reason,
    )


def _made(row: Standing, vote: Vote, read: policies.Terms, actor: Actor) -> StandingMade:
    proof = people.proof(actor=actor) if row.stepup_s else None
    return StandingMade(
        standing_id=row.id,
        proposal_id=row.proposal_id,
        vote_event=vote.event_uid,
        tool=row.tool,
        contract_hash=row.contract_hash,
        agent=row.agent_id,
        paths=tuple(policies.pointer(one.path) for one in read.when)[:_MOST_PATHS],
        free=tuple(policies.pointer(path) for path in read.free)[:_MOST_PATHS],
        terms=canonical.digest({"conditions": row.conditions, "free": row.free}).hex(),
        uses=row.uses,
        ends_at=row.ends_at.isoformat(),
        session=actor.session,
        stepup_at=proof.at.isoformat() if proof else "",
        reason=row.reason,
    )


def _require_bounds(terms: StandingTerms) -> None:
    wrong = {}
    if not 1 <= terms.uses <= policies.MOST_USES:
        wrong["uses"] = f"From 1 to {policies.MOST_USES}."
    if not 1 <= terms.days <= policies.MOST_DAYS:
        wrong["days"] = f"From 1 to {policies.MOST_DAYS}."
    if wrong:
        name, said = next(iter(wrong.items()))
        raise BadInput(f"{name.capitalize()}: {said}", fields=wrong)


def _reason(text: str) -> str:
    said = remarks.text_of(text, "reason", most=REASON_LENGTH)
    if not said:
        sentence = "Say why; everybody who looks at it reads that."
        raise BadInput(f"Reason: {sentence}", fields={"reason": sentence})
    return said
