"""What agents that run elsewhere do by their service keys: ask, take up, report, take back.

A key never decides. It acts on the proposals that it opened itself and on no others, and the person
who issued it belongs to the chain of each of them.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from approvals.cards import (
    Claimed,
    Content,
    DispatchCard,
    ExternalCall,
    Image,
    NotClaimed,
    Principal,
    Progress,
    ProposalFacts,
    Subject,
)
from approvals.commands import reviewers
from approvals.commands.desk import must_lock
from approvals.commands.dispatching import claim_dispatch, report_outcome
from approvals.commands.external_schemas import require_fits
from approvals.commands.opening import open_proposal
from approvals.commands.refusing import expired, kept
from approvals.errors import (
    AlreadyDecided,
    DispatchLate,
    NotDecided,
    NotTheCall,
    OutcomeKnown,
    PlanBroken,
    PolicyDenied,
    ProposalExpired,
    ProposalFrozen,
    RunOnce,
    StaleRevision,
    StepTooEarly,
    WasBlocked,
    WasRejected,
    WasReopened,
    WasSuperseded,
    WasWithdrawn,
)
from approvals.kinds import require_permit
from approvals.models import Dispatch, ExternalTool, Proposal, Revision
from approvals.policies import external
from approvals.queries.external import lost_dispatches, own_row, progress_of
from approvals.states import EXTERNAL, Act, DispatchState, Outcome, PrincipalRole, ProposalState
from console.accounts.queries import require
from console.accounts.states import Permission
from console.kernel import clock
from console.kernel.actors import Actor, ActorKind
from console.kernel.errors import ConsoleError, NotAllowed, NotFound
from console.kernel.lines import require_plain_line
from console.kernel.transactions import command

CHANNEL: Final = "external"  # how rules name it
UNKNOWN_TIER: Final = 2
_MOST_LOST: Final = 100
_REFUSALS: Final[Mapping[str, type[ConsoleError]]] = {
    kind.code: kind
    for kind in (
        AlreadyDecided,
        DispatchLate,
        NotDecided,
        NotTheCall,
        PolicyDenied,
        ProposalExpired,
        ProposalFrozen,
        RunOnce,
        PlanBroken,
        StaleRevision,
        StepTooEarly,
        WasBlocked,
        WasRejected,
        WasReopened,
        WasSuperseded,
        WasWithdrawn,
    )
}


@command
def propose(*, actor: Actor, call: ExternalCall) -> Progress:
    """Have the rules say who decides about a change that an external agent wants to make.

    The same content for the same subject gets the live proposal; other content supersedes it. A
    tool that nobody registered is blocked, and the tier is never below the registered one.

    Raises:
        NotAllowed: the actor is no key with `approvals.propose`.
        Unavailable, or what the stops say: a stop stands against it.
        BadInput: the title would pass for another one, or is too long.
        DoesNotFit: the tool has a schema, and the arguments do not fit it.
    """
    require_key(actor)
    require_plain_line("title", call.title)
    require_fits(actor, call.tool, call.args)
    agent = external.agent_id_of(actor.id)
    subject = Subject(kind=EXTERNAL, id=external.own_id(UUID(actor.id), call.subject))
    require_permit(
        actor=actor, act=Act.OPEN, agent=agent, tool=call.tool, tier=call.tier, subject=subject
    )
    card = open_proposal(
        actor=actor,
        subject=subject,
        content=content_of(call),
        facts=facts_of(actor, call, tool_of(actor, call.tool)),
        principals=chain_of(actor),
    )
    return progress_of(Proposal.objects.get(pk=card.id))


@command
def dispatch_own(
    *,
    actor: Actor,
    proposal_id: UUID,
    call_key: UUID,
    args: Mapping[str, Any],
    before: Image,
    contract: str,
) -> Claimed:
    """Take the one permission to make an approved change, for what the target is at this moment.

    The same key again gets the same answer until the time to execute is over.

    Args:
        before: the target as the agent has just read it.

    Raises:
        NotFound, NotYours: this key did not open it.
        Unavailable, or what the stops say: a stop stands against it.
        ConsoleError: one of `_REFUSALS`; what was noticed on the way is kept.
    """
    require_key(actor, proposal_id=proposal_id)
    row = own_row(actor, proposal_id)
    _require_no_stop(actor, row)
    # The after-image follows from the rest; rules may look at it.
    planned = Revision.objects.get(proposal=row, no=row.revision_no).content(row.tool).after
    found = claim_dispatch(
        actor=actor,
        proposal_id=proposal_id,
        call_key=external.own_id(proposal_id, call_key),
        content=Content(
            tool=row.tool,
            contract_hash=external.contract_hash(contract),
            args=args,
            before=before,
            after=planned,
        ),
    )
    return found if isinstance(found, Claimed) else kept(_refusal(found), Claimed)


@command
def report_own(
    *,
    actor: Actor,
    dispatch_id: UUID,
    outcome: DispatchState,
    after: Image,
    evidence: Mapping[str, Any],
) -> DispatchCard:
    """Say how the change went; the same report again changes nothing.

    Raises:
        NotFound, NotYours: this key did not take it up.
        OutcomeKnown: another outcome is on record, or it is for people to say by now.
    """
    proposal_id = _proposal_of(dispatch_id)
    require_key(actor, proposal_id=proposal_id)
    own_row(actor, proposal_id)
    must_lock(actor=actor, proposal_id=proposal_id)
    row = Dispatch.objects.get(pk=dispatch_id)
    outcome = DispatchState(outcome)
    if row.state == DispatchState.UNKNOWN.value and outcome is not DispatchState.UNKNOWN:
        raise OutcomeKnown(
            "This dispatch is on record as unknown; tell a person, who settles it on its page."
        )
    return report_outcome(
        actor=actor, dispatch_id=dispatch_id, outcome=outcome, after=after, evidence=evidence
    )


@command
def withdraw_own(*, actor: Actor, proposal_id: UUID) -> None:
    """Take a request back; doing it again changes nothing.

    Raises:
        NotFound, NotYours: this key did not open it.
        AlreadyDecided: it is settled already, and will not be changed.
        ProposalExpired: the time was over; the expiry is kept.
    """
    require_key(actor, proposal_id=proposal_id)
    own_row(actor, proposal_id)
    desk = must_lock(actor=actor, proposal_id=proposal_id)
    at = clock.now()
    if desk.settle_clock(at=at):
        return kept(expired(), type(None))
    if desk.state is ProposalState.WITHDRAWN:
        return None
    try:
        reviewers.require_live(desk)
    except ConsoleError as refusal:
        return kept(refusal, type(None))
    told = "The agent took its request back; the change was not made."
    desk.end(Outcome.WITHDRAWN, at=at, cause=f"taken back by {actor.label}", told=told)
    return None


def settle_lost(*, actor: Actor) -> int:
    """Put on record that nobody knows what became of dispatches that were never reported."""
    return sum(
        give_up_on(actor=actor, dispatch_id=dispatch_id, proposal_id=proposal_id)
        for dispatch_id, proposal_id in lost_dispatches(actor=actor, most=_MOST_LOST)
    )


@command
def give_up_on(*, actor: Actor, dispatch_id: UUID, proposal_id: UUID) -> int:
    """Make one dispatch unknown unless it was reported meanwhile; returns whether it is now."""
    must_lock(actor=actor, proposal_id=proposal_id)
    if Dispatch.objects.get(pk=dispatch_id).state != DispatchState.CLAIMED.value:
        return 0
    report_outcome(
        actor=actor,
        dispatch_id=dispatch_id,
        outcome=DispatchState.UNKNOWN,
        after={},
        evidence={"code": "dispatch.never_reported"},
    )
    return 1


# -- parts, shared with plans ---------------------------------------------------------------------


def require_key(actor: Actor, *, proposal_id: UUID | None = None) -> None:
    """Raise unless a service key acts; people learn only of proposals that they may see."""
    require(actor, Permission.APPROVALS_PROPOSE)
    if actor.kind is ActorKind.KEY:
        return
    if proposal_id is not None:
        own_row(actor, proposal_id)
    raise NotAllowed(
        "This is for service keys of external agents; make one that has approvals.propose.",
        permission=Permission.APPROVALS_PROPOSE.value,
    )


def _require_no_stop(actor: Actor, row: Proposal) -> None:
    require_permit(
        actor=actor,
        act=Act.DISPATCH,
        agent=row.agent_id,
        tool=row.tool,
        tier=row.tier,
        subject=Subject(kind=row.subject_kind, id=row.subject_id),
    )


def tool_of(actor: Actor, name: str) -> ExternalTool | None:
    """Return the registered tool, locked: whoever retires it waits, and then sees the proposal."""
    rows = ExternalTool.objects.select_for_update(no_key=True)
    return rows.filter(tenant_id=actor.tenant_id, name=name, retired_at__isnull=True).first()


def content_of(call: ExternalCall) -> Content:
    return Content(
        tool=call.tool,
        contract_hash=external.contract_hash(call.contract),
        args=call.args,
        before=call.before,
        after=call.after,
    )


def facts_of(actor: Actor, call: ExternalCall, tool: ExternalTool | None) -> ProposalFacts:
    """Return what the page says of a call; what it is worth is the registered tool's word, too."""
    return ProposalFacts(
        title=call.title,
        tier=max(call.tier, tool.tier if tool else UNKNOWN_TIER),
        agent_id=external.agent_id_of(actor.id),
        agent_label=actor.label,
        undo=call.undo,
        why=call.why,
        tool_summary=tool.summary if tool else "",
        channel=CHANNEL,
        known=tool is not None,
    )


def chain_of(actor: Actor) -> tuple[Principal, ...]:
    """Return the key as the agent, and who issued it as its owner."""
    key = Principal(
        role=PrincipalRole.AGENT,
        actor_kind=ActorKind.KEY.value,
        actor_id=actor.id,
        label=actor.label,
    )
    issuers = (
        Principal(
            role=PrincipalRole.OWNER,
            actor_kind=link.kind,
            actor_id=link.id,
            label=link.label,
            person_id=UUID(link.id),
        )
        for link in actor.via
        if link.kind == ActorKind.PERSON
    )
    return key, *issuers


def _proposal_of(dispatch_id: UUID) -> UUID:
    found = Dispatch.objects.filter(pk=dispatch_id).values_list("proposal_id", flat=True).first()
    if found is None:
        raise NotFound("There is no such dispatch of this key; check its id.")
    return found


def _refusal(found: NotClaimed) -> ConsoleError:
    kind = _REFUSALS.get(found.code, AlreadyDecided)
    return kind(found.message, state=found.state.value, **found.details)
