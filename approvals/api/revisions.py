"""`proposals/{id}/revisions`, `refresh` and `hand-back`: what a proposal says."""

from uuid import UUID

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import commands
from approvals.api.people import editor_of
from approvals.cards import RevisedCall
from approvals.serializers import (
    EditIn,
    NothingIn,
    OwnReviseIn,
    ProgressOut,
    ProposalOut,
    ReviseIn,
    SeenIn,
)
from console.accounts.states import Permission
from console.kernel.actors import ActorKind
from console.kernel.rest import ApiView, actor_of, take, take_query


class Revisions(ApiView):
    """Other arguments for the same call make a new revision, and void every vote.

    People edit; the key of the agent that asked for it revises, and sends `before` and `after` as
    well. Without an idempotency key the same again is refused: its revision counts no more.
    """

    @extend_schema(
        operation_id="revisions_create",
        request=ReviseIn,
        responses={
            201: PolymorphicProxySerializer(
                component_name="RevisedOut",
                serializers=[ProposalOut, ProgressOut],
                resource_type_field_name=None,
            )
        },
    )
    def post(self, request: Request, proposal_id: UUID) -> Response:
        asks = actor_of(request)
        if asks.kind is ActorKind.KEY and asks.has(Permission.APPROVALS_PROPOSE):
            return _revised(request, proposal_id)
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


def _revised(request: Request, proposal_id: UUID) -> Response:
    take_query(NothingIn, request)
    values = take(OwnReviseIn, request)
    call = RevisedCall(
        revision_no=values["revision"],
        seen_digest=values["digest"],
        args=values["args"],
        before=values["before"],
        after=values["after"],
        note=values.get("note", ""),
    )
    card = commands.revise_own(actor=actor_of(request), proposal_id=proposal_id, call=call)
    return Response(ProgressOut(card).data, status=201)


class Refresh(ApiView):
    """Putting a stale proposal on what is there now, three times at most."""

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
