"""Breaking glass: one person decides in place of all who were asked, and answers for it afterwards.

It replaces votes and nothing else. What a rule denies stays denied, a stop holds it, another target
makes it stale, and what runs is what was on the person's screen: a dispatch checks all of it again.
Claims of others are part of voting, so they are not in the way.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from approvals import policies
from approvals.cards import ViewServed
from approvals.cards.reviewing import GlassReceipt
from approvals.commands import checking, noticing, tasking
from approvals.commands.desk import Desk, must_lock
from approvals.commands.lending import locked_grant
from approvals.commands.refusing import expired, kept, settled_by
from approvals.commands.remarks import needed_text
from approvals.commands.reviewers import require_current
from approvals.errors.breaking import BreakGlassByMachine, NoBreakGlass
from approvals.events.reviewing import BreakGlassRefused, ProposalBreakGlass
from approvals.models import (
    LABEL_LENGTH,
    NOTE_LENGTH,
    BreakGlassGrant,
    BreakGlassUse,
    Decision,
    ReviewTask,
)
from approvals.policies.breaking import STEPUP_S, TICKET_LENGTH, skipped
from approvals.queries.breaking import require_may_break
from approvals.queries.people import seen_by
from approvals.queries.seeing import row_for
from approvals.queries.serving import reading_in, revision_at, views_served
from approvals.states import Basis, CheckAnswer, Choice, NoticeReason
from audit.commands import record
from console.accounts import queries as people
from console.accounts.cards import Proof
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError, NotFound
from console.kernel.transactions import command


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A use of break-glass as it was handed in."""

    revision_no: int
    digest: str
    reason: str
    ticket: str
    needed: Collection[str]  # parts that have to have been shown


@command
def break_glass(
    *, actor: Actor, proposal_id: UUID, revision_no: int, seen_digest: str, reason: str, ticket: str
) -> GlassReceipt:
    """Approve exactly what this person saw, in place of everybody who is asked.

    Everybody who was skipped is told, and a review opens that bars the next use by this person
    until somebody else closes it; all of it is one transaction. The same again returns the receipt
    of the first.

    Args:
        seen_digest: SHA-256 (64 hex characters) of the revision that was on screen.
        ticket: where the emergency is written down, for instance the id of an incident.

    Raises:
        BreakGlassByMachine: the actor is no person in a session of their own.
        NoBreakGlass: they do not hold the right now.
        VoteByPrincipal: they had a part in the request.
        BreakGlassNotOffered: it is about the rules themselves.
        BreakGlassBarred: their last use is not reviewed yet.
        AlreadyDecided, StaleRevision, NotFullyShown, ProposalFrozen, StepUpRequired: as for a vote.
        ProposalExpired: the lock was granted after the time to decide; the expiry is kept.
        BadInput: no reason or no ticket.
        CheckRevealed: it was a planted check, and nothing was decided; no review follows.
    """
    if not policies.is_interactive(actor):
        machine = BreakGlassByMachine("Only people who are signed in break glass; ask one.")
        return _refused(actor, proposal_id, seen_digest, machine)
    seen = revision_at(proposal_id, revision_no)
    asked = _Asked(
        revision_no=revision_no,
        digest=seen_digest,
        reason=needed_text(reason, "reason", "Say why it cannot wait.", most=NOTE_LENGTH),
        ticket=needed_text(ticket, "ticket", "Name where it is written down.", most=TICKET_LENGTH),
        needed=reading_in(seen).parts,
    )
    grant = locked_grant(actor)  # before the proposal: no waiting after the time is read
    desk = must_lock(actor=actor, proposal_id=proposal_id, seen=seen)
    if not seen_by(actor).covers(desk.row):
        raise NotFound("There is no such proposal here; look at the list of reviews.")
    at = clock.now()
    mine = _use_of(actor, desk)
    if mine is not None and asked.digest == desk.digest:
        return _receipt(desk, mine, repeated=True)
    if desk.settle_clock(at=at):
        return _refused(actor, proposal_id, seen_digest, expired())
    shown = views_served(actor, seen)
    try:
        grant = _require_grant(grant, at=at)
        proof = _require_all_but_votes(desk, actor, asked, shown)
    except ConsoleError as refusal:
        return _refused(actor, proposal_id, seen_digest, refusal)
    if desk.row.is_check:
        return kept(checking.reveal(desk, CheckAnswer.APPROVE, at=at), GlassReceipt)
    return _use(desk, actor, asked, grant, _Ground(shown=shown, proof=proof), at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """What the use rests on."""

    shown: tuple[ViewServed, ...]
    proof: Proof


# -- checks --------------------------------------------------------------------------------------


def _require_grant(grant: BreakGlassGrant | None, *, at: datetime) -> BreakGlassGrant:
    if grant is None or not grant.is_live(at=at):
        raise NoBreakGlass(
            "You do not hold the right to break glass now; an administrator other than you lends "
            "it, for an hour at most.",
            permission="approvals.break_glass",
        )
    return grant


def _require_all_but_votes(
    desk: Desk, actor: Actor, asked: _Asked, shown: tuple[ViewServed, ...]
) -> Proof:
    """Raise the first reason why this would not be an approval; missing votes are none."""
    require_may_break(actor, desk.row, desk.principals)
    policies.require_decidable(desk.state, Choice.APPROVE, settled_by=settled_by(desk))
    require_current(desk, asked.revision_no, asked.digest)
    policies.require_fully_shown(asked.needed, shown, Choice.APPROVE)
    policies.require_not_frozen(desk.window, Choice.APPROVE)
    proof = people.proof(actor=actor)
    policies.require_fresh(proof, STEPUP_S, Choice.APPROVE)
    if proof is None:  # said by the line above
        raise RuntimeError("A fresh sign-in has a time.")
    return proof


# -- writes --------------------------------------------------------------------------------------


def _use(
    desk: Desk,
    actor: Actor,
    asked: _Asked,
    grant: BreakGlassGrant,
    ground: _Ground,
    *,
    at: datetime,
) -> GlassReceipt:
    passed_over = skipped(
        desk.voters().values(), desk.requirement, desk.principals, by=UUID(actor.id)
    )
    served_at = max(one.served_at for one in ground.shown)
    view_digest = policies.view_digest(desk.digest, ground.shown)
    receipt = record(
        ProposalBreakGlass(
            proposal_id=desk.row.id,
            grant_id=grant.id,
            revision_no=desk.row.revision_no,
            digest=desk.digest,
            ticket=asked.ticket,
            skipped=tuple(str(person) for person in passed_over),
            session=actor.session,
            stepup_at=ground.proof.at.isoformat(),
            view_digest=view_digest.hex(),
            served_at=served_at.isoformat(),
            reason=asked.reason,
        ),
        actor=actor,
    )
    desk.approve((), at=at, basis=Basis.BREAK_GLASS)
    decision = Decision.objects.get(proposal=desk.row, voided_at__isnull=True)
    use = BreakGlassUse.objects.create(
        tenant_id=desk.row.tenant_id,
        proposal=desk.row,
        revision=desk.revision,
        decision=decision,
        grant=grant,
        digest=desk.revision.digest,
        person_id=UUID(actor.id),
        person_label=actor.label[:LABEL_LENGTH],
        reason=asked.reason,
        ticket=asked.ticket,
        session=actor.session,
        stepup_at=ground.proof.at,
        served_at=served_at,
        view_digest=view_digest,
        skipped=list(passed_over),
        event_uid=receipt.uid,
        used_at=at,
    )
    tasking.open_for_use(desk.row, use, actor=actor, at=at)
    noticing.notify(
        actor=actor,
        people=passed_over,
        reason=NoticeReason.BREAK_GLASS,
        proposal_id=desk.row.id,
        no=BreakGlassUse.objects.filter(proposal=desk.row).count(),
    )
    return _receipt(desk, use)


def _use_of(actor: Actor, desk: Desk) -> BreakGlassUse | None:
    """Return the use by this person that carries the decision, if there is one."""
    return BreakGlassUse.objects.filter(
        revision=desk.revision, person_id=UUID(actor.id), decision__voided_at__isnull=True
    ).first()


def _receipt(desk: Desk, use: BreakGlassUse, *, repeated: bool = False) -> GlassReceipt:
    return GlassReceipt(
        event_uid=use.event_uid,
        execute_by=desk.row.execute_by or use.used_at,
        told=len(use.skipped),
        task_id=ReviewTask.objects.get(decision=use.decision_id, about_person=use.person_id).id,
        repeated=repeated,
    )


def _refused(
    actor: Actor, proposal_id: UUID, seen_digest: str, refusal: ConsoleError
) -> GlassReceipt:
    """Keep that somebody tried, and refuse after the commit."""
    if row_for(actor, proposal_id) is None:
        raise NotFound("There is no such proposal here; look at the list of reviews.")
    digest = seen_digest[:64] if seen_digest[:64].isascii() else ""
    record(
        BreakGlassRefused(
            proposal_id=proposal_id, code=refusal.code, digest=digest.replace("\x00", "")
        ),
        actor=actor,
    )
    return kept(refusal, GlassReceipt)
