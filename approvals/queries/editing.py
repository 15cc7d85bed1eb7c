"""What a person needs to edit a proposal, and whether they may."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from approvals import policies
from approvals.cards import EditBase, Principal, Requirement, Voter
from approvals.models import PrincipalRow, Proposal, RequirementRow, Revision
from approvals.queries.people import oneself, seen_by, voters_on
from approvals.queries.seeing import row_for
from approvals.states import LIVE, PrincipalRole, ProposalState
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError, NotFound
from console.kernel.transactions import query


@query
def edit_base(*, actor: Actor, proposal_id: UUID) -> EditBase:
    """Return what an edit starts from.

    Raises:
        NotFound, NotAllowed: the actor does not see it.
        VoteByPrincipal, VoteNotEligible: the actor may not edit it.
    """
    row = seen_row(actor, proposal_id)
    require_reviewer_of(actor, row)
    return EditBase(
        proposal_id=row.id,
        title=row.title,
        tool=row.tool,
        tier=row.tier,
        agent=row.agent_label,
        subject_kind=row.subject_kind,
        live=ProposalState(row.state) in LIVE,
        now=Revision.objects.get(proposal=row, no=row.revision_no).card(row.tool),
        first=Revision.objects.get(proposal=row, no=1).card(row.tool),
    )


@query
def edit_refusal(*, actor: Actor, proposal_id: UUID) -> str:
    """Return why the actor may not edit a proposal, or ""."""
    try:
        require_reviewer_of(actor, seen_row(actor, proposal_id))
    except ConsoleError as refusal:
        return refusal.message
    return ""


def seen_row(actor: Actor, proposal_id: UUID) -> Proposal:
    """Return a proposal that the actor may look at, unlocked.

    Raises:
        NotAllowed: the actor may look at no proposal at all.
        NotFound: there is none of that id, or none that this actor may see.
    """
    reach = seen_by(actor)
    row = row_for(actor, proposal_id)
    if row is None or not reach.covers(row):
        raise NotFound("There is no such proposal here; look at the list of reviews.")
    return row


def require_reviewer_of(actor: Actor, row: Proposal) -> None:
    """Raise unless this person could vote on it, or could before an edit of their own."""
    require_reviewer(
        actor,
        voters_on(actor=actor, row=row, among=oneself(actor)),
        RequirementRow.newest(row).card(),
        [each.card() for each in PrincipalRow.objects.filter(proposal=row)],
    )


def require_reviewer(
    actor: Actor,
    voters: Mapping[UUID, Voter],
    requirement: Requirement,
    principals: Sequence[Principal],
) -> None:
    """Raise as `require_reviewer_of`, for what was read already."""
    person = UUID(actor.id)
    nobody = Voter(
        person_id=person, name=actor.label, groups=frozenset(), active=True, may_vote=False
    )
    chain = [
        one for one in principals if one.role is not PrincipalRole.EDITOR or one.person_id != person
    ]
    policies.require_voter(voters.get(person, nobody), requirement, chain)
