"""`proposals/{id}/revisions`, `refresh` and `hand-back`: what a proposal says."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import commands
from approvals.api.people import editor_of
from approvals.serializers import EditIn, NothingIn, ProposalOut, SeenIn
from console.kernel.rest import ApiView, take, take_query


class Revisions(ApiView):
    """Editing: other arguments for the same call make a new revision, and void every vote.

    Not behind an idempotency key for the reason that votes are not; the same edit again is refused
    as one of a revision that does not count any more.
    """

    repeatable = False

    @extend_schema(operation_id="revisions_create", request=EditIn, responses={201: ProposalOut})
    def post(self, request: Request, proposal_id: UUID) -> Response:
        actor = editor_of(request)
        take_query(NothingIn, request)
        values = take(EditIn, request)
        card = commands.edit(
            actor=actor,
            proposal_id=proposal_id,
            revision_no=values["revision"],
            seen_digest=values["digest"],
            args=values["args"],
            note=values.get("note", ""),
            tool=values.get("tool", ""),
        )
        return Response(ProposalOut(card).data, status=201)


class Refresh(ApiView):
    """Putting a stale proposal on what is there now, three times at most."""

    repeatable = False

    @extend_schema(operation_id="proposals_refresh", request=SeenIn, responses=ProposalOut)
    def post(self, request: Request, proposal_id: UUID) -> Response:
        actor = editor_of(request)
        take_query(NothingIn, request)
        values = take(SeenIn, request)
        card = commands.rebase(
            actor=actor,
            proposal_id=proposal_id,
            revision_no=values["revision"],
            seen_digest=values["digest"],
        )
        return Response(ProposalOut(card).data)


class HandBack(ApiView):
    """Ending a stale proposal, so that the agent looks again."""

    repeatable = False

    @extend_schema(operation_id="proposals_hand_back", request=SeenIn, responses={204: None})
    def post(self, request: Request, proposal_id: UUID) -> Response:
        actor = editor_of(request)
        take_query(NothingIn, request)
        values = take(SeenIn, request)
        commands.hand_back(
            actor=actor,
            proposal_id=proposal_id,
            revision_no=values["revision"],
            seen_digest=values["digest"],
        )
        return Response(status=204)
