"""Standing approvals: what each says, whether it still speaks, and for what it spoke."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber

from approvals import policies
from approvals.cards import (
    May,
    Requirement,
    StandingBase,
    StandingCard,
    StandingUseCard,
    StandingWord,
    Voter,
)
from approvals.errors import StandingNotYours
from approvals.models import (
    Decision,
    Evaluation,
    PrincipalRow,
    Proposal,
    RequirementRow,
    Revision,
    Standing,
    StandingUse,
    Vote,
)
from approvals.queries.editing import seen_row
from approvals.queries.people import Voters, as_voter, oneself, seen_by, voters_on
from approvals.states import Basis, Choice, ProposalState, Purpose, StandingState
from console.accounts.states import Permission
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError, NotFound
from console.kernel.transactions import query

LAST_USES: Final = 5
AGREED: Final = frozenset({ProposalState.APPROVED, ProposalState.DISPATCHED})


@query
def standing_approvals(
    *,
    actor: Actor,
    speaking: bool | None = None,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 100,
) -> tuple[StandingCard, ...]:
    """Return standing approvals of tools that the actor may see, newest first.

    Args:
        speaking: only those that may speak still, or only those that are over.
        before: (made_at, id) of the last one seen.

    Raises:
        NotAllowed: the actor sees no proposals at all.
    """
    at = clock.now()
    over = Q(revoked_at__isnull=False) | Q(uses_left=0) | Q(ends_at__lte=at)
    wanted = Q(tenant_id=actor.tenant_id) & _seen(actor)
    if speaking is not None:
        wanted &= ~over if speaking else over
    if before is not None:
        wanted &= Q(made_at__lt=before[0]) | Q(made_at=before[0], id__lt=before[1])
    rows = Standing.objects.filter(wanted).select_related("proposal", "vote")
    return _cards(actor, list(rows.order_by("-made_at", "-id")[:limit]), at=at)


@query
def standing_approval(*, actor: Actor, standing_id: UUID) -> StandingCard:
    """Return one of them.

    Raises:
        NotFound: there is none of that id, or none that this actor may see.
    """
    found = Standing.objects.filter(_seen(actor), tenant_id=actor.tenant_id, pk=standing_id)
    row = found.select_related("proposal", "vote").first()
    if row is None:
        raise not_found()
    return _cards(actor, [row], at=clock.now())[0]


@query
def standing_base(*, actor: Actor, proposal_id: UUID) -> StandingBase:
    """Return what a standing approval can be made of, and why this reader cannot make one.

    Raises:
        NotFound, NotAllowed: the actor does not see it.
    """
    row = seen_row(actor, proposal_id)
    revision = Revision.objects.get(proposal=row, no=row.revision_no)
    requirement = RequirementRow.newest(row).card()
    mine = vote_of(actor, row, revision) if actor.is_person else None
    made = Standing.objects.filter(vote=mine, revoked_at__isnull=True).first() if mine else None
    return StandingBase(
        proposal_id=row.id,
        title=row.title,
        tool=row.tool,
        tier=row.tier,
        agent_label=row.agent_label,
        revision_no=row.revision_no,
        digest=bytes(revision.digest).hex(),
        content=revision.content(row.tool),
        target=_target_of(row),
        stepup_s=requirement.stepup_s,
        refusal=_refusal(actor, row, requirement, mine),
        made=made.id if made else None,
    )


# -- shared with commands and other queries --------------------------------------------------------


def vote_of(actor: Actor, row: Proposal, revision: Revision) -> Vote | None:
    """Return the actor's own approval of a revision, if it counts."""
    return Vote.objects.filter(
        proposal=row,
        revision=revision,
        person_id=UUID(actor.id),
        choice=Choice.APPROVE.value,
        voided_at__isnull=True,
    ).first()


def words_of(proposal_ids: Collection[UUID]) -> Mapping[UUID, StandingWord]:
    """Return whose standing approval spoke, of those proposals for which one did."""
    if not proposal_ids:
        return {}
    decided = Decision.objects.filter(
        proposal__in=proposal_ids, voided_at__isnull=True, basis=Basis.STANDING.value
    )
    used = StandingUse.objects.filter(proposal__in=decided.values("proposal"))
    return {
        use.proposal_id: StandingWord(id=use.standing_id, maker=use.standing.maker_label)
        for use in used.select_related("standing")
    }


def not_found() -> NotFound:
    return NotFound("There is no such standing approval here; look at the list of them.")


def card_of(actor: Actor, row: Standing, *, at: datetime) -> StandingCard:
    """Return one as a card; `row` with its proposal and vote."""
    return _cards(actor, [row], at=at)[0]


# -- parts -----------------------------------------------------------------------------------------


def _seen(actor: Actor) -> Q:
    tools = seen_by(actor).tools
    return Q() if tools is None else Q(proposal__tool_id__in=tools)


def _refusal(actor: Actor, row: Proposal, requirement: Requirement, mine: Vote | None) -> str:
    """Return why the reader cannot make one of this proposal, in the words of the refusal."""
    try:
        policies.require_standing_allowed(row.tier, requirement)
        if mine is None or ProposalState(row.state) not in AGREED:
            raise policies.standing_not_approved()
        chain = [each.card() for each in PrincipalRow.objects.filter(proposal=row)]
        voters = voters_on(actor=actor, row=row, among=oneself(actor))
        policies.require_voter(as_voter(actor, voters), requirement, chain)
    except ConsoleError as refusal:
        return refusal.message
    return ""


def _target_of(row: Proposal) -> Mapping[str, Any]:
    """Return what the call is about, as rules were told when it was opened."""
    said = Evaluation.objects.filter(proposal=row, purpose=Purpose.PROPOSE.value)
    facts = said.order_by("-revision_no").values_list("facts", flat=True).first()
    found: Mapping[str, Any] = (facts or {}).get("target", {})
    return found


def _cards(actor: Actor, rows: Sequence[Standing], *, at: datetime) -> tuple[StandingCard, ...]:
    uses = _last_uses(rows)
    voters = Voters(actor)
    return tuple(
        StandingCard(
            id=row.id,
            proposal_id=row.proposal_id,
            tool=row.tool,
            contract_hash=row.contract_hash,
            agent_id=row.agent_id,
            agent_label=row.agent_label,
            maker_id=row.maker_id,
            maker=row.maker_label,
            conditions=tuple(row.conditions),
            free=tuple(row.free),
            uses=row.uses,
            uses_left=row.uses_left,
            made_at=row.made_at,
            ends_at=row.ends_at,
            reason=row.reason,
            revoked_at=row.revoked_at,
            revoked_by=row.revoked_by,
            revoke_reason=row.revoke_reason,
            state=_state(row, voters.of({row.proposal.tool_id}), at=at),
            last_uses=tuple(uses[row.id]),
            may_revoke=None if row.revoked_at else May.after(partial(require_revoker, actor, row)),
        )
        for row in rows
    )


def require_revoker(actor: Actor, row: Standing) -> None:
    """Raise unless the actor may end a standing approval: its maker, or who leads reviewers."""
    made = str(row.maker_id) == actor.id
    if not (actor.is_person and (made or actor.has(Permission.APPROVALS_LEAD))):
        raise StandingNotYours(
            "Only its maker and who leads the reviewers end this; ask them.",
            permission=Permission.APPROVALS_LEAD.value,
        )


def _state(row: Standing, voters: Mapping[UUID, Voter], *, at: datetime) -> StandingState:
    if row.revoked_at is not None:
        return StandingState.REVOKED
    if row.uses_left == 0:
        return StandingState.USED_UP
    if at >= row.ends_at:
        return StandingState.ENDED
    maker = voters.get(row.maker_id)
    if row.vote.voided_at is not None or maker is None or not maker.active:
        return StandingState.SILENT
    return StandingState.SPEAKS


def _last_uses(rows: Sequence[Standing]) -> Mapping[UUID, list[StandingUseCard]]:
    numbered = StandingUse.objects.filter(standing__in=rows).annotate(
        place=Window(
            RowNumber(),
            partition_by=[F("standing")],
            order_by=[F("used_at").desc(), F("id").desc()],
        )
    )
    found: dict[UUID, list[StandingUseCard]] = defaultdict(list)
    last = numbered.filter(place__lte=LAST_USES).select_related("proposal")
    for use in last.order_by("-used_at", "-id"):
        found[use.standing_id].append(
            StandingUseCard(
                proposal_id=use.proposal_id,
                title=use.proposal.title,
                state=ProposalState(use.proposal.state),
                at=use.used_at,
            )
        )
    return found
