"""`proposals`: the lists, one proposal, and taking one's own request back."""

from typing import ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import commands, diffs, queries
from approvals.api.people import editor_of
from approvals.cards import ExternalCall
from approvals.queries import Sort, View
from approvals.serializers import (
    SORTS,
    VIEWS,
    NothingIn,
    ProgressOut,
    ProposalDetailOut,
    ProposeIn,
    QueueIn,
    QueueRowOut,
)
from console.accounts.states import Permission
from console.kernel.actors import ActorKind
from console.kernel.rest import PAGE_PARAMETERS, ApiView, actor_of, page, paged, take, take_query

_AFTER = [one for one in PAGE_PARAMETERS if one.name == "after"]
_VIEW = OpenApiParameter("view", str, enum=VIEWS, description="Which list; `mine` by default.")
_WORDS = OpenApiParameter(
    "q", str, description="Words of a filter: `is: tier: mine: needs: agent: group: tool:` or text."
)
_SORT = OpenApiParameter("sort", str, enum=SORTS, description="Another order than the usual one.")


class Proposals(ApiView):
    """Lists of proposals, as the reader may see them; who may see none at all gets 403.

    Agents that run elsewhere open theirs here, by a service key.
    """

    permission: ClassVar = {"GET": "", "POST": Permission.APPROVALS_PROPOSE}
    asks = frozenset({"view", "q", "sort", "after"})
    writes_per_minute = 120

    @extend_schema(
        operation_id="proposals_list",
        parameters=[_VIEW, _WORDS, _SORT, *_AFTER],
        responses=paged(QueueRowOut),
    )
    def get(self, request: Request) -> Response:
        asked = take_query(QueueIn, request)
        found = queries.awaiting_review(
            actor=actor_of(request),
            view=View(asked["view"]),
            after=request.query_params.get("after", ""),
            words=asked["q"],
            sort=Sort(asked["sort"]) if "sort" in asked else None,
        )
        return page(QueueRowOut, found.rows, found.next or None)

    @extend_schema(
        operation_id="proposals_open",
        description="Ask people for a change. The same content for the same subject gets the live "
        "proposal; other content takes its place.",
        request=ProposeIn,
        responses={201: ProgressOut},
    )
    def post(self, request: Request) -> Response:
        take_query(NothingIn, request)
        call = ExternalCall(**take(ProposeIn, request))
        card = commands.propose(actor=actor_of(request), call=call)
        return Response(ProgressOut(card).data, status=201)


class OneProposal(ApiView):
    """One proposal. Its entity tag is over what this reader sees, so it gives no vote away."""

    @extend_schema(operation_id="proposals_read", responses=ProposalDetailOut)
    def get(self, request: Request, proposal_id: UUID) -> Response:
        take_query(NothingIn, request)
        actor = actor_of(request)
        found = queries.proposal(actor=actor, proposal_id=proposal_id)
        answer = ProposalDetailOut(found).data
        parts = [part.name for part in diffs.parts_of(found.diff)]
        commands.serve_parts(
            actor=actor,
            proposal_id=proposal_id,
            revision_no=found.card.revision_no,
            parts=parts,
            view="api",
        )
        return Response(answer)


class Withdraw(ApiView):
    """Taking one's own request back: for who started it, who owns the agent, and the key itself."""

    @extend_schema(operation_id="proposals_withdraw", request=None, responses={204: None})
    def post(self, request: Request, proposal_id: UUID) -> Response:
        asks = actor_of(request)
        by_agent = asks.kind is ActorKind.KEY and asks.has(Permission.APPROVALS_PROPOSE)
        take_back = commands.withdraw_own if by_agent else commands.take_back
        actor = asks if by_agent else editor_of(request)
        take_query(NothingIn, request)
        take(NothingIn, request)
        take_back(actor=actor, proposal_id=proposal_id)
        return Response(status=204)
