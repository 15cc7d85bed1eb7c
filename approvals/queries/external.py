"""What an external agent may look at: its own proposals, their dispatches, and the tools."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from approvals.cards import ExternalToolCard, OpenQuestion, Progress
from approvals.errors import NotYours
from approvals.models import (
    Comment,
    Dispatch,
    ExternalTool,
    Freeze,
    Proposal,
    Revision,
    Vote,
)
from approvals.policies import changed_arguments, external
from approvals.queries.editing import seen_row
from approvals.states import (
    DECIDABLE,
    EXTERNAL,
    LIVE,
    PLAN,
    Choice,
    CommentKind,
    DispatchState,
    ProposalState,
    RejectCode,
)
from console.accounts.queries import require
from console.accounts.states import Permission
from console.kernel import clock
from console.kernel.actors import Actor, ActorKind
from console.kernel.errors import NotAllowed, NotFound
from console.kernel.transactions import query

_EDITED: Final = "edited"  # cause of a revision that a person made
_ASKING: Final = [CommentKind.QUESTION.value, CommentKind.REQUEST_CHANGES.value]


@query
def progress(*, actor: Actor, proposal_id: UUID) -> Progress:
    """Return how far a proposal has come, for the key that opened it or whoever may look at it.

    Raises:
        NotFound: there is none of that id, or none that this actor may know of.
    """
    row = Proposal.objects.filter(tenant_id=actor.tenant_id, pk=proposal_id).first()
    if row is None or not is_own(actor, row):
        row = _seen(actor, proposal_id)
    return progress_of(row)


@query
def external_tools(*, actor: Actor) -> tuple[ExternalToolCard, ...]:
    """Return the tools that external agents may name, by name, and then those they no longer may.

    Raises:
        NotAllowed: the actor may not manage policies.
    """
    require(actor, Permission.POLICIES_MANAGE)
    rows = ExternalTool.objects.filter(tenant_id=actor.tenant_id)
    return tuple(row.card() for row in rows.order_by("retired_at", "name", "id")[:500])


@query
def schema_of(*, actor: Actor, tool: str) -> Mapping[str, Any] | None:
    """Return what the arguments of a tool that is offered have to fit, or None if nothing says."""
    rows = ExternalTool.objects.filter(
        tenant_id=actor.tenant_id, name=tool, retired_at__isnull=True
    )
    found: Mapping[str, Any] | None = rows.values_list("args_schema", flat=True).first()
    return found


@query
def live_outside(*, actor: Actor, tool: str = "", agent: str = "") -> tuple[UUID, ...]:
    """Return the live proposals of external agents, of one tool or agent if named: for stops."""
    outside = Q(subject_kind=EXTERNAL) | Q(subject_kind=PLAN, agent_id__startswith=external.OUTSIDE)
    rows = Proposal.objects.filter(
        outside, tenant_id=actor.tenant_id, state__in=[state.value for state in LIVE]
    )
    if tool:  # a plan is held by a stop of any tool that one of its changes uses
        uses = Proposal.objects.filter(plan=OuterRef("pk"), tool=tool)
        rows = rows.filter(Q(tool=tool) | Q(Exists(uses)))
    if agent:
        rows = rows.filter(agent_id=agent)
    return tuple(rows.order_by("id").values_list("id", flat=True))


@query
def lost_dispatches(*, actor: Actor, most: int) -> tuple[tuple[UUID, UUID], ...]:
    """Return (dispatch, proposal) of what external agents took up and never reported."""
    late = clock.later(clock.now(), seconds=-external.LOST_S)
    rows = Dispatch.objects.filter(
        tenant_id=actor.tenant_id,
        proposal__subject_kind=EXTERNAL,
        state=DispatchState.CLAIMED.value,
        execute_by__lt=late,
    )
    return tuple(rows.order_by("execute_by", "id").values_list("id", "proposal_id")[:most])


# -- shared with commands ------------------------------------------------------------------------


def is_own(actor: Actor, row: Proposal) -> bool:
    """Say whether this very key opened the proposal."""
    return (
        actor.kind is ActorKind.KEY
        and row.subject_kind in {EXTERNAL, PLAN}
        and row.agent_id == external.agent_id_of(actor.id)
    )


def own_row(actor: Actor, proposal_id: UUID) -> Proposal:
    """Return a proposal that this key opened, unlocked.

    Raises:
        NotFound: there is none of that id, or none that this actor may know of.
        NotYours: somebody else opened it.
    """
    row = Proposal.objects.filter(tenant_id=actor.tenant_id, pk=proposal_id).first()
    if row is not None and is_own(actor, row):
        return row
    _seen(actor, proposal_id)
    raise NotYours("Only the service key that opened a proposal does this; use that key.")


def progress_of(row: Proposal) -> Progress:
    revision = Revision.objects.get(proposal=row, no=row.revision_no)
    args, changed = _arguments(row, revision)
    state = ProposalState(row.state)
    dispatch = Dispatch.objects.filter(proposal=row).first()
    # A question says from the start when it ends; a stop does not.
    stops = Freeze.objects.filter(proposal=row, until__isnull=True)
    rejected = state is ProposalState.REJECTED
    return Progress(
        id=row.id,
        state=state,
        settled=state not in DECIDABLE,
        row_version=row.row_version,
        revision_no=row.revision_no,
        digest=bytes(revision.digest).hex(),
        args=args,
        changed=changed,
        tier=row.tier,
        needs=row.needs,
        decide_by=row.decide_by,
        execute_by=row.execute_by,
        frozen=state in LIVE and stops.exists(),
        told=external.told(state, row.close_cause, changed),
        reason_code=RejectCode(row.close_cause) if rejected else None,
        agent_message=_message(row) if rejected else "",
        questions=_questions(row) if state in LIVE else (),
        dispatch=dispatch.card() if dispatch else None,
    )


def _arguments(row: Proposal, revision: Revision) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Return what would run now, and what people changed of what the agent asked for last."""
    if row.subject_kind != EXTERNAL:
        return {}, ()
    args = revision.content(row.tool).args
    if revision.cause != _EDITED:
        return args, ()
    theirs = Revision.objects.filter(proposal=row).exclude(cause=_EDITED).order_by("-no")[0]
    was = theirs.content(row.tool).args
    return args, tuple(pointer for pointer, *_ in changed_arguments(was, args))


def _questions(row: Proposal) -> tuple[OpenQuestion, ...]:
    open_ = Comment.objects.filter(
        proposal=row, kind__in=_ASKING, answered_by__isnull=True
    ).select_related("revision")
    return tuple(
        OpenQuestion(
            id=one.id,
            kind=CommentKind(one.kind),
            text=one.text,
            revision_no=one.revision.no,
            at=one.said_at,
        )
        for one in open_.order_by("said_at", "id")
    )


def _message(row: Proposal) -> str:
    """Return what the reviewers meant for the agent, never their notes."""
    votes = Vote.objects.filter(
        proposal=row, choice=Choice.REJECT.value, voided_at__isnull=True
    ).order_by("-cast_at")
    return votes.values_list("agent_message", flat=True).first() or ""


def _seen(actor: Actor, proposal_id: UUID) -> Proposal:
    try:
        return seen_row(actor, proposal_id)
    except NotAllowed as hidden:
        raise NotFound("There is no such proposal of this key; check its id.") from hidden
