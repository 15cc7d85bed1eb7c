"""`/api/v1/approvals/proposals`. Programs may read; only a person's session votes."""

from collections.abc import Mapping
from uuid import UUID

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import commands, queries
from approvals.errors import VoteByMachine
from approvals.queries import View
from approvals.serializers import (
    VIEWS,
    NothingIn,
    ProposalDetailOut,
    QueueIn,
    QueueRowOut,
    VoteIn,
    VoteReceiptOut,
)
from approvals.states import Choice
from console.kernel.actors import Actor
from console.kernel.rest import PAGE_PARAMETERS, ApiView, actor_of, page, paged, take, take_query

_AFTER = [one for one in PAGE_PARAMETERS if one.name == "after"]
_VIEW = OpenApiParameter("view", str, enum=VIEWS, description="Which list; `mine` by default.")


class Proposals(ApiView):
    """Lists of proposals, as the reader may see them; who may see none at all gets 403."""

    asks = frozenset({"view", "after"})

    @extend_schema(
        operation_id="proposals_list", parameters=[_VIEW, *_AFTER], responses=paged(QueueRowOut)
    )
    def get(self, request: Request) -> Response:
        asked = take_query(QueueIn, request)
        found = queries.awaiting_review(
            actor=actor_of(request),
            view=View(asked["view"]),
            after=request.query_params.get("after", ""),
        )
        return page(QueueRowOut, found.rows, found.next or None)


class OneProposal(ApiView):
    """One proposal. Its entity tag is over what this reader sees, so it gives no vote away."""

    @extend_schema(operation_id="proposals_read", responses=ProposalDetailOut)
    def get(self, request: Request, proposal_id: UUID) -> Response:
        take_query(NothingIn, request)
        found = queries.proposal(actor=actor_of(request), proposal_id=proposal_id)
        return Response(ProposalDetailOut(found).data)


class Votes(ApiView):
    """Voting. The same vote again is answered with the first receipt, without a key.

    Not behind an idempotency key: it would put the command into a transaction that a refusal
    undoes, and with it an expiry that was noticed.
    """

    repeatable = False

    @extend_schema(operation_id="votes_cast", request=VoteIn, responses={201: VoteReceiptOut})
    def post(self, request: Request, proposal_id: UUID) -> Response:
        actor = _person(request)
        take_query(NothingIn, request)
        values: Mapping[str, str] = take(VoteIn, request)
        receipt = commands.cast_vote(
            actor=actor,
            proposal_id=proposal_id,
            revision_no=int(values["revision"]),
            seen_digest=values["digest"],
            choice=Choice(values["choice"]),
            reason_code=values.get("reason_code", ""),
            note=values.get("note", ""),
            agent_message=values.get("agent_message", ""),
        )
        return Response(VoteReceiptOut(receipt).data, status=200 if receipt.repeated else 201)


class OwnVote(ApiView):
    """Taking one's own vote back, until the proposal is dispatched."""

    repeatable = False

    @extend_schema(operation_id="votes_withdraw", responses=VoteReceiptOut)
    def delete(self, request: Request, proposal_id: UUID) -> Response:
        actor = _person(request)
        take_query(NothingIn, request)
        take(NothingIn, request)
        receipt = commands.withdraw_vote(actor=actor, proposal_id=proposal_id)
        return Response(VoteReceiptOut(receipt).data)


def _person(request: Request) -> Actor:
    """Return the person who asks; a key is told so before its body is even read."""
    actor = actor_of(request)
    if not actor.is_person:
        raise VoteByMachine("Only people who are signed in vote; ask a reviewer to decide this.")
    return actor


urlpatterns = [
    path("proposals", Proposals.as_view()),
    path("proposals/<uuid:proposal_id>", OneProposal.as_view()),
    path("proposals/<uuid:proposal_id>/votes", Votes.as_view()),
    path("proposals/<uuid:proposal_id>/votes/mine", OwnVote.as_view()),
]
