"""Opening a proposal, putting it on a new base, and taking it back."""

from typing import Final
from uuid import UUID

from approvals import diffs, policies
from approvals.cards import (
    Content,
    Principal,
    ProposalCard,
    ProposalFacts,
    Subject,
)
from approvals.commands import foreseen, judging, laddering, pressure, repeats
from approvals.commands.births import (
    BIRTHS,
    Birth,
    add_parts,
    add_revision,
    approve_by_rule,
    block,
    draw,
    insert,
    record_opened,
    with_those_behind,
)
from approvals.commands.desk import POLICY, Desk, lock, must_lock
from approvals.commands.refusing import expired, kept
from approvals.errors import NotStale, OtherCall, RefreshSpent
from approvals.events import ProposalRevised
from approvals.models import Proposal
from approvals.states import (
    LIVE,
    Basis,
    Outcome,
    ProposalState,
    Purpose,
    Says,
)
from audit.commands import record
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.transactions import command

_MOST_PATHS: Final = 50  # named in an event; the revision itself holds all
_BLOCKED: Final = ProposalState.BLOCKED


@command
def open_proposal(
    *,
    actor: Actor,
    subject: Subject,
    content: Content,
    facts: ProposalFacts,
    principals: tuple[Principal, ...],
) -> ProposalCard:
    """Have the rules say who decides about exactly this content: people, nobody, or never.

    The same content for the same subject returns the live proposal; other content supersedes it.

    Returns:
        An open proposal that waits for people, or one that was born approved (in tier 1 a rule
        allows it, or a standing approval speaks for it) or blocked (a rule denies it, there is no
        such tool, or people rejected the same call of this agent in the last 24 hours).

    Raises:
        BadInput: the tier has no requirement.
        Backpressure: too many wait for people already; come back when some are decided.
        NotCanonical: the content has no canonical form.
    """
    policies.requirement_for(facts.tier)
    old = live_of(actor, subject)
    if old is not None:
        if bytes(old.revision.digest) == content.digest:
            return old.card()
        told = "A newer request for the same thing took the place of this one."
        old.end(Outcome.SUPERSEDED, at=clock.now(), cause="newer", told=told)
    judged = judging.judge(actor=actor, subject=subject, content=content, facts=facts)
    earlier = repeats.rejected_before(
        actor.tenant_id, agent_id=facts.agent_id, content=content, at=judged.at
    )
    state = BIRTHS.get(judged.says, ProposalState.OPEN) if earlier is None else _BLOCKED
    if state is ProposalState.OPEN:
        pressure.require_room(
            actor.tenant_id, subject=subject, agent_id=facts.agent_id, run_id=facts.run_id
        )
    birth = Birth(state=state, repeats=earlier, supersedes=old.row.id if old else None)
    row = insert(actor, subject, content, facts, judged, birth)
    if row is None:  # somebody opened one at the same time; theirs has committed by now
        return open_proposal(
            actor=actor, subject=subject, content=content, facts=facts, principals=principals
        )
    chain = with_those_behind(principals, actor)
    requirement = judged.requirement(facts.tier)
    revision = add_parts(row, content, requirement, chain, author=actor.label)
    judging.keep(row, judged, purpose=Purpose.PROPOSE)
    match state:
        case ProposalState.APPROVED:
            approve_by_rule(actor, row, revision, judged)
        case ProposalState.BLOCKED:
            block(actor, row, revision, judged)
        case _:
            if not foreseen.speak(actor, row, judged):
                record_opened(actor, row, revision, judged, chain)
    return laddering.begin(actor=actor, proposal_id=row.id).card()


@command
def refresh(*, actor: Actor, proposal_id: UUID, content: Content) -> ProposalCard:
    """Put a stale proposal on what is there now: same call, new images, votes void.

    Raises:
        NotStale: the target of the proposal has not changed.
        OtherCall: the tool or its arguments differ.
        RefreshSpent: the target changed too often; the agent has to start over.
        PolicyDenied: with the target as it is now, a rule does not allow it.
        ProposalExpired: the time was over; the expiry is kept.
        ProposalExpired: raised after the expiry is committed.
    """
    desk = must_lock(actor=actor, proposal_id=proposal_id)
    at = clock.now()
    if desk.settle_clock(at=at):
        return kept(expired(), ProposalCard)
    if desk.state is not ProposalState.STALE:
        # Returned, because the clock may just have taken a lapsed approval back to people.
        refusal = NotStale(
            f"This proposal is {desk.state.value}, not stale; there is nothing to refresh.",
            state=desk.state.value,
        )
        return kept(refusal, ProposalCard)
    _require_same_call(desk, content)
    if desk.row.refresh_count >= policies.MOST_REFRESHES:
        raise RefreshSpent("The target changed four times; withdraw this and propose anew.")
    old = desk.content
    judged = judging.judge_again(desk, content, purpose=Purpose.PROPOSE)
    needed = judging.more_asked(desk, judged)
    desk.void_votes(desk.votes, cause="drift", at=at)
    desk.row.revision_no += 1
    desk.row.refresh_count += 1
    desk.row.observed_before = None
    paths = diffs.changed_paths(old.before, content.before)
    desk.revision = add_revision(desk.row, content, author=actor.label, cause="drift", paths=paths)
    desk.move(ProposalState.OPEN, at=at)
    judging.keep(desk.row, judged, purpose=Purpose.PROPOSE)
    if needed is not None:
        desk.ask(needed, cause=POLICY, at=at)
    record(
        ProposalRevised(
            proposal_id=desk.row.id,
            cause="drift",
            revision_no=desk.row.revision_no,
            old_digest=old.digest.hex(),
            digest=content.digest.hex(),
            paths=paths[:_MOST_PATHS],
        ),
        actor=actor,
    )
    if judged.says is Says.ALLOW and judging.allowed_before(desk):
        desk.approve((), at=at, basis=Basis.RULE, rules=judged.rules)
        draw(desk.row, judged, actor=actor, at=at)
    foreseen.speak_again(desk, judged)
    laddering.check(desk, at=at)
    return desk.card()


@command
def withdraw(*, actor: Actor, proposal_id: UUID, cause: str) -> None:
    """Take a live proposal back; one that is final already stays as it is.

    Whoever calls this answers for the right to: the run ended, or its starter or owner asked.
    """
    desk = must_lock(actor=actor, proposal_id=proposal_id)
    at = clock.now()
    desk.settle_clock(at=at)
    if desk.state in LIVE:
        told = "The request was withdrawn; the change was not made."
        desk.end(Outcome.WITHDRAWN, at=at, cause=cause, told=told)


# -- parts ---------------------------------------------------------------------------------------


def live_of(actor: Actor, subject: Subject) -> Desk | None:
    found = (
        Proposal.objects.filter(
            subject_kind=subject.kind,
            subject_id=subject.id,
            state__in=[state.value for state in LIVE],
        )
        .values_list("id", flat=True)
        .first()
    )
    desk = lock(actor=actor, proposal_id=found) if found else None
    if desk is None:
        return None
    desk.settle_clock(at=clock.now())
    return desk if desk.state in LIVE else None


def _require_same_call(desk: Desk, content: Content) -> None:
    if content.tool != desk.row.tool or content.args_bytes != bytes(desk.revision.args):
        raise OtherCall(
            "A new base may not change the tool or its arguments; open a new proposal instead."
        )
