"""`proposals/{id}/sealed`: arguments that a contract hides, and asking that they are erased."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import commands, queries
from approvals.serializers import NothingIn
from approvals.serializers.sealed import EraseIn, EraseOut, SealedListOut
from console.accounts.states import Permission
from console.kernel.rest import ApiView, actor_of, take, take_query


class Sealed(ApiView):
    """Which arguments are hidden and which were erased; what they are is nobody's to read."""

    @extend_schema(operation_id="proposals_sealed", responses=SealedListOut)
    def get(self, request: Request, proposal_id: UUID) -> Response:
        take_query(NothingIn, request)
        actor = actor_of(request)
        found = queries.proposal(actor=actor, proposal_id=proposal_id)
        cards = queries.sealed_of(actor=actor, subject=found.origin)
        return Response(SealedListOut({"sealed": cards}).data)


class EraseSealed(ApiView):
    """Asking two people whether the hidden values may be erased for good."""

    permission = Permission.POLICIES_MANAGE
    people_only = True

    @extend_schema(operation_id="proposals_erase_sealed", request=EraseIn, responses=EraseOut)
    def post(self, request: Request, proposal_id: UUID) -> Response:
        take_query(NothingIn, request)
        values = take(EraseIn, request)
        waiting = commands.erase_sealed(
            actor=actor_of(request), proposal_id=proposal_id, reason=values["reason"]
        )
        return Response(EraseOut({"waiting": waiting.id if waiting else None}).data)
